import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyingModel } from "../../../test/support/copying-model.ts";
import { recorder } from "../../../test/support/recorder.ts";
import { UserError } from "../../engine/errors.ts";
import { METHOD_NAMES } from "../../evaluation/methods/method-names.ts";
import { ScoredClip } from "../../evaluation/statistics/scored-clip.ts";
import type { Reporter } from "../output.ts";
import { runEvaluation } from "./world-evaluation-run.ts";
import { forModel, worldOptions, type WorldArguments } from "./world-options.ts";

const defaults: WorldArguments = {
  model: "models/tiny",
  split: "test",
  count: "20",
  frames: "16",
  noise: "both",
  steps: "8",
  sampler: "ddim",
  "text-guidance": "1",
  "image-guidance": "1",
  detail: "keep",
  caption: "output",
  seed: "0",
  device: "auto",
};

async function run(report: Reporter, given: Partial<WorldArguments>, sheets?: string) {
  const small = { ...defaults, count: "1", frames: "2", steps: "1", tasks: "style,add", ...given };
  const { options, wanted } = await worldOptions(small);
  const { signal } = new AbortController();
  const model = copyingModel();
  await runEvaluation(model, await forModel(options, model), wanted, { report, signal, sheets });
}

describe("the options of evaluate world", () => {
  test("are by default twenty test clips a task, by every method", async () => {
    const { options, wanted } = await worldOptions(defaults);
    expect(options).toMatchObject({ split: "test", count: 20, frames: 16, isCaptionGiven: true });
    expect(options.tasks).toHaveLength(7);
    expect(options.methods).toEqual(METHOD_NAMES);
    expect(wanted).toEqual(["autoencoder", "single", "video", "clips"]);
  });

  test("sample in the steps asked for, or else in the model's own", async () => {
    const model = { defaults: { times: [999, 700, 300] } };
    const stepsOf = async (steps: string | undefined): Promise<number> => {
      const { options } = await worldOptions({ ...defaults, steps });
      return (await forModel(options, model)).draw.steps;
    };
    expect(await stepsOf(undefined)).toBe(3);
    expect(await stepsOf("5")).toBe(5);
    await expect(stepsOf("0")).rejects.toThrow("--steps: expected a whole number, at least 1");
  });

  test("leave it to the methods whether flicker is taken out, unless told", async () => {
    const drawn = async (deflicker?: string) =>
      (await worldOptions({ ...defaults, ...(deflicker && { deflicker }) })).options.draw;
    expect(await drawn()).not.toHaveProperty("deflicker");
    expect(await drawn("off")).toMatchObject({ deflicker: "off" });
    await expect(drawn("no")).rejects.toThrow("--deflicker: expected one of on, off");
  });

  test("choose among the methods by name and by noise", async () => {
    const named = await worldOptions({ ...defaults, methods: "copy,stacked" });
    expect(named.options.methods).toEqual(["stacked", "copy"]);
    const against = await worldOptions({
      ...defaults,
      against: "copy,stacked",
      noise: "independent",
    });
    expect(against.options.methods).toEqual(["aligned", "stacked", "copy"]);
    const both = await worldOptions({ ...defaults, against: "stacked" });
    expect(both.options.methods).toEqual([
      "aligned",
      "aligned-shared",
      "stacked",
      "stacked-shared",
    ]);
    const shared = await worldOptions({ ...defaults, noise: "shared" });
    expect(shared.options.methods).toEqual([
      "aligned-shared",
      "stacked-shared",
      "frame-by-frame-shared",
      "copy",
      "reconstruction",
    ]);
  });

  test.each([
    [{ split: "train" }, "--split: expected one of test, validation"],
    [{ methods: "copy,staked" }, "did you mean stacked?"],
    [
      { methods: "copy,stacked", noise: "shared" },
      "--noise shared leaves out stacked of --methods",
    ],
    [{ methods: "copy", against: "stacked" }, "--methods and --against exclude each other"],
    [{ only: "clip" }, "did you mean clips?"],
    [{ tasks: "colour" }, "--tasks: expected one of style"],
    [{ frames: "1" }, "--frames: expected a whole number, at least 2"],
    [{ count: "0" }, "--count: expected a whole number, at least 1"],
    [{ temperature: "-1" }, "--temperature: expected a number, at least 0"],
    [{ "text-guidance": "much" }, "--text-guidance: expected a number"],
  ])("%j is refused in one sentence", async (given, sentence) => {
    const read = worldOptions({ ...defaults, ...given });
    await expect(read).rejects.toThrow(UserError);
    await expect(read).rejects.toThrow(sentence);
  });
});

describe("evaluate world", () => {
  test("ends with one object as documented", async () => {
    const { out, report } = recorder({ json: true });
    await run(report, { only: "clips" });
    const last: unknown = JSON.parse(out.at(-1)!);
    const figures = {
      success: expect.any(Number),
      edited: expect.any(Number),
      kept: expect.any(Number),
      flicker: expect.any(Number),
      psnr: expect.any(Number),
    };
    const method = { ...figures, tasks: { style: figures, add: figures } };
    expect(last).toMatchObject({
      split: "test",
      clips: 2,
      methods: { stacked: method, copy: method, "frame-by-frame": method },
    });
  });

  test("tells how far it is and what is left in between", async () => {
    const { out, report } = recorder({ json: true });
    await run(report, { only: "single" });
    const progress = out.map((line) => JSON.parse(line)).filter(({ type }) => type === "progress");
    expect(progress).toHaveLength(2);
    expect(progress[1]).toMatchObject({ phase: "single frames", detail: "add 1/1", etaSeconds: 0 });
  });

  test("tells each single frame's scores, as evaluate compare reads them", async () => {
    const { out, report } = recorder({ json: true });
    await run(report, { only: "single" });
    const frames = out.flatMap((line) => ScoredClip.safeParse(JSON.parse(line)).data ?? []);
    expect(frames.map(({ task, method }) => [task, method])).toEqual([
      ["style", "edit-adapter"],
      ["add", "edit-adapter"],
    ]);
    expect(frames[0]).toMatchObject({ index: 0, frame: expect.any(Number), steady: null });
  });

  test("prints tables and writes a contact sheet of each task", async () => {
    const folder = mkdtempSync(join(tmpdir(), "eve-evaluation-"));
    try {
      const { out, report } = recorder({ json: false });
      await run(report, { only: "clips" }, folder);
      expect(out.at(-1)).toMatch(/whole clips: stacked\ntask +clips +success %/);
      expect(readdirSync(folder).toSorted()).toEqual(["add.png", "style.png"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
