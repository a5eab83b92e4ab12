import { expect, test } from "vitest";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { copyParameters } from "../../nn/module.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { VERY_SMALL_UNET } from "../../../test/support/very-small-unet.ts";
import { resolveUNetConfig } from "./config.ts";
import { silenceGrown } from "./grown.ts";
import { UNet } from "./unet.ts";

const everywhere = ["crossAttention", "crossAttention"] as const;
const wider = resolveUNetConfig({
  ...VERY_SMALL_UNET,
  downBlockTypes: [...everywhere],
  upBlockTypes: [...everywhere],
});
const x = normal(Rng.seed(1), [2, 4, 4, 4]);
const t = Tensor.full([2], 400);
const text = normal(Rng.seed(2), [2, 3, 6]);

/** The very small network and one with attention at its finest level too, which took over its weights. */
function grown(): { young: UNet; old: UNet } {
  const young = new UNet(Rng.seed(3), VERY_SMALL_UNET);
  const old = new UNet(Rng.seed(4), wider);
  const shared = [...old.parameters()].filter(([name]) => young.parameters().has(name));
  copyParameters(new Map(shared), young.parameters(), "the young network");
  return { young, old };
}

test("a network with new transformers is what it was, bit for bit, once they are silenced", () => {
  const { young, old } = grown();
  const before = young.forward(x, t, text);
  expect(largestDifference(old.forward(x, t, text), before)).toBeGreaterThan(1e-3);
  silenceGrown(old, new Set(young.parameters().keys()));
  expect(largestDifference(old.forward(x, t, text), before)).toBe(0);
});

test("transformers whose weights were there are left alone", () => {
  const { old } = grown();
  const before = old.forward(x, t, text);
  silenceGrown(old, new Set(old.parameters().keys()));
  expect(largestDifference(old.forward(x, t, text), before)).toBe(0);
});
