import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import {
  SMALL_EDIT_ADAPTER,
  SMALL_UNET,
  disturbed,
  smallNetworks,
} from "../../../test/support/small-model.ts";
import { Rng, normal } from "../../engine/random.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { EditInputs } from "./branches.ts";
import { EditAdapter, EditAdapterConfig } from "./edit-adapter.ts";

const f = 3;
const { unet } = smallNetworks();
const xt = normal(Rng.seed(1), [f, 4, 8, 8]);
const t = Tensor.full([f], 400);
const caption = normal(Rng.seed(2), [1, 5, 16]);
const inputs: EditInputs = {
  instruction: normal(Rng.seed(3), [1, 5, 16]),
  tasks: Tensor.from([2], [1], "int64"),
  input: normal(Rng.seed(4), [f, 4, 8, 8]),
};

function fresh(): EditAdapter {
  return new EditAdapter(Rng.seed(5), unet, SMALL_EDIT_ADAPTER);
}

function edited(adapter: EditAdapter, given: EditInputs = inputs): Tensor {
  return unet.forward(xt, t, caption, { residuals: adapter.forward(xt, t, given) });
}

describe("a fresh edit adapter", () => {
  test("adds nothing to the backbone, bit for bit, in bf16 too", () => {
    const adapter = fresh();
    expect(largestDifference(edited(adapter), unet.forward(xt, t, caption))).toBe(0);
    autocast("bfloat16", () => {
      expect(largestDifference(edited(adapter), unet.forward(xt, t, caption))).toBe(0);
    });
  });

  test("with a copy head adds nothing either, and lets it learn", () => {
    const config = { ...SMALL_EDIT_ADAPTER, copyHead: true };
    const adapter = new EditAdapter(Rng.seed(5), unet, config).setTrainable(true);
    const result = edited(adapter);
    expect(largestDifference(result, unet.forward(xt, t, caption))).toBe(0);
    result.square().mean().backward();
    expect(adapter.copyHead!.gate.weight.grad!.norm().item()).toBeGreaterThan(0);
  });

  test("can learn: a gradient reaches its exits, and nothing of the backbone", () => {
    const adapter = fresh().setTrainable(true);
    edited(adapter).square().mean().backward();
    const { controlnetDownBlocks, controlnetMidBlock } = adapter.controlNet;
    for (const { weight } of [...controlnetDownBlocks, controlnetMidBlock])
      expect(weight.grad?.norm().item()).toBeGreaterThan(0);
    expect([...unet.parameters().values()].every((weight) => weight.grad === null)).toBe(true);
  });

  test("begins with the backbone's encoder in copies, or with random weights for a bare config", () => {
    const { weight } = unet.convIn;
    expect(largestDifference(fresh().controlNet.convIn.weight, weight)).toBe(0);
    expect(fresh().controlNet.convIn.weight.handle).not.toBe(weight.handle);
    const bare = new EditAdapter(Rng.seed(5), SMALL_UNET, SMALL_EDIT_ADAPTER);
    expect(largestDifference(bare.controlNet.convIn.weight, weight)).toBeGreaterThan(0.01);
  });
});

describe("an edit adapter away from its birth", () => {
  const adapter = disturbed(fresh());
  const base = edited(adapter);

  test("lets a gradient reach all of its weights, and of the tasks' vectors the one in use", () => {
    adapter.setTrainable(true);
    edited(adapter).square().mean().backward();
    const norms = [...adapter.parameters()].map(([name, { grad }]) => ({
      name,
      norm: grad?.norm().item() ?? 0,
    }));
    const vectors = adapter.taskEmbedding.weight.grad!.abs().sum([1]).gt(0).to("float32");
    for (const weight of adapter.parameters().values()) weight.clearGrad();
    adapter.setTrainable(false);
    expect(norms.filter(({ norm }) => norm === 0).map(({ name }) => name)).toEqual([]);
    expect([...vectors.toFloat32Array()]).toEqual([0, 0, 1, 0, 0, 0, 0]);
    expect([...unet.parameters().values()].every((weight) => weight.grad === null)).toBe(true);
  });

  test.each([
    ["task", { ...inputs, tasks: Tensor.from([3], [1], "int64") }],
    ["instruction", { ...inputs, instruction: inputs.instruction.mul(-1) }],
    ["input frame", { ...inputs, input: Tensor.zeros([f, 4, 8, 8]) }],
  ])("answers to another %s", (_, given) => {
    expect(largestDifference(edited(adapter, given), base)).toBeGreaterThan(1e-3);
  });

  test.each(["taskToTokens", "taskToTime"] as const)("hears the task through %s alone", (way) => {
    const other = disturbed(fresh());
    const silent = way === "taskToTokens" ? other.taskToTime : other.taskToTokens;
    silent.weight.copyFrom(Tensor.zeros(silent.weight.shape));
    const given = { ...inputs, tasks: Tensor.from([3], [1], "int64") };
    expect(largestDifference(edited(other, given), edited(other))).toBeGreaterThan(1e-4);
  });

  test("with a copy head copies as its task asks", () => {
    const config = { ...SMALL_EDIT_ADAPTER, copyHead: true };
    const copying = disturbed(new EditAdapter(Rng.seed(5), unet, config));
    const { blockOutChannels, patchSize } = unet.config;
    const side = 8 / patchSize;
    const state = normal(Rng.seed(6), [f, blockOutChannels[0]!, side, side]);
    const copied = (task: number): Tensor => {
      const tasks = Tensor.from([task], [1], "int64");
      return copying.forward(xt, t, { ...inputs, tasks }).output!(xt, state);
    };
    expect(largestDifference(copied(2), copied(3))).toBeGreaterThan(1e-3);
  });

  test("edits frames together as it edits them one by one", () => {
    const alone = Array.from({ length: f }, (_, i) => {
      const [x, time, input] = [xt, t, inputs.input].map((all) => all.narrow(0, i, 1));
      const residuals = adapter.forward(x!, time!, { ...inputs, input: input! });
      return unet.forward(x!, time!, caption, { residuals });
    });
    // float32; the order of summation depends on the size of the batch
    expect(largestDifference(Tensor.cat(alone, 0), base)).toBeLessThan(1e-4);
  });

  test("takes one instruction and task a clip: two clips at once are the two by themselves", () => {
    const twice = (x: Tensor): Tensor => Tensor.cat([x, x], 0);
    const both: EditInputs = {
      instruction: Tensor.cat([inputs.instruction, inputs.instruction.mul(-1)], 0),
      tasks: Tensor.from([2, 5], [2], "int64"),
      input: twice(inputs.input),
    };
    const residuals = adapter.forward(twice(xt), twice(t), both);
    const pair = unet.forward(twice(xt), twice(t), caption, { residuals });
    const second = edited(adapter, {
      ...inputs,
      instruction: inputs.instruction.mul(-1),
      tasks: Tensor.from([5], [1], "int64"),
    });
    // float32; the order of summation depends on the size of the batch
    expect(largestDifference(pair.narrow(0, 0, f), base)).toBeLessThan(1e-4);
    expect(largestDifference(pair.narrow(0, f, f), second)).toBeLessThan(1e-4);
  });
});

test("EditAdapterConfig wants at least one task and knows its keys", () => {
  const hint = { type: "latent" } as const;
  expect(EditAdapterConfig.safeParse({ hint, tasks: [] }).success).toBe(false);
  expect(EditAdapterConfig.safeParse({ hint, tasks: ["add"], tokens: 4 }).success).toBe(false);
  expect(EditAdapterConfig.parse({ hint, tasks: ["add"] })).toMatchObject({
    taskFeatures: 64,
    taskTokens: 4,
  });
});
