import { dtypeBytes, type DType } from "../engine/dtype.ts";
import { tensorScope } from "../engine/scope.ts";
import { Conv2d } from "./conv.ts";
import { modulesOf } from "./module-map.ts";
import type { Module } from "./module.ts";
import { canPack, isPacked, packedKernel } from "./packed-kernel.ts";

/** What kernels are packed in. */
export type PackedType = Extract<DType, "float32" | "bfloat16">;

/** Values from which on laying a kernel out takes noticeable time. */
const LARGE = 1 << 20;

/** How large kernels are packed. */
export interface Packing {
  /** What the network is computed in. */
  readonly dtype: PackedType;
  /**
   * Bytes that packed kernels may take beyond what they took: those of a file in half precision take twice as much in
   * float32. Kernels beyond it are left alone; by default all that would take more.
   */
  readonly spareBytes?: number;
}

/**
 * Packs the large kernels of a frozen network on the CPU: once, instead of in every forward pass. Gradients cannot pass
 * through such a network. Returns the bytes that they take beyond what they took.
 *
 * Stored kernels are freed. Pages of a file that kernels were mapped from stay until the system wants their memory.
 * Worth it for small pictures (docs/speed.md).
 */
export function packConvolutions(network: Module, { dtype, spareBytes = 0 }: Packing): number {
  let taken = 0;
  if (!canPack()) return taken;
  for (const layer of modulesOf(network, Conv2d).values()) {
    const { weight, geometry } = layer;
    const isSmall = weight.size < LARGE || weight.shape[2] === 1;
    if (weight.device !== "cpu" || isSmall || isPacked(weight)) continue;
    const more = weight.size * (dtypeBytes(dtype) - dtypeBytes(weight.dtype));
    if (more > 0 && taken + more > spareBytes) continue;
    taken += more;
    Reflect.set(layer, "weight", packedKernel(weight, geometry, dtype));
    using scope = tensorScope();
    scope.adopt(weight);
  }
  return taken;
}
