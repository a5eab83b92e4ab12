import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { Rng, normal } from "../engine/random.ts";
import { loadSafetensors } from "../engine/safetensors.ts";
import { EditModel } from "../eve/edit-model.ts";
import type { TrainConfig } from "../training/config.ts";
import type { TrainEvent } from "../training/events.ts";
import { openRunDirectory } from "../training/run.ts";
import { resolveConfig, stageEntry, type StageContext } from "../training/stage.ts";
import { train } from "../training/train.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tiny } from "./tiny.ts";

const root = temporaryFolder();
const model = saveSmallModel(join(root, "model"), { hasVision: true });
const context: StageContext = { signal: new AbortController().signal, progress: () => {} };
const entry = stageEntry(tiny, "distillation");

function configOf(
  settings: Record<string, unknown> = {},
  stage: Record<string, unknown> = {},
): TrainConfig {
  const base = resolveConfig(entry);
  return resolveConfig(entry, {
    ...base,
    steps: 4,
    batch: 2,
    precision: "float32",
    threads: 1,
    ...settings,
    stage: {
      ...base.stage,
      model: model.path,
      cache: join(root, "cache"),
      items: 7,
      held: 2,
      samples: { ...(base.stage["samples"] as object), steps: 1 },
      alignment: { rank: 2, alpha: null, layers: "transformer" },
      heads: { depths: [0, 1], channels: 8, heads: 2, size: null },
      criticWarmup: 1,
      ...stage,
    },
  });
}

/** Trains in `folder`, from where it stopped; stops after step `until`, or at the end. */
async function trained(
  folder: string,
  config: TrainConfig,
  until = Infinity,
): Promise<TrainEvent[]> {
  const stop = new AbortController();
  using directory = openRunDirectory(folder, "distillation", config);
  const stage = await entry.open(config, context);
  const events: TrainEvent[] = [];
  for await (const event of train({ stage, config, directory, signal: stop.signal })) {
    events.push(event);
    if (event.type === "step-end" && event.step >= until) stop.abort();
  }
  return events;
}

const termsOf = (events: readonly TrainEvent[]): string[][] =>
  events.flatMap((event) => (event.type === "step-end" ? [Object.keys(event.losses)] : []));

describe("a distillation of the preset", () => {
  test("scores for two thirds of its steps, warms the critics up, and lets them judge then", async () => {
    const events = await trained(join(root, "straight"), configOf());
    const score = ["sdsEdit", "sdsVideo"];
    const [first, second, ...rest] = termsOf(events);
    expect(first).toEqual(score);
    expect(second).toContain("criticVideo");
    expect(second).not.toContain("genVideo");
    for (const terms of rest)
      expect(terms).toEqual(expect.arrayContaining([...score, "genEdit", "genVideo"]));
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "finished" });
  });

  test("stopped in any phase and continued is the same run, bit for bit", async () => {
    const folder = join(root, "resumed");
    expect((await trained(folder, configOf(), 2)).at(-1)).toMatchObject({ reason: "stopped" });
    expect((await trained(folder, configOf(), 3)).at(-1)).toMatchObject({ reason: "stopped" });
    await trained(folder, configOf());
    const weights = (run: string): Buffer =>
      readFileSync(join(root, run, "weights", "distillation.safetensors"));
    expect(weights("resumed").equals(weights("straight"))).toBe(true);
  });

  test("moves its LoRA alone, and every pair of it", () => {
    const weights = loadSafetensors(join(root, "straight", "weights", "distillation.safetensors"));
    const ups = [...weights].filter(([name]) => name.endsWith(".up"));
    expect(ups.length).toBe(weights.size / 2);
    for (const [name, up] of ups) expect(up.abs().max().item(), name).toBeGreaterThan(0);
    const receipt = JSON.parse(readFileSync(join(root, "straight", "receipt.json"), "utf8"));
    expect(receipt).toMatchObject({ stage: "distillation", steps: 4 });
    expect(receipt.dataset).toMatch(/^generated world, 7 unedited clips of the train split/);
  });

  test("begins as the stack of the model folder, bit for bit", async () => {
    const { student } = (await entry.open(configOf(), context)) as unknown as {
      student: { denoiser: ReturnType<EditModel["stacked"]> };
    };
    const whole = EditModel.load(model.path);
    const xt = normal(Rng.seed(3), [4, 4, 8, 8]);
    const condition = whole.stackedCondition(
      { caption: "a red fox", instruction: "make it blue", task: "object" },
      normal(Rng.seed(1), [4, 4, 8, 8]),
      normal(Rng.seed(2), [1, 4, 8, 8]),
    );
    const [a, b] = [student.denoiser, whole.stacked()].map(
      (denoiser) => denoiser.predict(xt, 600, condition).x0,
    );
    expect(largestDifference(a!, b!)).toBe(0);
  });

  test("needs what critics see with only where critics judge", async () => {
    const blind = saveSmallModel(join(root, "blind"));
    const open = async (terms: readonly string[]): Promise<unknown> =>
      await entry.open(configOf({}, { model: blind.path, terms }), context);
    await expect(open(["sdsEdit", "genEdit"])).rejects.toThrow(
      new UserError(
        `expected a model with vision in ${blind.path}, which has no vision: train it with "./eve train vision"`,
      ),
    );
    await expect(open(["sdsEdit", "sdsVideo"])).resolves.toMatchObject({ adversaries: null });
  });
});
