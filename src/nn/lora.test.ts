import { describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../engine/errors.ts";
import { gradients } from "../engine/autodiff.ts";
import { Rng, normal } from "../engine/random.ts";
import type { Tensor } from "../engine/tensor.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { Attention } from "./attention.ts";
import { Conv2d } from "./conv.ts";
import { FeedForward } from "./feed-forward.ts";
import { Lora, mergeLoras, plainLayer, withLoras, type LoraOptions } from "./lora.ts";
import type { Module } from "./module.ts";

const x = normal(Rng.seed(1), [2, 3, 8]);

function network(seed = 2): Attention {
  return new Attention(Rng.seed(seed), { channels: 8, heads: 2 });
}

/** A LoRA that is no longer at birth. */
function trained(target: Module, options: Partial<LoraOptions> = {}): Lora {
  const lora = new Lora(Rng.seed(3), target, { rank: 2, ...options });
  for (const [path, { up }] of lora.entries())
    up.copyFrom(normal(Rng.seed(4).split(path), up.shape));
  return lora;
}

describe("Lora", () => {
  test("changes nothing at birth, bit for bit", () => {
    const attention = network();
    const lora = new Lora(Rng.seed(3), attention, { rank: 2 });
    const adapted = attention.forward(x, { apply: lora.on(attention) });
    expect(largestDifference(adapted, attention.forward(x))).toBe(0);
  });

  test("is switched on per call: without it the network is what it was", () => {
    const attention = network();
    const before = attention.forward(x);
    const adapted = attention.forward(x, { apply: trained(attention).on(attention) });
    expect(largestDifference(adapted, before)).toBeGreaterThan(0.01);
    expect(largestDifference(attention.forward(x), before)).toBe(0);
  });

  test("gives merged what it gives beside the weights, and unmerged the network back", () => {
    const attention = network();
    const before = attention.forward(x);
    const lora = trained(attention, { alpha: 1 });
    const beside = attention.forward(x, { apply: lora.on(attention) });
    mergeLoras(attention, [{ lora }]);
    expect(largestDifference(attention.forward(x), beside)).toBeLessThan(1e-5);
    mergeLoras(attention, [{ lora, strength: -1 }]);
    expect(largestDifference(attention.forward(x), before)).toBeLessThan(1e-5);
  });

  test("adds to the update of another, in either order", () => {
    const attention = network();
    const [one, other] = [trained(attention), trained(attention, { alpha: 1 })];
    const plain = attention.forward(x);
    const together = attention.forward(x, { apply: one.on(attention, other.on(attention)) });
    const swapped = attention.forward(x, { apply: other.on(attention, one.on(attention)) });
    expect(largestDifference(together, swapped)).toBeLessThan(1e-6);
    const alone = attention.forward(x, { apply: one.on(attention) });
    expect(largestDifference(together, alone)).toBeGreaterThan(0.01);
    mergeLoras(attention, [{ lora: one }]);
    mergeLoras(attention, [{ lora: other }]);
    expect(largestDifference(attention.forward(x), together)).toBeLessThan(1e-5);
    expect(largestDifference(together, plain)).toBeGreaterThan(0.01);
  });

  test("scales its update by alpha / rank", () => {
    const attention = network();
    const once = trained(attention, { alpha: 2 }).on(attention);
    const twice = trained(attention, { alpha: 4 }).on(attention);
    const plain = attention.toQ.forward(x);
    const update = once(attention.toQ, x).sub(plain);
    expect(largestDifference(twice(attention.toQ, x).sub(plain), update.mul(2))).toBeLessThan(1e-5);
  });

  test("names its parameters by the layers they belong to, and adapts those alone", () => {
    const lora = new Lora(Rng.seed(3), network(), { rank: 2, targets: (path) => path === "toQ" });
    expect([...lora.parameters()].map(([name, { shape }]) => [name, shape])).toEqual([
      ["toQ.down", [2, 8]],
      ["toQ.up", [8, 2]],
    ]);
  });

  test("serves another instance of the same topology, and refuses a different one", () => {
    const lora = trained(network());
    const twin = network(5);
    const adapted = twin.forward(x, { apply: lora.on(twin) });
    expect(largestDifference(adapted, twin.forward(x))).toBeGreaterThan(0.01);
    expect(() => lora.on(new FeedForward(Rng.seed(1), 8))).toThrow(
      new ShapeError("expected a network with the layer toQ of this LoRA, found none"),
    );
  });

  test("refuses targets that name no layer", () => {
    expect(() => new Lora(Rng.seed(3), network(), { rank: 2, targets: () => false })).toThrow(
      ConfigError,
    );
  });

  test("has the rank and the alpha of each layer where they differ", () => {
    const attention = network();
    const lora = trained(attention, {
      rank: (path) => (path === "toQ" ? 1 : 3),
      alpha: (path) => (path === "toQ" ? 2 : 3),
    });
    expect([...lora.entries()].map(([path, { rank, scale }]) => [path, rank, scale])).toEqual([
      ["toQ", 1, 2],
      ["toK", 3, 1],
      ["toV", 3, 1],
      ["toOut", 3, 1],
    ]);
    const beside = attention.forward(x, { apply: lora.on(attention) });
    mergeLoras(attention, [{ lora }]);
    expect(largestDifference(attention.forward(x), beside)).toBeLessThan(1e-5);
  });

  test("speaks as strongly as asked, beside the weights and merged", () => {
    const attention = network();
    const lora = trained(attention);
    const plain = attention.forward(x);
    const none = attention.forward(x, { apply: lora.on(attention, plainLayer, 0) });
    expect(largestDifference(none, plain)).toBe(0);
    const half = lora.on(attention, plainLayer, 0.5)(attention.toQ, x);
    const whole = lora.on(attention)(attention.toQ, x);
    const between = attention.toQ.forward(x).lerp(whole, 0.5);
    expect(largestDifference(half, between)).toBeLessThan(1e-5);
    const beside = attention.forward(x, { apply: lora.on(attention, plainLayer, 0.5) });
    mergeLoras(attention, [{ lora, strength: 0.5 }]);
    expect(largestDifference(attention.forward(x), beside)).toBeLessThan(1e-5);
    mergeLoras(attention, [{ lora, strength: -0.5 }]);
    expect(largestDifference(attention.forward(x), plain)).toBeLessThan(1e-5);
  });

  test("sums several, each at its strength", () => {
    const attention = network();
    const [one, other] = [trained(attention), trained(attention, { alpha: 1, rank: 3 })];
    const loras = [
      { lora: one, strength: 0.8 },
      { lora: other, strength: -0.5 },
    ];
    const layer = attention.toV;
    const update = (lora: Lora): Tensor => lora.on(attention)(layer, x).sub(layer.forward(x));
    const expected = layer.forward(x).addScaled(update(one), 0.8).addScaled(update(other), -0.5);
    expect(largestDifference(withLoras(attention, loras)(layer, x), expected)).toBeLessThan(1e-5);
    expect(withLoras(attention, [])).toBe(plainLayer);
    const beside = attention.forward(x, { apply: withLoras(attention, loras) });
    for (const { lora, strength } of loras) mergeLoras(attention, [{ lora, strength }]);
    expect(largestDifference(attention.forward(x), beside)).toBeLessThan(1e-5);
  });
});

describe("several LoRAs merged", () => {
  const sum = (...loras: readonly Parameters<typeof mergeLoras>[1][number][]): Attention => {
    const attention = network();
    mergeLoras(attention, loras);
    return attention;
  };

  test("are the weights and all of their updates, whichever layers each has", () => {
    const attention = network();
    const [one, other] = [
      trained(attention, { targets: (path) => path !== "toOut" }),
      trained(attention, { alpha: 1, rank: 3, targets: (path) => path !== "toQ" }),
    ];
    const merged = sum({ lora: one, strength: 0.8 }, { lora: other });
    for (const path of ["toQ", "toK", "toOut"] as const) {
      const update = (lora: Lora, factor: number): Tensor | number =>
        lora.get(path)?.product().mul(factor) ?? 0;
      const expected = attention[path].weight.add(update(one, 0.8)).add(update(other, 1 / 3));
      expect(largestDifference(merged[path].weight, expected), path).toBeLessThan(1e-6);
    }
  });

  test("are rounded once to what the weights are stored in", () => {
    const half = (): Attention => {
      const attention = network();
      const { toQ } = attention;
      Reflect.set(toQ, "weight", toQ.weight.detach().to("bfloat16"));
      return attention;
    };
    const [together, apart] = [half(), half()];
    const lora = trained(together, { targets: (path) => path === "toQ" });
    // a thousandth of an update is less than half of a step of bfloat16
    const pieces = Array.from({ length: 1000 }, () => ({ lora, strength: 0.001 }));
    mergeLoras(together, pieces);
    mergeLoras(apart, [{ lora }]);
    expect(largestDifference(together.toQ.weight, half().toQ.weight)).toBeGreaterThan(0.1);
    // sums of a thousand float32 values: half of a step of bfloat16 may fall the other way
    expect(largestDifference(together.toQ.weight, apart.toQ.weight)).toBeLessThan(2 ** -6);
  });
});

describe("A LoRA on a convolution", () => {
  const picture = normal(Rng.seed(6), [2, 4, 8, 8]);
  const convolutions = [
    ["of 3×3", { kernel: 3 }],
    ["of 1×1", { kernel: 1 }],
    ["of stride 2", { kernel: 3, stride: 2 }],
  ] as const;

  function adapted(options: { kernel?: number; stride?: number }): [Conv2d, Lora] {
    const layer = new Conv2d(Rng.seed(7), 4, 6, options);
    return [layer, new Lora(Rng.seed(8), layer, { rank: 2, targets: () => true })];
  }

  function teach(lora: Lora): void {
    for (const [, { up }] of lora.entries()) up.copyFrom(normal(Rng.seed(9), up.shape));
  }

  test.each(convolutions)("%s changes nothing at birth, bit for bit", (_, options) => {
    const [layer, lora] = adapted(options);
    expect(largestDifference(lora.on(layer)(layer, picture), layer.forward(picture))).toBe(0);
  });

  test.each(convolutions)("%s gives merged what it gives beside the weights", (_, options) => {
    const [layer, lora] = adapted(options);
    teach(lora);
    const plain = layer.forward(picture);
    const beside = lora.on(layer)(layer, picture);
    expect(largestDifference(beside, plain)).toBeGreaterThan(0.01);
    mergeLoras(layer, [{ lora }]);
    // float32 sums of 36 products, in another order
    expect(largestDifference(layer.forward(picture), beside)).toBeLessThan(1e-5);
  });

  test("begins with A within what PyTorch draws for the layer, over all that a place reads", () => {
    const [, lora] = adapted({ kernel: 3 });
    const { down } = [...lora.entries()][0]![1];
    const reach = 1 / Math.sqrt(4 * 3 * 3);
    const largest = down.abs().max().item();
    expect([largest <= reach, largest > 0.9 * reach]).toEqual([true, true]);
  });

  test("has as many values as r channels between", () => {
    const [, lora] = adapted({ kernel: 3 });
    expect([...lora.parameters().values()].map(({ shape }) => shape)).toEqual([
      [2, 4, 3, 3],
      [6, 2, 1, 1],
    ]);
  });

  test("is left out where only linear layers are asked for", () => {
    expect(() => new Lora(Rng.seed(8), new Conv2d(Rng.seed(7), 4, 6), { rank: 2 })).toThrow(
      ConfigError,
    );
  });

  test("has the gradient that finite differences give", () => {
    const [layer, lora] = adapted({ stride: 2 });
    teach(lora);
    const { down } = [...lora.entries()][0]![1];
    const loss = (): Tensor => lora.on(layer)(layer, picture).square().mean();
    lora.setTrainable(true);
    const [gradient] = gradients(loss(), [down]);
    lora.setTrainable(false);
    const direction = normal(Rng.seed(10), down.shape);
    const before = down.clone();
    const at = (step: number): number => {
      down.copyFrom(before.addScaled(direction, step));
      return loss().item();
    };
    // the loss is quadratic in A: central differences are exact but for float32's cancellation
    const slope = (at(0.1) - at(-0.1)) / 0.2;
    const expected = gradient!.mul(direction).sum().item();
    expect(Math.abs(slope - expected)).toBeLessThan(1e-3 * Math.abs(expected));
  });
});
