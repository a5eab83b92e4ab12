import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { copyingModel } from "../../../test/support/copying-model.ts";
import { sampleEdit } from "../../data/world/edits.ts";
import { engineInfo } from "../../engine/settings.ts";
import { possibleMethods } from "../methods/asked-methods.ts";
import { METHOD_NAMES } from "../methods/method-names.ts";
import type { EvaluationOptions } from "../methods/options.ts";
import { truthClip, truthFrame } from "./ground-truth.ts";
import { ContactSheets } from "./sheets.ts";
import { reportTables } from "./tables.ts";
import type { ClipScored } from "./test-clip.ts";
import { evaluateWorld, evaluationCost, leftOut, MEASUREMENTS } from "./world-evaluation.ts";

const options: EvaluationOptions = {
  split: "test",
  tasks: ["background", "texture"],
  count: 1,
  frames: 4,
  methods: METHOD_NAMES,
  draw: { steps: 2, sampler: "ddim", guidance: { text: 1, image: 1 }, detail: "keep" },
  isCaptionGiven: true,
  seed: 0,
};

async function evaluated(model = copyingModel()) {
  let frames = 0;
  const clips: ClipScored[] = [];
  const report = await evaluateWorld(model, options, MEASUREMENTS, {
    onWork: (work) => {
      frames += work.frames;
    },
    onClip: (clip) => clips.push(clip),
  });
  return { report, clips, frames };
}

let first: Awaited<ReturnType<typeof evaluated>>;

beforeAll(async () => {
  first = await evaluated();
});

describe("an evaluation of a model that changes nothing", () => {
  test("finds no difference between its edits and the copied input", () => {
    const { report } = first;
    const { methods } = report;
    expect(Object.keys(methods)).toEqual(METHOD_NAMES);
    for (const name of METHOD_NAMES.filter((method) => method !== "reconstruction")) {
      expect(methods[name], name).toEqual(methods.copy);
    }
    expect(methods.copy).toMatchObject({
      success: 0,
      edited: 0,
      kept: 1,
      psnrKept: expect.any(Number),
    });
    expect(methods.copy?.tasks.texture?.success).toBe(0);
    expect(report.single).toMatchObject({ clips: 2, success: 0, flicker: null });
  });

  test("finds the aligned editor as good as every other, clip by clip, each beside its own noise", () => {
    const { comparisons } = first.report;
    expect(comparisons.map(({ method, against }) => `${method}/${against}`)).toEqual([
      "aligned/stacked",
      "aligned/frame-by-frame",
      "aligned/copy",
      "aligned-shared/stacked-shared",
      "aligned-shared/frame-by-frame-shared",
      "aligned-shared/copy",
    ]);
    for (const comparison of comparisons)
      expect(comparison).toMatchObject({
        clips: 2,
        better: { mean: 0.5, interval: null },
        psnr: { mean: 0, interval: null },
        flickerRatio: 1,
      });
  });

  test("finds its lossless autoencoder perfect", () => {
    const { report } = first;
    expect(report.methods.reconstruction).toMatchObject({
      success: 1,
      steady: 1,
      flicker: 0,
      psnr: 100,
    });
    expect(report.autoencoder).toMatchObject({ frames: 10, psnr: 100, interval: null });
  });

  test("finds its video adapter as still as the repeated first frame, noise far worse", () => {
    const { video } = first.report;
    expect(video?.frames).toBe(3);
    expect(video?.adapter).toEqual(video?.still);
    expect(video?.reconstruction.flicker).toBe(0);
    expect(video?.ratio).toBeLessThan(0.5);
  });

  test("finds its video adapter as still from one noise", () => {
    const { video } = first.report;
    expect(video?.sharedAdapter).toEqual(video?.still);
  });

  test("counts every frame that it said it would denoise", () => {
    expect(first.frames).toBe(evaluationCost(copyingModel(), options, MEASUREMENTS));
  });

  test("leaves no tensor behind", async () => {
    const before = engineInfo().liveTensors;
    await evaluated();
    expect(engineInfo().liveTensors).toBeLessThanOrEqual(before);
  });

  test("leaves out what needs a video adapter where there is none, and says so", async () => {
    const { report } = await evaluated(copyingModel({ hasVideoAdapter: false }));
    expect(Object.keys(report.methods)).toEqual(
      METHOD_NAMES.filter((name) => !/^(aligned|stacked)/.test(name)),
    );
    expect(report.video).toBeUndefined();
    expect(report.notes).toEqual([
      "copying has no video adapter: stacked, stacked-shared, video left out",
      "copying has no alignment: aligned, aligned-shared left out",
    ]);
    expect(report.comparisons).toEqual([]);
  });

  test("measures a sampler without noise once, whoever's the noise would be, and says so", async () => {
    const model = copyingModel();
    const still = { ...options, draw: { ...options.draw, temperature: 0 } };
    expect(possibleMethods(model, still)).toEqual(
      METHOD_NAMES.filter((name) => !name.endsWith("-shared")),
    );
    expect(leftOut(model, still, ["clips"])).toEqual([
      "without noise, whose it is makes no difference: aligned-shared, stacked-shared, frame-by-frame-shared left out",
    ]);
    expect(possibleMethods(model, options)).toEqual(METHOD_NAMES);
    const sharedAlone = { ...still, methods: ["aligned-shared", "copy"] as const };
    expect(possibleMethods(model, sharedAlone)).toEqual(["aligned-shared", "copy"]);
  });

  test("stops after the step in which it is told to", async () => {
    const controller = new AbortController();
    let steps = 0;
    const onWork = (): void => {
      steps++;
      controller.abort();
    };
    const { signal } = controller;
    const stopped = evaluateWorld(copyingModel(), options, ["clips"], { signal, onWork });
    await expect(stopped).rejects.toThrow(/aborted/);
    expect(steps).toBe(1);
  });
});

describe("what comes of it", () => {
  test("is a table of every measurement with a row for each task", () => {
    const tables = reportTables(first.report);
    expect(tables.map(({ title }) => title)).toContain("whole clips: stacked");
    const single = tables.find(({ title }) => title.startsWith("edit adapter"));
    expect(single?.rows.map(([task]) => task)).toEqual(["task", "background", "texture", "all"]);
    const widths = new Set(single?.rows.map((row) => row.length));
    expect(widths.size).toBe(1);
  });

  test("is a contact sheet of each task", async () => {
    const folder = mkdtempSync(join(tmpdir(), "eve-sheets-"));
    try {
      const sheets = new ContactSheets(["aligned", "copy"], 24);
      for (const clip of first.clips) sheets.add(clip);
      await sheets.write(folder);
      expect(readdirSync(folder).toSorted()).toEqual(["background.png", "texture.png"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the truth", () => {
  test("of a frame is that frame of the true clip, and differs from the input", () => {
    const request = sampleEdit("test", 0, "background");
    const clip = truthClip(request, 3, 24);
    expect(truthFrame(request, 2, 24)).toEqual(clip[2]);
    expect(clip).not.toEqual(
      truthClip({ ...request, edit: { type: "style", style: "sepia" } }, 3, 24),
    );
  });

  /** The source files in a folder of `src` that import what `from` matches. */
  function importers(folder: string, from: RegExp): string[] {
    const root = join(import.meta.dirname, "../..", folder);
    return readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .filter((file) => from.test(readFileSync(join(root, file), "utf8")));
  }

  test("is within reach of one file of the evaluation", () => {
    expect(importers("evaluation", /from ".*\/edited-scene\.ts"/)).toEqual([
      join("world", "ground-truth.ts"),
    ]);
  });

  test("is not imported by what trains or edits", () => {
    const folders = ["data", "eve", "training", "editing", "presets"];
    expect(folders.flatMap((folder) => importers(folder, /from "[^"]*evaluation\//))).toEqual([]);
  });
});
