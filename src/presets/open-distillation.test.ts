import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { makeClip } from "../../test/support/clips.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { writeSmallOpenFolders, writeSmallVision } from "../../test/support/public-folders.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readClips } from "../data/clips/dataset.ts";
import { prepareClips } from "../data/clips/prepare.ts";
import { writeInstructions } from "../data/instructions/instruct.ts";
import { templateWriter } from "../data/instructions/template-writer.ts";
import { UserError, invariant } from "../engine/errors.ts";
import { Rng, normal } from "../engine/random.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Tensor } from "../engine/tensor.ts";
import { openParts } from "../eve/open/open-parts.ts";
import { stacked } from "../eve/stack/teachers.ts";
import type { TrainConfig } from "../training/config.ts";
import { FrozenGuard } from "../training/frozen.ts";
import { resolveConfig, stageEntry, type StageContext } from "../training/stage.ts";
import type { DistillationStage } from "../training/stages/distillation.ts";
import { startState, trainStep } from "../training/step.ts";
import { openClipSettings, openPublicClipEncoder } from "./clip-encoder.ts";
import { openPreset } from "./open.ts";
import { withData } from "./own-data.ts";

const root = temporaryFolder();
const data = join(root, "mine");
const folders = writeSmallOpenFolders(root);
const vision = writeSmallVision(join(root, "vision"));
const preset = openPreset({ model: async () => folders, vision: async () => vision });
const entry = stageEntry(preset, "distillation");
const { signal } = new AbortController();
const context: StageContext = { signal, progress: () => {} };

/** Two videos, prepared for the small open model at 64 pixels, with instructions. */
beforeAll(async () => {
  const videos = ["a", "b"].map((name) => join(root, `${name}.mp4`));
  for (const [index, path] of videos.entries()) {
    await makeClip(path, { width: 64, height: 48 + 16 * index });
    writeFileSync(path.replace("mp4", "txt"), "a red fox in a meadow");
  }
  const request = { frames: 3, size: 64, stride: 1, clipsPerVideo: 1 };
  const settings = openClipSettings(folders, request);
  expect(settings).toMatchObject({ model: "open", frames: 3, size: 64 });
  const encode = openPublicClipEncoder(folders, "cpu");
  for await (const _ of prepareClips({ folder: data, videos, settings, encode, signal }));
  const { clips } = readClips(data);
  for await (const _ of writeInstructions({ folder: data, clips, writer: templateWriter, signal }));
});

function configOf(stage: Record<string, unknown> = {}): TrainConfig {
  const own = withData(entry, data);
  const base = resolveConfig(own);
  return resolveConfig(own, {
    ...base,
    steps: 2,
    threads: 1,
    learningRate: 1e-3,
    warmup: 0,
    stage: {
      ...base.stage,
      cache: join(root, "cache"),
      items: 2,
      held: 1,
      samples: { ...(base.stage["samples"] as object), steps: 1 },
      alignment: { rank: 2, alpha: null, layers: "transformer" },
      heads: { depths: [0, 1], channels: 8, heads: 2, size: 16 },
      adversarialFrom: 0,
      ...stage,
    },
  });
}

const opened = async (config: TrainConfig): Promise<DistillationStage> =>
  (await entry.open(config, context)) as DistillationStage;

describe("distillation of public networks", () => {
  test("begins as the stack of the public weights, bit for bit", async () => {
    const stage = await opened(configOf());
    const { student } = stage;
    const { networks } = openParts(folders, { weightType: "bfloat16" });
    using _ = tensorScope();
    const { condition } = (await stage.nextBatch(0, 0)).point;
    const xt = normal(Rng.seed(1), condition.input.shape);
    const drawn = (by: typeof student.denoiser): Tensor => by.predict(xt, 700, condition).x0;
    expect(condition.hint!.shape).toEqual([3, 3, 64, 64]);
    expect(largestDifference(drawn(student.denoiser), drawn(stacked(networks)))).toBe(0);
  });

  test("does a whole iteration, critics included, that moves the LoRA alone", async () => {
    const config = configOf();
    const stage = await opened(config);
    const guard = new FrozenGuard(stage.frozen);
    const groups = [...stage.frozen.keys()].map((name) => name.split(".")[0]);
    expect(new Set(groups)).toEqual(
      new Set(["autoencoder", "textEncoder", "vision", "backbone", "editAdapter", "videoAdapter"]),
    );
    const result = await trainStep(stage, config, startState(stage, config));
    invariant(result.type === "updated", "the loss is finite");
    expect(Object.keys(result.losses)).toEqual(
      expect.arrayContaining(["sdsEdit", "sdsVideo", "genEdit", "genVideo", "criticVideo"]),
    );
    guard.verify();
    const ups = [...stage.trainable].filter(([name]) => name.endsWith(".up"));
    for (const [name, up] of ups) expect(up.abs().max().item(), name).toBeGreaterThan(0);
  });

  test("lets the backbone read the instruction where a caption is left out", async () => {
    const stage = await opened(configOf({ dropCaption: 1, terms: ["sdsEdit"] }));
    const { condition } = (await stage.nextBatch(0, 0)).point;
    expect(largestDifference(condition.caption, condition.instruction)).toBe(0);
  });

  test("draws samples and measures held clips", async () => {
    const stage = await opened(configOf({ terms: ["sdsEdit", "sdsVideo"] }));
    expect(Object.keys(await stage.validate!())).toEqual(["sdsEdit", "sdsVideo"]);
    const [sheet] = await stage.samples!();
    if (sheet?.type !== "sheet") throw new Error("the sample is no sheet");
    expect(sheet.name).toBe("alignment");
    expect(sheet.labels).toHaveLength(sheet.rows.length);
    expect(sheet.labels!.slice(0, 3)).toEqual([
      expect.stringMatching(/^".+" – input$/),
      "both adapters, stacked",
      "the student",
    ]);
  });

  test("needs a data set, and clips that the networks can take", async () => {
    const without = configOf({ data: null, dataDigest: null });
    await expect(opened(without)).rejects.toThrow(UserError);
    await expect(opened(without)).rejects.toThrow(/learns from videos of your own/);
  });

  test("has no student without pretrained adapters", async () => {
    await expect(opened(configOf({ student: "unpretrained" }))).rejects.toThrow(
      /expected this project's own adapters for a student without pretrained ones/,
    );
  });
});

test("clips for the open model have no more frames than its motion modules take", () => {
  const request = { frames: 9, size: 64, stride: 1, clipsPerVideo: 1 };
  expect(() => openClipSettings(folders, request)).toThrow(
    "--frames: expected at most 8, which the motion modules of the open model take, got 9",
  );
});

test("clips for the open model have sizes that its networks can halve", () => {
  const request = { size: 100, stride: 1, clipsPerVideo: 1 };
  expect(() => openClipSettings(folders, request)).toThrow(
    "--size: expected a multiple of 64, which the networks of the open model need, got 100",
  );
});
