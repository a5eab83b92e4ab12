import { checkpoint } from "../../engine/checkpoint.ts";
import { scoped } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import type { ApplyLayer } from "../../nn/lora.ts";
import type { Module } from "../../nn/module.ts";

/**
 * What a video adapter does inside an image network: asked behind the layers that see one frame at a time.
 *
 * A value for one clip length; `TemporalLayers.on` and `MotionAdapter.on` make it.
 */
export interface TemporalHooks {
  /**
   * What becomes of `h` behind `layer`: the network's first convolution, each of a ResNet's two, each ResNet with its
   * shortcut added, and each spatial transformer.
   */
  behind(layer: Module, h: Float<"(b f) c h w">): Float<"(b f) c h w">;
}

/** What one evaluation of the network carries to every layer. */
export type Pass = {
  /** The time vector behind its SiLU: what each ResNet projects. */
  readonly time: Float<"b e">;
  /** Text tokens; fewer entries than `b` are shared by consecutive ones. */
  readonly text: Float<"_ n d">;
  readonly apply: ApplyLayer;
  readonly temporal: TemporalHooks | null;
  /** Whether the backward pass computes each layer again, so that memory holds the states between layers alone. */
  readonly recompute: boolean;
};

/** What one layer makes of `states`: of the state before it, and of one of the way down. */
export function evaluated(
  pass: Pass,
  layer: (pass: Pass, ...states: Tensor[]) => Tensor,
  ...states: readonly Tensor[]
): Tensor {
  if (!pass.recompute) return scoped(() => layer(pass, ...states));
  const again = (time: Tensor, ...own: Tensor[]): Tensor => layer({ ...pass, time }, ...own);
  return checkpoint(again, pass.time, ...states);
}
