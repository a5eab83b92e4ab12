import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settingsFrom } from "../../src/cli/edit/edit-options.ts";
import { keepingBy, wishFrom } from "../../src/cli/edit/edit-request.ts";
import { failureOf } from "../../src/cli/failure.ts";
import { videoFile } from "../../src/data/video/video-source.ts";
import { checkRequest } from "../../src/editing/check.ts";
import { loadEditor } from "../../src/editing/editor.ts";
import { requireNew, requireNoNotes } from "../../src/editing/kept-files.ts";
import { readReceipt } from "../../src/editing/report/receipt.ts";
import { resolveSettings, readSettings } from "../../src/editing/settings/settings.ts";
import { Rng } from "../../src/engine/random.ts";
import { loadSafetensors, saveSafetensors } from "../../src/engine/safetensors.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import { ModelFolder } from "../../src/eve/model/model-folder.ts";
import { Linear } from "../../src/nn/linear.ts";
import { type ClipFolder, clipFolder, makeAudioOnly, makeClip } from "../support/clips.ts";
import { standInEditor } from "../support/edits.ts";

// Whatever a user hands over that cannot be used gives one sentence, exit code 2 for misuse and 1
// for damage, and changes nothing on disk.

const instruction = "make the ball blue";
const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

let folder: ClipFolder;
const file = (name: string) => folder.file(name);

beforeAll(async () => {
  folder = await clipFolder();
  await makeClip(file("good.mp4"));
  await makeAudioOnly(file("sound.m4a"));
  await writeFile(file("empty.mp4"), "");
  await writeFile(file("letter.mp4"), "Dear video, ".repeat(500));
  const good = await readFile(file("good.mp4"));
  await writeFile(file("header.mp4"), good.subarray(0, 200));
  await writeFile(file("cut.mp4"), good.subarray(0, good.indexOf("mdat") - 4));
  await makeClip(file("cut.mkv"), { ticks: Array.from({ length: 60 }, (_, index) => index * 512) });
  await truncate(file("cut.mkv"), Math.floor(readFileSync(file("cut.mkv")).length * 0.6));
  await mkdir(file("folder.mp4"));
  await symlink(file("good.mp4"), file("link.mp4"));
});
afterAll(() => folder[Symbol.asyncDispose]());

/** What the command line would print and return for what `work` throws. */
async function failure(work: () => unknown): Promise<{ text: string; exitCode: number }> {
  try {
    await work();
  } catch (error) {
    return failureOf(error, { debug: false });
  }
  return { text: "no failure", exitCode: 0 };
}

async function expectFailure(
  work: () => unknown,
  exitCode: 1 | 2,
  sentence: RegExp,
): Promise<void> {
  const before = await readdir(folder.path, { recursive: true });
  const found = await failure(work);
  expect(found.text).toMatch(sentence);
  expect(found.text).toMatch(/^eve: (?!internal error)[^\n]{10,300}$/);
  expect(found.exitCode).toBe(exitCode);
  expect(await readdir(folder.path, { recursive: true })).toEqual(before);
}

describe("an input that is no readable video", () => {
  test.each([
    ["missing", "nothing.mp4", 2, /There is no file .*nothing\.mp4/],
    ["empty", "empty.mp4", 2, /empty/],
    ["a directory", "folder.mp4", 2, /directory|folder/],
    ["not a video", "letter.mp4", 2, /not a video/],
    ["sound alone", "sound.m4a", 2, /sound\.m4a .*audio/],
    ["cut off in its index", "header.mp4", 2, /cut off or damaged/],
    ["cut off before its first picture", "cut.mp4", 1, /cut off before its first/],
    ["cut off midway", "cut.mkv", 1, /cut/],
  ] as const)("%s", async (_, name, exitCode, sentence) => {
    const request = {
      source: videoFile(file(name)),
      output: file("out.mp4"),
      settings: { instruction },
    };
    await expectFailure(() => checkRequest(request), exitCode, sentence);
  });
});

describe("an output that cannot be written", () => {
  test.each([
    ["the input itself", "good.mp4", /the input itself/],
    ["the input by a link", "link.mp4", /the input itself/],
    ["in a folder that is not there", "no/such/out.mp4", /folder .* does not exist/],
    ["in a folder that is a file", "empty.mp4/out.mp4", /not a folder/],
    ["a directory", "folder.mp4", /directory/],
    ["of an unknown kind", "out.txt", /extension \.txt/],
    ["without an extension", "out", /no extension/],
  ] as const)("%s", async (_, name, sentence) => {
    const request = {
      source: videoFile(file("good.mp4")),
      output: file(name),
      settings: { instruction },
    };
    await expectFailure(() => checkRequest(request), 2, sentence);
  });

  test("a file that exists, unless it is to be replaced", async () => {
    await expectFailure(() => requireNew(file("good.mp4"), keepingBy(false)), 2, /exists.*--force/);
    expect(await failure(() => requireNew(file("good.mp4"), keepingBy(true)))).toMatchObject({
      exitCode: 0,
    });
  });

  test("a folder that holds something, and none that is empty", async () => {
    await mkdir(file("pictures/of mine"), { recursive: true });
    await expectFailure(
      () => requireNew(file("pictures/"), keepingBy(false)),
      2,
      /exists.*--force/,
    );
    const empty = () => requireNew(file("pictures/of mine/"), keepingBy(false));
    expect(await failure(empty)).toMatchObject({ exitCode: 0 });
  });

  test("notes of the user's own where the receipt would go", async () => {
    const output = file("noted.mp4");
    await writeFile(`${output}.json`, '{"notes": "the client likes it"}');
    const check = (isForced: boolean) => () => requireNoNotes(output, keepingBy(isForced));
    await expectFailure(check(false), 2, /noted\.mp4\.json, where the receipt goes.*--force/);
    expect(await failure(check(true))).toMatchObject({ exitCode: 0 });
    await writeFile(`${output}.json`, '{"program": "open-eve"}');
    expect(await failure(check(false))).toMatchObject({ exitCode: 0 });
  });
});

describe("settings out of range", () => {
  test.each([
    ["no instruction", { instruction: undefined }, /instruction: expected a sentence/],
    ["an empty instruction", { instruction: "" }, /instruction: .*got nothing/],
    ["an instruction of spaces", { instruction: " \n " }, /instruction: .*got nothing/],
    [
      "an instruction of 10,000 characters",
      { instruction: "x".repeat(10_000) },
      /instruction: expected at most 1000 characters, got 10000/,
    ],
    ["a long caption", { caption: "x".repeat(1001) }, /caption: expected at most 1000/],
    ["no steps", { steps: 0 }, /steps: expected a whole number from 1 to 1000, got 0/],
    ["too hot", { temperature: 2 }, /temperature: expected a number from 0 to 1, got 2/],
    ["half a step", { steps: 1.5 }, /steps: expected a whole number/],
    ["a negative seed", { seed: -1 }, /seed: expected a whole number/],
    ["a seed past exact integers", { seed: 2 ** 53 }, /seed: expected a whole number/],
    ["an unknown task", { task: "colour" }, /task: expected one of style, .*got "colour"/],
    ["an unknown noise", { noise: "pink" }, /noise: expected one of independent, shared/],
    ["an unknown method", { method: "magic" }, /method: expected one of aligned, stacked/],
    ["no window", { window: 0 }, /window: expected a whole number/],
    ["an overlap as long as the window", { window: 4, overlap: 4 }, /overlap: .*less than.*4/],
    ["an unknown setting", { colour: "blue" }, /colour/],
  ] as const)("%s", async (_, settings, sentence) => {
    await expectFailure(() => readSettings({ instruction, ...settings }), 2, sentence);
  });

  test.each([
    ["a window longer than the model's", { window: 9 }, true, /tiny sees at most 8 frames/],
    ["stacking without a video adapter", { method: "stacked" }, false, /no video adapter/],
    ["alignment without a video adapter", { method: "aligned" }, false, /no video adapter/],
  ] as const)("%s", async (_, settings, hasVideoAdapter, sentence) => {
    const model = { name: "tiny", window: 8, hasVideoAdapter, hasAlignment: false };
    const resolve = () => resolveSettings(readSettings({ instruction, ...settings }), model);
    await expectFailure(resolve, 2, sentence);
  });

  test.each([
    ["a temperature out of range", { temperature: "2" }, /--temperature: .*at most 1, got "2"/],
    ["steps that are no number", { steps: "many" }, /--steps: expected a whole number, got "many"/],
    ["two methods", { method: "aligned", stacked: true }, /--stacked and --method aligned exclude/],
    [
      "guidance that is no number",
      { "guidance-text": "much" },
      /--guidance-text: expected a number/,
    ],
    [
      "guidance out of range",
      { "guidance-image": "31" },
      /--guidance-image: .*at most 30, got "31"/,
    ],
  ] as const)("%s", async (_, options, sentence) => {
    await expectFailure(() => settingsFrom(options), 2, sentence);
  });
});

describe("a receipt that is none", () => {
  test.each([
    ["missing", "nothing.json", 2, /cannot read the receipt/],
    ["no JSON", "letter.mp4", 1, /no JSON/],
    ["other JSON", "other.json", 1, /expected a receipt in .*other\.json: program/],
  ] as const)("%s", async (_, name, exitCode, sentence) => {
    await writeFile(file("other.json"), "{}");
    await expectFailure(() => readReceipt(file(name)), exitCode, sentence);
  });

  test("of a video: of frames that a program gave, also where something is called as they are", async () => {
    const [output, name] = [file("drawn.png"), file("good.mp4")];
    const frame = { rgb: new Uint8Array(16 * 16 * 3), width: 16, height: 16 };
    await standInEditor().edit({ frames: [frame] }, instruction, { output, videoName: name })
      .result;
    const receipt = await readReceipt(file("drawn.png.json"));
    const sentence = /^eve: the receipt is of frames that a program gave, called .*: name a video/;
    await expectFailure(() => wishFrom({}, receipt), 2, sentence);
    const given = { video: name, out: file("same.mp4") };
    expect((await wishFrom(given, receipt)).source).toBe(name);
  });
});

/** The bytes of a safetensors file with this header and this much data. */
function safetensors(header: unknown, dataBytes: number, statedLength?: bigint): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(statedLength ?? BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}

const entry = (start: number, end: number, dtype = "F32", shape = [(end - start) / 4]) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe("weights that are damaged", () => {
  test.each([
    ["cut off in the length", Buffer.from([1, 2, 3])],
    ["a header that is no JSON", safetensors("{nonsense", 0)],
    ["a header longer than the file", safetensors({}, 0, 4096n)],
    ["a header of petabytes", safetensors({}, 0, 1n << 60n)],
    ["a hole", safetensors({ a: entry(0, 4), b: entry(8, 12) }, 12)],
    ["an overlap", safetensors({ a: entry(0, 8), b: entry(4, 12) }, 12)],
    ["a shape of another length", safetensors({ a: entry(0, 8, "F32", [3]) }, 8)],
    ["data cut off", safetensors({ a: entry(0, 8) }, 4)],
    ["an unknown data type", safetensors({ a: entry(0, 8, "F13") }, 8)],
  ] as const)("%s", async (_, bytes) => {
    await writeFile(file("weights.safetensors"), bytes);
    await expectFailure(
      () => loadSafetensors(file("weights.safetensors")),
      1,
      /weights\.safetensors: /,
    );
  });
});

describe("a model that cannot be used", () => {
  test("a folder that is not there", async () => {
    const load = () => loadEditor({ model: file("no-model") });
    await expectFailure(load, 2, /model folder .*no-model does not exist/);
  });

  test("a folder that holds no model", async () => {
    await mkdir(file("bare"), { recursive: true });
    await expectFailure(() => loadEditor({ model: file("bare") }), 2, /no model\.json/);
  });

  test("a folder of another layout", async () => {
    await mkdir(file("other"), { recursive: true });
    await writeFile(file("other/model.json"), '{"format": 99}');
    await expectFailure(
      () => loadEditor({ model: file("other") }),
      1,
      /describes no model that this version knows: /,
    );
  });

  test("weights of another preset", async () => {
    const part = join(file("preset"), "backbone");
    await mkdir(part, { recursive: true });
    saveSafetensors(join(part, "weights.safetensors"), new Map([["weight", Tensor.zeros([2, 2])]]));
    const network = new Linear(Rng.seed(0), 3, 5);
    const load = () => new ModelFolder(file("preset")).loadWeights("backbone", network);
    await expectFailure(load, 1, /does not fit this model/);
  });
});

describe("the command line", () => {
  const eve = (...args: string[]) =>
    spawnSync(process.execPath, [main, "edit", ...args], {
      encoding: "utf8",
      cwd: folder.path,
      // A door that does not exist: what is told here is told without the engine.
      env: { ...process.env, EVE_DOOR: "/nonexistent/door.node" },
      timeout: 20_000,
    });

  test.each([
    [["good.mp4", ""], 2, "eve: instruction: expected a sentence"],
    [["good.mp4", instruction, "--stepz", "3"], 2, "eve: unknown option --stepz; did you mean"],
    [["good.mp4", instruction, "-o", "good.mp4", "--force"], 2, "the input itself"],
    [["cut.mkv", instruction], 1, "eve: cut.mkv is cut off"],
    [
      ["good.mp4", instruction, "--model", "no-model"],
      2,
      "eve: the model folder no-model does not",
    ],
  ] as const)("%j ends with %i", async (args, status, sentence) => {
    const before = await readdir(folder.path, { recursive: true });
    const result = eve(...args);
    expect(result.stderr.trim().split("\n").at(-1)).toContain(sentence);
    expect(result.status).toBe(status);
    expect(result.stdout).toBe("");
    expect(await readdir(folder.path, { recursive: true })).toEqual(before);
  });
});
