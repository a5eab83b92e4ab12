import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runArguments } from "../../src/cli/command.ts";
import { readPicture } from "../../src/data/image/read-picture.ts";
import { editedFrames, missingEdits, readTgveDataset } from "../../src/data/tgve/dataset.ts";
import { probeVideo } from "../../src/data/video/probe.ts";
import { readReceipt } from "../../src/editing/report/receipt.ts";
import { setThreads } from "../../src/engine/settings.ts";
import { audioPackets, framesOf, makeClip } from "../support/clips.ts";
import { saveSmallModel } from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { writeMiniature } from "../support/tgve-miniature.ts";

// The commands as a user types them, with untrained networks: what is written, and what is said. Reports go to
// stdout, which tests have no say in; they read the files.

const instruction = "make the ball blue";
let folder = "";
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = temporaryFolder();
  saveSmallModel(file("model"));
  await makeClip(file("in.mp4"), { width: 48, height: 32, audio: "aac" }); // 12 frames, 25 a second
});

const eve = (...args: string[]) => heard(args, () => undefined, new AbortController().signal);

/** Runs a command; `hear` gets what it says on stdout. */
async function heard(
  args: readonly string[],
  hear: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string | Uint8Array) => {
    hear(String(text));
    return true;
  };
  try {
    await runArguments(args, { signal });
  } finally {
    process.stdout.write = write;
  }
}

const edit = (...args: string[]) =>
  eve("edit", file("in.mp4"), instruction, "--model", file("model"), "--device", "cpu", ...args);

describe("eve edit", () => {
  test("writes the edit, a side by side video with the sound, a map of changes and a receipt", async () => {
    await edit("-o", file("a.mp4"), "--compare", file("pair.mp4"), "--change-map", file("map.png"));
    const pair = await probeVideo(file("pair.mp4"));
    expect([pair.width, pair.height, pair.frames]).toEqual([96, 32, 12]);
    expect(await audioPackets(file("pair.mp4"))).toEqual(await audioPackets(file("in.mp4")));
    const [left] = await framesOf(file("pair.mp4"));
    const [source] = await framesOf(file("in.mp4"));
    const row = (rgb: Uint8Array, width: number) => rgb.subarray(0, width * 3);
    const error = row(source!.rgb, 48).reduce(
      (sum, value, at) => sum + Math.abs(value - left!.rgb[at]!),
      0,
    );
    expect(error / (48 * 3)).toBeLessThan(12); // coded twice, and colours of a hard edge bleed
    expect(await readPicture(file("map.png"))).toMatchObject({ width: 48, height: 32 });
    const { changes, versions } = await readReceipt(file("a.mp4.json"));
    expect(changes).toMatchObject({ frames: 12 });
    expect(versions["device"]).toBe("cpu");
  });

  test("takes several instructions, and a receipt repeats them", async () => {
    await edit(
      "make it a sketch",
      "-o",
      file("chain.mp4"),
      "--strength",
      "bold",
      "--frames",
      "2..9",
    );
    await eve("edit", "--receipt", file("chain.mp4.json"), "-o", file("again.mp4"));
    const { settings } = await readReceipt(file("again.mp4.json"));
    expect(settings).toMatchObject({
      further: ["make it a sketch"],
      frames: "2..9",
      strength: "bold",
    });
    expect(readFileSync(file("again.mp4"))).toEqual(readFileSync(file("chain.mp4")));
    await eve(
      "edit",
      "--receipt",
      file("chain.mp4.json"),
      "-o",
      file("keep.mp4"),
      "--strength",
      "keep",
    );
    const kept = await readReceipt(file("keep.mp4.json"));
    expect(kept.settings.guidance).not.toEqual(settings.guidance);
  });

  test("previews one frame, beside the input if asked to", async () => {
    await edit("--preview", "0.1s", "-o", file("p.png"), "--compare", file("both.png"));
    expect(await readPicture(file("p.png"))).toMatchObject({ width: 48, height: 32 });
    expect((await readPicture(file("both.png"))).height).toBeGreaterThan(64);
  });

  test("edits with several seeds and draws a sheet of them", async () => {
    await edit("--seeds", "3,8", "-o", file("s.mp4"));
    for (const seed of [3, 8]) {
      const receipt = await readReceipt(file(`s-seed-${seed}.mp4.json`));
      expect(receipt.settings.seed).toBe(seed);
    }
    const sheet = await readPicture(file("s-seeds.png"));
    expect(sheet.width).toBeGreaterThan(3 * 48);
    await expect(edit("--seeds", "3,8", "-o", file("s.mp4"))).rejects.toThrow(/exists/);
    // What is finished stays, what is missing is made, and the sheet shows both
    const made = statSync(file("s-seed-3.mp4")).mtimeMs;
    for (const name of ["s-seed-8.mp4", "s-seed-8.mp4.json", "s-seeds.png"]) rmSync(file(name));
    await edit("--seeds", "3,8", "-o", file("s.mp4"), "--resume");
    expect(statSync(file("s-seed-3.mp4")).mtimeMs).toBe(made);
    expect(existsSync(file("s-seed-8.mp4"))).toBe(true);
    expect(await readPicture(file("s-seeds.png"))).toMatchObject({ height: sheet.height });
    await expect(
      edit("--seeds", "3", "-o", file("s.mp4"), "--resume", "--steps", "1"),
    ).rejects.toThrow(/s-seed-3\.mp4 exists/);
  });

  test("keeps what lies where something else goes, and what it reads", async () => {
    writeFileSync(file("mine.png"), "mine");
    writeFileSync(file("mine.mp4.json"), "mine");
    for (const flag of ["--compare", "--change-map"])
      await expect(edit("-o", file("o.mp4"), flag, file("mine.png"))).rejects.toThrow(
        new RegExp(`mine\\.png exists: give another name with ${flag}`),
      );
    await expect(edit("-o", file("mine.mp4"))).rejects.toThrow(
      /mine\.mp4\.json, where the receipt/,
    );
    await expect(edit("-o", file("o.mp4"), "--compare", file("in.mp4"), "--force")).rejects.toThrow(
      /in\.mp4 is read by the edit/,
    );
    expect(readFileSync(file("mine.png"), "utf8")).toBe("mine");
    expect(existsSync(file("o.mp4"))).toBe(false);
  });

  test("with --dry-run writes nothing", async () => {
    const before = readdirSync(folder);
    await edit("-o", file("dry.mp4"), "--dry-run");
    expect(readdirSync(folder)).toEqual(before);
  });

  test.each([
    [["--preview", "--seeds", "1,2"], /--preview and --seeds exclude each other/],
    [["--seeds", "1,2", "--seed", "3"], /--seeds and --seed exclude each other/],
    [["--seeds", "1,1"], /--seeds: expected different numbers/],
    [["--device", "tpu"], /--device: expected one of auto, cpu, cuda, mps, got "tpu"/],
    [["--device", "mps"], /cannot compute on Apple's GPUs/],
    [["--change-map", "x.jpg"], /--change-map: expected a \.png file/],
    [["--compare", "x.txt"], /extension \.txt/],
    [["--change-map", "x.png", "--compare", "x.png"], /two results would be written to one file/],
    [["--preview", "-o", "x.mp4"], /-o: expected a \.png file/],
    [["--preview", "9s"], /9 s lies behind the end/],
  ])("refuses %j in one sentence and leaves nothing", async (args, sentence) => {
    const before = readdirSync(folder);
    const where = args.includes("-o") || args.includes("--preview") ? [] : ["-o", file("z.mp4")];
    await expect(edit(...args, ...where)).rejects.toThrow(sentence);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("continues no other edit's work", async () => {
    const { WorkFolder } = await import("../../src/editing/frames/work-folder.ts");
    WorkFolder.open(file("w.mp4"), { input: 1, settings: 2 }, true)[Symbol.dispose]();
    await expect(edit("-o", file("w.mp4"), "--resume")).rejects.toThrow(
      /belongs to another edit \(different: input, model, settings, machine\): .*start anew/,
    );
    await edit("-o", file("w.mp4"), "--force");
    expect(existsSync(file("w.mp4"))).toBe(true);
  });
});

describe("eve batch", () => {
  const oneAtATime = () => ["--model", file("model"), "--jobs", "1"];
  const summary = () => JSON.parse(readFileSync(file("results/summary.json"), "utf8")).outcomes;

  test("does what it can, says what it cannot, and the second time only what is left", async () => {
    const input = file("in.mp4");
    const lines = [
      { input, instruction, output: "first" },
      { input, instruction, seed: 4, strength: "bold" },
      { input: file("nothing.mp4"), instruction },
      "no JSON",
      { input, instruction, stepz: 3 },
      { input, instruction: "make it snow", output: "first.mp4" },
      { input, instruction, mask: file("nothing.png"), output: "masked" },
      { input, instruction, codec: "divx" },
      { input, instruction, codec: "prores" },
      { input, instruction, quality: 60 },
    ];
    const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    writeFileSync(file("edits.jsonl"), `${text.join("\n")}\n\n`);
    const batch = () =>
      eve("batch", file("edits.jsonl"), "--out", file("results"), ...oneAtATime());
    await expect(batch()).rejects.toThrow("8 of 10 edits failed");
    const statuses = () => summary().map(({ status }: { status: string }) => status);
    const failed = Array.from({ length: 8 }, () => "failed");
    expect(statuses()).toEqual(["done", "done", ...failed]);
    expect(
      summary()
        .slice(2)
        .map(({ problem }: { problem: string }) => problem),
    ).toEqual([
      expect.stringMatching(/There is no file .*nothing\.mp4/),
      "expected a JSON object, got no JSON",
      expect.stringMatching(/stepz/),
      expect.stringMatching(/line 1 writes .*first\.mp4 already/),
      expect.stringMatching(/mask: there is no .*nothing\.png/),
      expect.stringMatching(/^codec: expected one of h264, .*, got "divx"$/),
      expect.stringMatching(/MP4 cannot hold prores/),
      expect.stringMatching(/The quality of h264 is a number from 0 \(best\) to 51, got 60/),
    ]);
    const before = readFileSync(file("results/first.mp4.json"));
    await expect(batch()).rejects.toThrow("8 of 10 edits failed");
    expect(statuses()).toEqual(["skipped", "skipped", ...failed]);
    expect(readFileSync(file("results/first.mp4.json"))).toEqual(before);
    // Another setting is another edit.
    writeFileSync(
      file("edits.jsonl"),
      JSON.stringify({ input, instruction, output: "first", seed: 9 }),
    );
    await batch();
    expect(statuses()).toEqual(["done"]);
    // So is another codec or quality.
    const stored = { input, instruction, output: "first.mov", seed: 9, codec: "prores" };
    const pictures = { input, instruction, output: "pictures/" };
    for (const quality of ["draft", "best"]) {
      const both = [{ ...stored, quality }, pictures].map((line) => JSON.stringify(line));
      writeFileSync(file("edits.jsonl"), both.join("\n"));
      await batch();
      expect(statuses()).toEqual(["done", quality === "draft" ? "done" : "skipped"]);
    }
    expect(existsSync(file("results/pictures/000001.png"))).toBe(true);
    await batch();
    expect(statuses()).toEqual(["skipped", "skipped"]);
  });

  test("replaces no file that is no edit, and makes what is missing beside one that is", async () => {
    const line = { input: file("in.mp4"), instruction, output: "film.mp4", compare: "film.png" };
    writeFileSync(file("edits.jsonl"), JSON.stringify(line));
    const out = file("shoot");
    const batch = () => eve("batch", file("edits.jsonl"), "--out", out, ...oneAtATime());
    mkdirSync(out);
    writeFileSync(join(out, "film.mp4"), "footage");
    await expect(batch()).rejects.toThrow("1 of 1 edits failed");
    expect(readFileSync(join(out, "film.mp4"), "utf8")).toBe("footage");
    rmSync(join(out, "film.mp4"));
    await batch();
    rmSync(join(out, "film.png"));
    await batch();
    expect(existsSync(join(out, "film.png"))).toBe(true);
    writeFileSync(join(out, "summary.json"), "mine");
    await expect(batch()).rejects.toThrow(/summary\.json exists and is no summary of a batch/);
  });

  test("makes a submission to TGVE of the benchmark's edits", async () => {
    await writeMiniature(file("tgve"));
    const options = ["--dataset", file("tgve"), "--out", file("tgve.jsonl")];
    await eve("evaluate", "tgve-edits", ...options);
    await expect(eve("evaluate", "tgve-edits", ...options)).rejects.toThrow(/tgve\.jsonl exists/);
    const [first] = readFileSync(file("tgve.jsonl"), "utf8").split("\n");
    const other = { ...JSON.parse(first!), output: "other/", pictures: "gif" };
    writeFileSync(file("tgve.jsonl"), `${first}\n${JSON.stringify(other)}`);
    const out = file("submission");
    const batch = () => eve("batch", file("tgve.jsonl"), "--out", out, ...oneAtATime());
    await expect(batch()).rejects.toThrow("1 of 2 edits failed");
    const dataset = await readTgveDataset(file("tgve"));
    const [video] = dataset.videos;
    expect(await editedFrames(out, video!, video!.edits[0]!)).toHaveLength(8);
    expect(await missingEdits(dataset, out)).toHaveLength(11);
    await expect(batch()).rejects.toThrow("1 of 2 edits failed");
    const { outcomes } = JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
    expect(outcomes).toMatchObject([
      { status: "skipped" },
      { problem: 'pictures: expected one of png, tgve, got "gif"' },
    ]);
  });

  test("does lines side by side, to the same frames and the same summary", async () => {
    const input = file("in.mp4");
    const edits = [1, 2, 3].map((seed) => ({ input, instruction, seed, output: `${seed}.mkv` }));
    const lines = [...edits, { input: file("nothing.mp4"), instruction }];
    writeFileSync(file("many.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
    const batch = (out: string, ...args: string[]) =>
      eve("batch", file("many.jsonl"), "--out", file(out), "--model", file("model"), ...args);
    setThreads(1);
    await expect(batch("together", "--jobs", "1")).rejects.toThrow("1 of 4 edits failed");
    await expect(batch("apart", "--jobs", "2")).rejects.toThrow("1 of 4 edits failed");
    const told = (out: string) =>
      JSON.parse(readFileSync(file(`${out}/summary.json`), "utf8")).outcomes.map(
        ({ line, status, problem }: Record<string, unknown>) => ({ line, status, problem }),
      );
    expect(told("apart")).toEqual(told("together"));
    for (const { output } of edits)
      expect(readFileSync(file(`apart/${output}`))).toEqual(
        readFileSync(file(`together/${output}`)),
      );
    // Each line begins before it ends, also one that fails at once and those that are done already.
    let said = "";
    const again = ["--out", file("apart"), "--model", file("model"), "--jobs", "2", "--json"];
    const hear = (text: string) => (said += text);
    const { signal } = new AbortController();
    const all = heard(["batch", file("many.jsonl"), ...again], hear, signal);
    await expect(all).rejects.toThrow("1 of 4 edits failed");
    const events = said
      .split("\n")
      .filter((text) => text.startsWith("{"))
      .map((text): { type: string; line: number } => JSON.parse(text));
    for (const line of [1, 2, 3, 4]) {
      const own = events.filter((event) => event.line === line).map(({ type }) => type);
      expect([own[0], own.at(-1)]).toEqual(["line-start", "line"]);
    }
  });

  test("stopped side by side, it leaves no half-written file, and goes on from there", async () => {
    const input = file("in.mp4");
    const lines = [5, 6].map((seed) => ({ input, instruction, seed, output: `${seed}.mp4` }));
    writeFileSync(file("two.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
    const where = ["--out", file("two"), "--model", file("model")];
    const args = ["batch", file("two.jsonl"), ...where, "--jobs", "2"];
    const stopping = new AbortController();
    const stop = (text: string): void => {
      if (text.includes('"phase":"editing"')) stopping.abort(new Error("enough"));
    };
    const stopped = heard([...args, "--json"], stop, stopping.signal);
    await expect(stopped).rejects.toThrow("enough");
    expect(readdirSync(file("two")).filter((name) => !name.endsWith(".work"))).toEqual([]);
    await eve(...args);
    expect(readdirSync(file("two")).toSorted()).toEqual([
      "5.mp4",
      "5.mp4.json",
      "6.mp4",
      "6.mp4.json",
      "summary.json",
    ]);
  });

  test.each(["1", "2"])(
    "refuses a model that is not there at once, by %s at a time",
    async (jobs) => {
      const lines = [1, 2].map((seed) =>
        JSON.stringify({ input: file("in.mp4"), instruction, seed }),
      );
      writeFileSync(file("pair.jsonl"), lines.join("\n"));
      const where = ["--out", file("never"), "--model", file("nowhere"), "--jobs", jobs];
      await expect(eve("batch", file("pair.jsonl"), ...where)).rejects.toThrow(
        /^[^\n]*nowhere[^\n]*$/,
      );
      expect(existsSync(file("never"))).toBe(false);
    },
  );

  test.each([
    ["missing", "nothing.jsonl", /cannot read .*nothing\.jsonl/],
    ["empty", "empty.jsonl", /holds no line/],
  ])("refuses a file that is %s", async (_, name, sentence) => {
    writeFileSync(file("empty.jsonl"), "\n");
    await expect(eve("batch", file(name), "--out", file("none"))).rejects.toThrow(sentence);
    expect(existsSync(file("none"))).toBe(false);
  });
});
