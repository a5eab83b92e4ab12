import { dtypeBytes, type DType } from "../engine/dtype.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Conv2d } from "./conv.ts";
import {
  canPack,
  hasTiles,
  LARGE_KERNEL,
  isPacked,
  packedKernel,
  tiledKernel,
} from "./packed-kernel.ts";

/** What kernels are packed in. */
export type PackedType = Extract<DType, "float32" | "bfloat16">;

/** Values from which on a kernel convolves sooner in tiles: below, bringing pictures there takes what it spares. */
const LARGE_FOR_TILES = 1 << 19;

/** How large kernels are packed. */
export interface Packing {
  /** What the network is computed in. */
  readonly dtype: PackedType;
  /**
   * Bytes that packed kernels may take beyond what they took: those of a file in half precision take twice as much in
   * float32, in tiles 16/9 of that. Kernels beyond it are left alone; by default all that would take more.
   */
  readonly spareBytes?: number;
}

/** A way to lay a kernel out, and the bytes that it takes then. */
interface Layout {
  readonly bytes: number;
  readonly make: () => Tensor;
}

/**
 * Lays the large kernels of frozen layers on the CPU out as they are convolved with: once, instead of in every forward
 * pass. Gradients cannot pass through them any more. Returns the bytes that they take beyond what they took.
 *
 * In float32 those of 3×3 places are transformed to be worked off in tiles, as far as `spareBytes` reaches; the others
 * are packed for the processor's own convolution. Layers come first come, first served: put those first that see the
 * largest pictures. Stored kernels are freed. Pages of a file that kernels were mapped from stay until the system wants
 * their memory.
 */
export function packConvolutions(
  layers: Iterable<Conv2d>,
  { dtype, spareBytes = 0 }: Packing,
): number {
  let taken = 0;
  if (!canPack()) return taken;
  for (const layer of layers) {
    const { weight } = layer;
    if (weight.device !== "cpu" || isPacked(weight)) continue;
    const stored = weight.size * dtypeBytes(weight.dtype);
    const fits = ({ bytes }: Layout): boolean =>
      bytes <= stored || taken + bytes - stored <= spareBytes;
    const layout = layoutsOf(layer, dtype).find(fits);
    if (!layout) continue;
    taken += layout.bytes - stored;
    Reflect.set(layer, "weight", layout.make());
    using scope = tensorScope();
    scope.adopt(weight);
  }
  return taken;
}

/** How `layer`'s kernel may be laid out, quickest first. */
function layoutsOf({ weight, geometry }: Conv2d, dtype: PackedType): Layout[] {
  const bytes = weight.size * dtypeBytes(dtype);
  const isTiled =
    dtype === "float32" && weight.size >= LARGE_FOR_TILES && hasTiles(weight, geometry);
  const isLaidOut = weight.size >= LARGE_KERNEL && weight.shape[2] !== 1;
  return [
    ...(isTiled ? [{ bytes: (bytes / 9) * 16, make: () => tiledKernel(weight) }] : []),
    ...(isLaidOut ? [{ bytes, make: () => packedKernel(weight, geometry, dtype) }] : []),
  ];
}
