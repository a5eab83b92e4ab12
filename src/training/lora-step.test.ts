import { expect, test } from "vitest";
import { Rng } from "../engine/random.ts";
import { loadSafetensors } from "../engine/safetensors.ts";
import { Tensor } from "../engine/tensor.ts";
import { publicLayerName } from "../models/lora-files/public-layers.ts";
import { isTransformerLinear } from "../models/unet/unet.ts";
import { Lora } from "../nn/lora.ts";
import { largestDifference, relativeError } from "../../test/support/difference.ts";
import { formulaInput, formulaTensor } from "../../test/support/formula-weights.ts";
import { goldenUNet } from "../../test/support/golden-loras.ts";
import { AdamW } from "./optimizer.ts";

const stored = loadSafetensors(
  new URL("../../test/golden/lora/step.safetensors", import.meta.url).pathname,
);
const LEARNING_RATE = 1e-3;

/** Ranks and alphas of `test/golden/lora/step.py`, by the end of a path. */
const RANKS = { "attn2.toK": 1, "attn2.toV": 2, "ff.projIn": 8 };
const ALPHAS = { "attn1.toQ": 8, "ff.projOut": 1 };

function at(values: Readonly<Record<string, number>>, path: string): number {
  return Object.entries(values).find(([end]) => path.endsWith(end))?.[1] ?? 4;
}

/** The LoRA of that script, and every tensor of it by the name that it has there. */
function startingPoint(unet = goldenUNet()) {
  const lora = new Lora(Rng.seed(0), unet, {
    targets: isTransformerLinear,
    rank: (path) => at(RANKS, path),
    alpha: (path) => at(ALPHAS, path),
  });
  const weights = [...lora.entries()].flatMap(([path, { down, up }]): [string, Tensor][] => {
    const layer = publicLayerName("unet", path);
    return [
      [`${layer}.lora_A`, down],
      [`${layer}.lora_B`, up],
    ];
  });
  for (const [name, weight] of weights)
    weight.copyFrom(formulaTensor(name, weight.shape).mul(name.endsWith("A") ? 1 : 0.1));
  return { unet, lora: lora.setTrainable(true), weights: new Map(weights) };
}

function lossOf({ unet, lora }: ReturnType<typeof startingPoint>): Tensor {
  const x = formulaInput("latent", [2, 4, 8, 8], 3);
  const text = formulaInput("text", [2, 5, 12]);
  const predicted = unet.forward(x, Tensor.from([999, 17], [2]), text, { lora: lora.on(unet) });
  return predicted
    .sub(formulaInput("noise", [2, 4, 8, 8]))
    .square()
    .mean();
}

test("one training step of a LoRA is that of torch with PEFT: loss, gradients, weights", () => {
  const start = startingPoint();
  const { weights } = start;
  const before = new Map([...weights].map(([name, weight]) => [name, weight.detach().clone()]));
  const loss = lossOf(start);
  loss.backward();
  expect(Math.abs(loss.item() / stored.get("loss")!.item() - 1)).toBeLessThan(1e-5);
  expect(weights.size).toBe(80);
  const errors = [...weights].map(([name, { grad }]) => {
    return relativeError(grad!, stored.get(`gradient.${name}`)!);
  });
  // formula weights amplify: torch's own float32 is up to 7e-5 from the float64 that is stored, half of it 1e-5
  expect(Math.max(...errors)).toBeLessThan(1e-3);
  expect(errors.toSorted((a, b) => a - b)[40]).toBeLessThan(1e-4);
  const options = { betas: [0.9, 0.99], epsilon: 1e-8, weightDecay: 0.01 } as const;
  new AdamW(weights, options).update(LEARNING_RATE);
  for (const [name, weight] of weights) {
    const after = stored.get(`after.${name}`)!;
    expect(largestDifference(weight.detach(), before.get(name)!), name).toBeGreaterThan(
      0.5 * LEARNING_RATE,
    );
    // the first update of AdamW is the gradient's sign, softened where it is near epsilon, and open where it is below the errors above
    const gradient = stored.get(`gradient.${name}`)!.abs();
    const told = gradient.gt(2e-3 * gradient.max().item()).to(after.dtype);
    const [moved, wanted] = [weight.detach().to(after.dtype).mul(told), after.mul(told)];
    expect(largestDifference(moved, wanted), name).toBeLessThan(0.05 * LEARNING_RATE);
  }
});
