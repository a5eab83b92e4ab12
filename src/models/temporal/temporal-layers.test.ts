import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { parseConfig } from "../../engine/config.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { Module } from "../../nn/module.ts";
import { formulaTensor } from "../../../test/support/formula-weights.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { UNet } from "../unet/unet.ts";
import { TemporalConfig } from "./config.ts";
import { TemporalAttention } from "./temporal-attention.ts";
import { TemporalConvolution } from "./temporal-convolution.ts";
import { TemporalLayers, firstFrameCondition } from "./temporal-layers.ts";
import { VERY_SMALL_UNET as config } from "../../../test/support/very-small-unet.ts";

const f = 3;
const temporal = TemporalConfig.parse({ heads: 2 });
const x = normal(Rng.seed(1), [2 * f, 4, 4, 4]);
const t = Tensor.full([2 * f], 400);
const text = normal(Rng.seed(2), [2, 3, 6]);
const condition = firstFrameCondition(normal(Rng.seed(3), [2, 4, 4, 4]));

/** Gives every weight a value other than its birth's. */
function train<T extends Module>(module: T): T {
  for (const [name, weight] of module.parameters()) {
    weight.copyFrom(formulaTensor(name, weight.shape));
  }
  return module;
}

describe("TemporalLayers", () => {
  const unet = new UNet(Rng.seed(4), config);
  const plain = unet.forward(x, t, text);

  test("are the identity until they are trained, bit for bit, in bf16 too", () => {
    const layers = new TemporalLayers(Rng.seed(5), unet, temporal);
    const hooks = layers.on(unet, { frames: f, condition });
    expect(largestDifference(unet.forward(x, t, text, { temporal: hooks }), plain)).toBe(0);
    autocast("bfloat16", () => {
      const without = unet.forward(x, t, text);
      expect(largestDifference(unet.forward(x, t, text, { temporal: hooks }), without)).toBe(0);
    });
  });

  test("stand behind every convolution of a ResNet and every spatial transformer", () => {
    const layers = new TemporalLayers(Rng.seed(5), unet, temporal);
    expect(layers.convolutions.size).toBe(2 * (2 + 2 + 4));
    expect(layers.attentions.size).toBe(1 + 1 + 2);
    expect([...layers.parameters().keys()]).toContain(
      "convolutions.upBlocks.1.resnets.0.conv2.conv.weight",
    );
  });

  test("are all that a gradient reaches", () => {
    const layers = new TemporalLayers(Rng.seed(5), unet, temporal).setTrainable(true);
    const hooks = layers.on(unet, { frames: f, condition });
    unet.forward(x, t, text, { temporal: hooks }).square().mean().backward();
    const reached = [...layers.parameters().values()].filter((weight) => weight.grad !== null);
    expect(reached).toHaveLength(layers.parameters().size);
    expect(layers.convInExtra.weight.grad?.norm().item()).toBeGreaterThan(0);
    expect([...unet.parameters().values()].every((weight) => weight.grad === null)).toBe(true);
  });

  test("leave the U-Net what it was, for whoever does not ask them", () => {
    const layers = train(new TemporalLayers(Rng.seed(5), unet, temporal));
    const hooks = layers.on(unet, { frames: f, condition });
    expect(largestDifference(unet.forward(x, t, text, { temporal: hooks }), plain)).toBeGreaterThan(
      0.1,
    );
    expect(largestDifference(unet.forward(x, t, text), plain)).toBe(0);
  });

  test("keep clips apart", () => {
    const layers = train(new TemporalLayers(Rng.seed(5), unet, temporal));
    const both = unet.forward(x, t, text, { temporal: layers.on(unet, { frames: f, condition }) });
    const hooks = layers.on(unet, { frames: f, condition: condition.narrow(0, 1, 1) });
    const [xs, ts, texts] = [x.narrow(0, f, f), t.narrow(0, f, f), text.narrow(0, 1, 1)];
    const second = unet.forward(xs, ts, texts, { temporal: hooks });
    expect(largestDifference(second, both.narrow(0, f, f))).toBeLessThan(1e-4);
  });

  test("serve any instance of the topology they were made for, and no other", () => {
    const layers = new TemporalLayers(Rng.seed(5), unet, temporal);
    const twin = new UNet(Rng.seed(9), config);
    expect(() => layers.on(twin, { frames: f })).not.toThrow();
    const other = new UNet(Rng.seed(9), { ...config, layersPerBlock: 2 });
    expect(() => new TemporalLayers(Rng.seed(5), other, temporal).on(unet, { frames: f })).toThrow(
      ShapeError,
    );
  });

  test("show the first frame to every frame where the config says so, marked on the first alone", () => {
    const every = { ...temporal, firstFrameOn: "every" } as const;
    const reach = (shown: typeof temporal): number[] => {
      const layers = train(new TemporalLayers(Rng.seed(5), unet, shown));
      const zeros = Tensor.zeros([2 * f, 8, 4, 4]);
      const states = layers.on(unet, { frames: f, condition }).behind(unet.convIn, zeros);
      return Array.from({ length: f }, (_, frame) => states.select(0, frame).norm().item());
    };
    expect(reach(temporal)).toEqual([expect.closeTo(reach(every)[0]!, 4), 0, 0]);
    const [first, second, third] = reach(every);
    expect(second).toBeGreaterThan(0);
    expect(third).toBeCloseTo(second!, 6);
    expect(Math.abs(first! - second!)).toBeGreaterThan(1e-3);
  });

  test("name the number of first frames that is wrong", () => {
    const layers = new TemporalLayers(Rng.seed(5), unet, temporal);
    const hooks = layers.on(unet, { frames: 2, condition });
    expect(() => unet.forward(x, t, text, { temporal: hooks })).toThrow(
      /expected 3 first frames for 6 images in clips of 2, got 2/,
    );
  });
});

test("a temporal convolution sees the frames beside its own, at its own place, and zeros outside", () => {
  const layer = train(new TemporalConvolution(Rng.seed(1), 2, 3));
  const h = normal(Rng.seed(2), [2 * f, 2, 2, 2]);
  const kernel = layer.conv.weight;
  const at = (clip: number, frame: number): Tensor =>
    h
      .select(0, clip * f + frame)
      .select(1, 1)
      .select(1, 0);
  const expected = at(1, 2)
    .add(kernel.select(2, 0).matmul(at(1, 1)))
    .add(kernel.select(2, 1).matmul(at(1, 2)))
    .add(layer.conv.bias);
  const found = layer
    .forward(h, f)
    .select(0, 2 * f - 1)
    .select(1, 1)
    .select(1, 0);
  expect(largestDifference(found, expected)).toBeLessThan(1e-5);
});

test("a temporal attention reads other frames of its place and no other place", () => {
  const layer = train(new TemporalAttention(Rng.seed(1), 4, { heads: 2, expansion: 2 }));
  const h = normal(Rng.seed(2), [f, 4, 2, 2]).setRequiresGrad(true);
  const result = layer.forward(h, f).select(0, 0).select(1, 0).select(1, 0).square().sum();
  const reach = gradients(result, [h])[0]!.abs().sum([1]);
  expect(reach.narrow(1, 0, 1).narrow(2, 0, 1).gt(0).to("float32").sum().item()).toBe(f);
  expect(reach.gt(0).to("float32").sum().item()).toBe(f);
});

test("a temporal attention knows the order of frames", () => {
  const layer = train(new TemporalAttention(Rng.seed(1), 4, { heads: 2, expansion: 2 }));
  const h = normal(Rng.seed(2), [f, 4, 2, 2]);
  const backwards = Tensor.from([2, 1, 0], [f], "int64");
  const turned = layer.forward(h.indexSelect(0, backwards), f).indexSelect(0, backwards);
  expect(largestDifference(turned, layer.forward(h, f))).toBeGreaterThan(1e-3);
});

test("a temporal config refuses an even kernel, which has no middle frame", () => {
  const refused = (): unknown => parseConfig(TemporalConfig, { kernel: 2 }, "temporal config");
  expect(refused).toThrow(ConfigError);
  expect(refused).toThrow(/temporal config: .*expected an odd temporal kernel.*at kernel/s);
});
