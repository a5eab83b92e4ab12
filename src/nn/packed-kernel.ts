import { persist, scoped, tensorScope } from "../engine/scope.ts";
import { Tensor, dispatch, type Float } from "../engine/tensor.ts";
import type { DType } from "../engine/dtype.ts";
import { convolveInTiles, kernelForTiles, kernelFromTiles } from "./winograd.ts";

/** How a convolution steps and how far it pads with zeros, the same along both axes. */
export type ConvolutionGeometry = { readonly stride: number; readonly padding: number };

/** Values from which on laying a kernel out for the processor takes noticeable time, and few places are convolved sooner. */
export const LARGE_KERNEL = 1 << 20;

const packed = new WeakSet<Tensor>();
/** Transformed kernels by what stands for them: a kernel of the same shape, without values. */
const tiles = new WeakMap<Tensor, Float<"16 in out">>();

/** Whether `kernel` lies as a convolution reads it (`packedKernel`, `tiledKernel`): its values are `unpacked` alone. */
export function isPacked(kernel: Tensor): boolean {
  return packed.has(kernel) || tiles.has(kernel);
}

/**
 * `kernel` in `dtype`, laid out as the processor's convolution reads it, outliving every scope; for inference alone.
 *
 * libtorch otherwise lays it out anew in every forward pass. That takes as long as it is large, whatever the pictures are:
 * longer than to convolve where they are small.
 */
export function packedKernel(
  kernel: Float<"out in kh kw">,
  { stride, padding }: ConvolutionGeometry,
  dtype: DType,
): Float<"out in kh kw"> {
  const made = scoped(() => {
    const opaque = dispatch("aten::to_mkldnn", kernel.to(dtype));
    const sides = [padding, padding];
    return dispatch(
      "aten::mkldnn_reorder_conv2d_weight",
      opaque,
      sides,
      [stride, stride],
      [1, 1],
      1,
    );
  });
  packed.add(persist(made));
  return made;
}

/** Whether a convolution can be worked off in tiles of pictures: 3×3 places, steps of one, a border of one zero. */
export function hasTiles(
  { shape }: Float<"out in kh kw">,
  { stride, padding }: ConvolutionGeometry,
): boolean {
  return shape[2] === 3 && shape[3] === 3 && stride === 1 && padding === 1;
}

/**
 * `kernel` transformed for tiles of pictures, in float32, outliving every scope; for inference alone.
 *
 * It takes 16/9 of its memory in float32, and convolves with 4/9 of the multiplications (`convolveInTiles`).
 */
export function tiledKernel(kernel: Float<"out in 3 3">): Float<"out in 3 3"> {
  const stand = persist(Tensor.empty(kernel.shape, "float32", "meta"));
  tiles.set(stand, persist(kernelForTiles(kernel)));
  return stand;
}

/** The values of a packed kernel, in rows. */
export function unpacked(kernel: Float<"out in kh kw">): Float<"out in kh kw"> {
  const transformed = tiles.get(kernel);
  return transformed ? kernelFromTiles(transformed) : dispatch("aten::to_dense", kernel);
}

/** Convolves with a packed kernel, in the kernel's type. */
export function convolvePacked(
  x: Float<"b in h w">,
  kernel: Float<"out in kh kw">,
  { stride, padding, bias }: ConvolutionGeometry & { readonly bias: Float<"out"> | null },
): Float<"b out h w"> {
  const { dtype } = kernel;
  const transformed = tiles.get(kernel);
  if (transformed) return scoped(() => convolveInTiles(x.to(dtype), transformed, bias));
  const sides = [padding, padding];
  const steps = [stride, stride];
  return scoped(() =>
    dispatch(
      "aten::mkldnn_convolution",
      x.to(dtype),
      kernel,
      bias?.to(dtype) ?? null,
      sides,
      steps,
      [1, 1],
      1,
    ),
  );
}

let known: boolean | undefined;

/** Whether this libtorch has the processor's own convolution (oneDNN). */
export function canPack(): boolean {
  return (known ??= tryToPack());
}

function tryToPack(): boolean {
  using _ = tensorScope();
  try {
    dispatch("aten::to_mkldnn", Tensor.zeros([1], "float32", "cpu"));
    return true;
  } catch {
    return false;
  }
}
