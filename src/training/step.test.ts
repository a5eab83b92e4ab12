import { describe, expect, test } from "vitest";
import { tinyConfig } from "../../test/support/tiny-stage.ts";
import type { Rng } from "../engine/random.ts";
import { persist } from "../engine/scope.ts";
import { Tensor } from "../engine/tensor.ts";
import type { TrainConfigInput } from "./config.ts";
import type { Adversaries, Losses, Stage } from "./stage.ts";
import { startState, trainStep, type StepResult, type TrainState } from "./step.ts";

const weightOf = (value: number): Tensor => persist(Tensor.from([value], [1, 1]));

/** One weight and its losses. */
function stageOf(weight: Tensor, own: Partial<Stage<null>> = {}): Stage<null> {
  return {
    name: "one weight",
    dataset: "none",
    trainable: new Map([["weight", weight]]),
    frozen: new Map(),
    lossWeights: {},
    nextBatch: () => null,
    losses: () => ({ size: weight.sum() }),
    ...own,
  };
}

/** So many steps; what each came to, and the state behind them. */
async function steps(
  count: number,
  stage: Stage<null>,
  settings: Partial<TrainConfigInput> = {},
): Promise<{ results: StepResult[]; state: TrainState }> {
  const config = tinyConfig({ learningRate: 0.1, warmup: 0, weightDecay: 0, ...settings });
  const state = startState(stage, config);
  const results: StepResult[] = [];
  for (let step = 0; step < count; step++) results.push(await trainStep(stage, config, state));
  return { results, state };
}

describe("a step", () => {
  test("and each of its parts has random numbers of its own, which the seed decides", async () => {
    const drawn = async (seed: number): Promise<number[]> => {
      const numbers: number[] = [];
      const weight = weightOf(1);
      const losses = (_: null, rng: Rng): Losses => {
        numbers.push(rng.uniform());
        return { size: weight.sum() };
      };
      await steps(2, stageOf(weight, { losses }), { seed, accumulate: 2 });
      return numbers;
    };
    const numbers = await drawn(1);
    expect(numbers).toHaveLength(4);
    expect(new Set([...numbers, ...(await drawn(2))]).size).toBe(8);
    expect(await drawn(1)).toEqual(numbers);
  });

  test("takes the rate of its number, counted from 0", async () => {
    const settings = { warmup: 4, learningRate: 0.4, schedule: "constant" } as const;
    const { results } = await steps(5, stageOf(weightOf(1)), settings);
    const rates = results.map((result) => (result.type === "updated" ? result.lr : Number.NaN));
    [0.1, 0.2, 0.3, 0.4, 0.4].forEach((rate, step) => expect(rates[step]).toBeCloseTo(rate, 12));
  });

  test("sums its losses by their weights, and tells each without", async () => {
    const weight = weightOf(3);
    const losses = (): Losses => ({ size: weight.sum(), square: weight.square().sum() });
    const { results } = await steps(1, stageOf(weight, { losses, lossWeights: { square: 0.5 } }), {
      clip: 0,
    });
    // the gradient is 1 + 0.5·2·3
    expect(results[0]).toMatchObject({
      losses: { size: 3, square: 9 },
      total: 7.5,
      gradNorm: 4,
    });
  });

  test.each(["adamw", "muon"] as const)(
    "by %s moves a weight with a rate of its own by that much more, and nothing that is frozen",
    async (optimizer) => {
      const [weight, frozen] = [weightOf(1), weightOf(1).setRequiresGrad(true)];
      const stage = stageOf(weight, {
        rates: { weight: 3 },
        frozen: new Map([["frozen", frozen]]),
        losses: () => ({ size: weight.sum().add(frozen.sum()) }),
      });
      await steps(1, stage, { optimizer });
      expect(weight.item()).toBeCloseTo(1 - 3 * 0.1, 6);
      expect([frozen.item(), frozen.requiresGrad, frozen.grad]).toEqual([1, false, null]);
    },
  );

  test("averages the weights that it has moved, by how many updates there were", async () => {
    const weight = weightOf(1);
    let step = 0;
    const losses = (): Losses => ({ size: weight.sum().mul(step++ === 0 ? Number.NaN : 1) });
    const { results, state } = await steps(3, stageOf(weight, { losses }), { ema: 0.9999 });
    expect(results.map(({ type }) => type)).toEqual(["skipped", "updated", "updated"]);
    // an equal gradient moves by the rate each time: to 0.9 and to 0.8
    expect(weight.item()).toBeCloseTo(0.8, 6);
    const first = (2 / 11) * 1 + (9 / 11) * 0.9;
    const wanted = (3 / 12) * first + (9 / 12) * 0.8;
    expect(state.ema.averages.get("weight")!.item()).toBeCloseTo(wanted, 6);
  });

  test("tells the stage that its weights have moved, before they are averaged, and not where it was skipped", async () => {
    const weight = weightOf(1);
    let step = 0;
    const losses = (): Losses => ({ size: weight.sum().mul(step++ === 0 ? Number.NaN : 1) });
    const updated = (): void => void weight.detach().copyFrom(Tensor.from([5], [1, 1]));
    const { state } = await steps(2, stageOf(weight, { losses, updated }), { ema: 0 });
    expect(state.ema.averages.get("weight")!.item()).toBe(5);
  });
});

describe("critics", () => {
  const adversaries = (weight: Tensor): Adversaries => ({
    trainable: new Map([["critic", weight]]),
    learningRate: 0.01,
    betas: [0, 0.99],
  });

  test("move by a rate and means of their own, without decay, whatever the stage's", async () => {
    const [weight, critic] = [weightOf(1), weightOf(2)];
    const slopes = [1, -3];
    const losses = (): Losses => ({ size: weight.sum(), judge: critic.sum().mul(slopes.shift()!) });
    await steps(2, stageOf(weight, { losses, adversaries: adversaries(critic) }), {
      learningRate: 0.4,
      weightDecay: 0.5,
      clip: 0,
    });
    // Adam with β₁ = 0: the first update is the rate, the second the rate · g / √v̂ with v̂ of both gradients
    const root = Math.sqrt((0.99 * 0.01 * 1 + 0.01 * 9) / (1 - 0.99 ** 2));
    expect(critic.item()).toBeCloseTo(2 - 0.01 + (0.01 * 3) / root, 6);
  });

  test("whose gradient is not finite leave all weights as they were", async () => {
    const [weight, critic] = [weightOf(1), weightOf(0)];
    // √0 has a finite value and an infinite slope
    const losses = (): Losses => ({ size: weight.sum(), judge: critic.sqrt().sum() });
    const { results } = await steps(
      1,
      stageOf(weight, { losses, adversaries: adversaries(critic) }),
    );
    expect(results).toEqual([{ type: "skipped", reason: "gradient not finite" }]);
    expect([weight.item(), critic.item()]).toEqual([1, 0]);
  });
});
