import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { resolveVisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { copyParameters } from "../../nn/module.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { TrainConfig } from "../config.ts";
import { openRunDirectory } from "../run.ts";
import type { Stage } from "../stage.ts";
import { startState, trainStep } from "../step.ts";
import { train } from "../train.ts";
import { visionStage, visionWeights, type VisionBatch } from "./vision.ts";

const shape = resolveVisionConfig({
  imageSize: 32,
  patchSize: 8,
  width: 32,
  layers: 2,
  heads: 2,
  expansion: 2,
});
const root = temporaryFolder();
const config = TrainConfig.parse({
  steps: 6,
  batch: 8,
  accumulate: 2,
  learningRate: 2e-3,
  precision: "float32",
  ema: 0,
  threads: 1,
  checkpointEvery: 3,
  stage: {
    size: 32,
    pictures: 24,
    held: 40,
    localSize: 16,
    locals: 2,
    hidden: 32,
    bottleneck: 16,
    prototypes: 24,
    cache: join(root, "cache"),
  },
});

const openStage = async (settings: TrainConfig = config): Promise<Stage<VisionBatch>> =>
  await visionStage(new VisionTransformer(Rng.seed(1), shape), settings, { progress: () => {} });

/** Trains in `folder` until `until` steps are done. */
async function runIn(folder: string, until = config.steps): Promise<void> {
  const stopper = new AbortController();
  using directory = openRunDirectory(folder, "vision", config);
  const run = { stage: await openStage(), config, directory, signal: stopper.signal };
  for await (const event of train(run)) {
    if (event.type === "step-end" && event.step >= until) stopper.abort();
  }
}

const whole = join(root, "whole");
beforeAll(async () => await runIn(whole), 60_000);

const checkpointFile = (folder: string, name: string): Buffer =>
  readFileSync(join(folder, "checkpoints", "checkpoint-000006", `${name}.safetensors`));

describe("visionStage", () => {
  test("resumed in its middle ends with the same bits: student, teacher, centre and moments", async () => {
    const parted = join(root, "parted");
    await runIn(parted, 3);
    await runIn(parted);
    for (const name of ["weights", "ema", "moments"]) {
      expect(checkpointFile(parted, name).equals(checkpointFile(whole, name)), name).toBe(true);
    }
  });

  test("leaves a teacher behind that a transformer takes as it is", () => {
    const written = loadSafetensors(join(whole, "weights", "vision.safetensors"));
    const target = new VisionTransformer(Rng.seed(2), shape);
    copyParameters(target.parameters(), visionWeights(written), "the run");
    const gap = (name: string): number =>
      largestDifference(target.patchEmbed.proj.weight, written.get(name)!);
    expect(gap("teacher.vision.patchEmbed.proj.weight")).toBe(0);
    expect(gap("student.vision.patchEmbed.proj.weight")).toBeGreaterThan(0);
  });

  test("trains the student by gradients, moves the teacher after it, and the centre", async () => {
    const stage = await openStage();
    const state = startState(stage, config);
    const before = snapshot(stage);
    await trainStep(stage, config, state);
    expect(movedParts(stage, before)).toEqual(["centre", "student"]);
    const after = snapshot(stage);
    await trainStep(stage, config, state);
    expect(movedParts(stage, after)).toEqual(["centre", "student", "teacher"]);
    expect(nameOfGradients(stage)).toEqual([]);
  });

  test("moves the teacher ever less: its momentum rises to one by half a cosine", async () => {
    using _ = tensorScope();
    const own = { ...config, stage: { ...config.stage, teacherMomentum: 0.4 } };
    const stage = await openStage(own);
    const name = "vision.patchEmbed.proj.weight";
    const weight = (part: string): Tensor => stage.trainable.get(`${part}.${name}`)!.detach();
    for (const [step, momentum] of [
      [2, 1 - 0.6 * 0.75],
      [3, 1 - 0.6 * 0.5],
      [6, 1],
    ] as const) {
      weight("student").copyFrom(weight("student").add(1));
      const wanted = weight("teacher").lerp(weight("student"), 1 - momentum);
      stage.losses(await stage.nextBatch(step, 0), Rng.seed(0));
      expect(largestDifference(weight("teacher"), wanted), `step ${step}`).toBeLessThan(1e-5);
    }
  });

  test("looks for a picture's other view, not for the same one", async () => {
    const narrow = { globalArea: [0.05, 0.06] };
    const stage = await openStage({ ...config, stage: { ...config.stage, ...narrow } });
    const { found } = (await stage.validate!()) as { found: number };
    expect(found).toBeLessThan(0.9);
  });

  test("moves the centre once a step, by the mean over its parts", async () => {
    const centreOf = async (accumulate: number): Promise<Tensor> => {
      const own = { ...config, accumulate };
      const stage = await openStage(own);
      await trainStep(stage, own, startState(stage, own));
      return stage.trainable.get("centre")!.detach();
    };
    const unsplit = await centreOf(1);
    expect(unsplit.abs().max().item()).toBeGreaterThan(1e-3);
    expect(largestDifference(await centreOf(4), unsplit)).toBeLessThan(1e-6);
  });

  test("leaves the centre where it is in a step that is skipped", async () => {
    const stage = await openStage();
    const spoiled: Stage<VisionBatch> = {
      ...stage,
      losses: (batch, rng) => ({
        distillation: stage.losses(batch, rng)["distillation"]!.mul(Number.NaN),
      }),
    };
    const state = startState(spoiled, config);
    const before = snapshot(stage);
    expect(await trainStep(spoiled, config, state)).toMatchObject({ type: "skipped" });
    expect(movedParts(stage, before)).toEqual([]);
  });

  test("gives the teacher and the centre no gradient", async () => {
    using _ = tensorScope();
    const stage = await openStage();
    startState(stage, config);
    const batch = await stage.nextBatch(1, 0);
    stage.losses(batch, Rng.seed(0))["distillation"]!.backward();
    expect(new Set(nameOfGradients(stage).map((name) => name.split(".")[0]))).toEqual(
      new Set(["student"]),
    );
  });

  test("shows the same views again for the same step, and others for the next", async () => {
    using _ = tensorScope();
    const stage = await openStage();
    const [once, again, next] = [
      stage.nextBatch(2, 1),
      stage.nextBatch(2, 1),
      stage.nextBatch(3, 1),
    ];
    const first = async (batch: VisionBatch | Promise<VisionBatch>): Promise<Tensor> =>
      (await batch).locals[0]!;
    expect(largestDifference(await first(once), await first(again))).toBe(0);
    expect(largestDifference(await first(once), await first(next))).toBeGreaterThan(0.1);
  });

  test("draws each held picture beside its five nearest", async () => {
    const stage = await openStage();
    const [sheet] = await stage.samples!();
    const rows = sheet?.type === "sheet" ? sheet.rows : [];
    expect(rows.map((row) => row.length)).toEqual([6, 6, 6, 6, 6, 6, 6, 6]);
    const [query, ...others] = rows[0]!;
    expect(query!.shape).toEqual([3, 32, 32]);
    expect(Math.min(...others.map((other) => largestDifference(other, query!)))).toBeGreaterThan(0);
  });
});

/** Copies of all that the stage trains. */
function snapshot({ trainable }: Stage<VisionBatch>): Map<string, Tensor> {
  return new Map([...trainable].map(([name, weight]) => [name, weight.detach().clone()]));
}

/** The parts (by first names) in which something has changed. */
function movedParts({ trainable }: Stage<VisionBatch>, before: Map<string, Tensor>): string[] {
  const moved = [...trainable].filter(
    ([name, weight]) => largestDifference(weight.detach(), before.get(name)!) > 0,
  );
  return [...new Set(moved.map(([name]) => name.split(".")[0]!))].toSorted();
}

function nameOfGradients({ trainable }: Stage<VisionBatch>): string[] {
  return [...trainable].filter(([, { grad }]) => grad !== null).map(([name]) => name);
}
