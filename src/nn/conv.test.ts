import { expect, test } from "vitest";
import { autocast } from "../engine/settings.ts";
import { Rng, normal } from "../engine/random.ts";
import { dispatch, type Tensor } from "../engine/tensor.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { convolve } from "./conv.ts";

const rng = Rng.seed(3);

/** As libtorch convolves. */
const convolved = (
  x: Tensor,
  kernel: Tensor,
  { stride, padding, bias }: { stride: number; padding: number; bias: Tensor | null },
): Tensor => dispatch("aten::conv2d", x, kernel, bias, [stride, stride], [padding, padding]);

test.each([
  { what: "of 3×3 places", inputs: 350, outputs: 340, kernel: 3, side: 2, stride: 1 },
  { what: "of 3×3 places, halving", inputs: 350, outputs: 340, kernel: 3, side: 4, stride: 2 },
  { what: "of one place", inputs: 1100, outputs: 1000, kernel: 1, side: 4, stride: 1 },
])(
  "convolves tiny pictures with a large kernel $what as any",
  ({ inputs, outputs, kernel, side, stride }) => {
    const x = normal(rng.split("x"), [2, inputs, side, side]);
    const weight = normal(rng.split("weight"), [outputs, inputs, kernel, kernel]);
    const bias = normal(rng.split("bias"), [outputs]);
    const shape = { stride, padding: (kernel - 1) / 2, bias };
    const wanted = convolved(x, weight, shape);
    const found = convolve(x, weight, shape);
    expect(found.shape).toEqual(wanted.shape);
    // sums of up to 3150 products, of values up to about 200, in another order
    expect(largestDifference(found, wanted)).toBeLessThan(1e-3);
    const half = weight.to("float16");
    const rounded = convolved(x, half.to("float32"), shape);
    expect(largestDifference(convolve(x, half, shape), rounded)).toBeLessThan(1e-3);
  },
);

test("in bfloat16 the processor's own convolution stays, whatever is convolved", () => {
  const x = normal(rng.split("x"), [1, 350, 2, 2]);
  const weight = normal(rng.split("weight"), [340, 350, 3, 3]);
  const shape = { stride: 1, padding: 1, bias: null };
  const [found, wanted] = autocast("bfloat16", () => [
    convolve(x, weight, shape),
    convolved(x, weight, shape),
  ]);
  expect(largestDifference(found, wanted)).toBe(0);
});
