import { dims } from "../engine/axes.ts";
import { dispatch, type Float, type Tensor } from "../engine/tensor.ts";
import type { Rng } from "../engine/random.ts";
import { computingType } from "../engine/settings.ts";
import { scoped } from "../engine/scope.ts";
import { Module } from "./module.ts";
import { fanInUniform } from "./init.ts";
import {
  convolvePacked,
  isPacked,
  LARGE_KERNEL,
  unpacked,
  type ConvolutionGeometry,
} from "./packed-kernel.ts";
import { withWeight } from "./stored-weight.ts";

/** A 2-D convolution. */
export class Conv2d extends Module {
  readonly weight: Float<"out in kh kw">;
  readonly bias: Float<"out"> | null;
  readonly geometry: ConvolutionGeometry;

  constructor(
    rng: Rng,
    inputs: number,
    outputs: number,
    { kernel = 3, stride = 1, padding = Math.floor(kernel / 2), bias = true } = {},
  ) {
    super();
    const fanIn = inputs * kernel * kernel;
    this.weight = fanInUniform(rng.split("weight"), [outputs, inputs, kernel, kernel], fanIn);
    this.bias = bias ? fanInUniform(rng.split("bias"), [outputs], fanIn) : null;
    this.geometry = { stride, padding };
  }

  forward(x: Float<"b in h w">): Float<"b out h w"> {
    return convolve(x, this.weight, { ...this.geometry, bias: this.bias });
  }
}

/** Convolves with weights held elsewhere; the kernel may be stored in half precision or packed, the bias is float32. */
export function convolve(
  x: Float<"b in h w">,
  weight: Float<"out in kh kw">,
  {
    stride = 1,
    padding = 0,
    bias = null,
  }: Partial<ConvolutionGeometry> & { readonly bias?: Float<"out"> | null } = {},
): Float<"b out h w"> {
  if (isPacked(weight)) {
    if (weight.dtype === computingType(x.device))
      return convolvePacked(x, weight, { stride, padding, bias });
    return scoped(() => convolve(x, unpacked(weight), { stride, padding, bias }));
  }
  const steps = [stride, stride];
  const sides = [padding, padding];
  return withWeight(weight, (kernel) =>
    isSoonerProduct(x, kernel, stride)
      ? convolveByProduct(x, kernel, { stride, padding, bias })
      : dispatch("aten::conv2d", x, kernel, bias, steps, sides),
  );
}

/** Places of a picture up to which one product of matrices is sooner done, by the places of the kernel. */
const FEW_PLACES: ReadonlyMap<number, number> = new Map([
  [1, 16],
  [9, 4],
]);

/** Whether the processor convolves `x` sooner by one product of matrices, in float32: large kernels, tiny pictures. */
function isSoonerProduct(x: Tensor, kernel: Float<"out in kh kw">, stride: number): boolean {
  if (kernel.size < LARGE_KERNEL || x.device !== "cpu" || computingType(x.device) !== "float32")
    return false;
  const [, , kh = 0, kw = 0] = kernel.shape;
  const [, , h = 0, w = 0] = x.shape;
  return (h * w) / stride ** 2 <= (FEW_PLACES.get(kh * kw) ?? 0);
}

/** A convolution as the product of its kernel with the places that each result reads. */
function convolveByProduct(
  x: Float<"b in h w">,
  kernel: Float<"out in kh kw">,
  { stride, padding, bias }: ConvolutionGeometry & { readonly bias: Float<"out"> | null },
): Float<"b out h w"> {
  const { b, h, w } = dims(x, "b _ h w");
  const { out, kh, kw } = dims(kernel, "out _ kh kw");
  const [rows, columns] = [[h, kh] as const, [w, kw] as const].map(
    ([side, places]) => Math.floor((side + 2 * padding - places) / stride) + 1,
  );
  const read = dispatch("aten::im2col", x, [kh, kw], [1, 1], [padding, padding], [stride, stride]);
  // in rows of one matrix: a view of three axes would be multiplied picture by picture
  const places = read.transpose(1, 2).reshape([b * rows! * columns!, -1]);
  const results = dispatch("aten::linear", places, kernel.reshape([out, -1]), bias);
  return results.reshape([b, -1, out]).transpose(1, 2).reshape([b, out, rows!, columns!]);
}

/** A 1-D convolution along the axis before the last, separately at every place of the last, keeping its length. */
export class Conv1d extends Module {
  readonly weight: Float<"out in k">;
  readonly bias: Float<"out">;
  readonly #padding: number;

  constructor(rng: Rng, inputs: number, outputs: number, { kernel = 3 } = {}) {
    super();
    this.weight = fanInUniform(rng.split("weight"), [outputs, inputs, kernel], inputs * kernel);
    this.bias = fanInUniform(rng.split("bias"), [outputs], inputs * kernel);
    this.#padding = Math.floor(kernel / 2);
  }

  forward(x: Float<"b in n m">): Float<"b out n m"> {
    const sides = [this.#padding, 0];
    return withWeight(this.weight, (kernel) =>
      dispatch("aten::conv2d", x, kernel.unsqueeze(3), this.bias, [1, 1], sides),
    );
  }
}

/** Doubles height and width, every pixel repeated. */
export function upsampleNearest(x: Float<"b c h w">): Float<"b c 2h 2w"> {
  return dispatch("aten::upsample_nearest2d.vec", x, null, [2, 2]);
}

/** Squares of `side` × `side` places become the channels of one place; 1 leaves `x` alone. */
export function pixelUnshuffle(x: Float<"b c h w">, side: number): Float<"b _ _ _"> {
  return side > 1 ? dispatch("aten::pixel_unshuffle", x, side) : x;
}

/** The inverse of `pixelUnshuffle`. */
export function pixelShuffle(x: Float<"b c h w">, side: number): Float<"b _ _ _"> {
  return side > 1 ? dispatch("aten::pixel_shuffle", x, side) : x;
}

/** Pads the last two axes with zeros: left, right, top, bottom. */
export function zeroPad(
  x: Float<"b c h w">,
  sides: readonly [number, number, number, number],
): Float<"b c h w"> {
  return dispatch("aten::constant_pad_nd", x, sides, 0);
}
