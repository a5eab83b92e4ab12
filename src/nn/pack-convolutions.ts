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

/**
 * Packs the large kernels of a frozen network on the CPU in `dtype`, which it is computed in: once, instead of in every
 * forward pass. Gradients cannot pass through such a network.
 *
 * Stored kernels are freed. Pages of a file that kernels were mapped from stay until the system wants their memory.
 * Kernels that would take more memory than they do now are left alone. Worth it for small pictures (docs/speed.md).
 */
export function packConvolutions(network: Module, dtype: PackedType): void {
  if (!canPack()) return;
  for (const layer of modulesOf(network, Conv2d).values()) {
    const { weight, geometry } = layer;
    const isSmall = weight.size < LARGE || weight.shape[2] === 1;
    if (weight.device !== "cpu" || isSmall || isPacked(weight)) continue;
    if (dtypeBytes(dtype) > dtypeBytes(weight.dtype)) continue;
    Reflect.set(layer, "weight", packedKernel(weight, geometry, dtype));
    using scope = tensorScope();
    scope.adopt(weight);
  }
}
