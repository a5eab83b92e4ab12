import type { Tensor } from "../engine/tensor.ts";

/** What takes a tensor and gives another. */
interface Layer {
  forward(x: Tensor): Tensor;
}

/** `layers` as steps of `inTurn`: one after another, each freed behind the next. */
export function layerSteps(layers: readonly Layer[]): ((x: Tensor) => Tensor)[] {
  return layers.map((layer) => (x) => layer.forward(x));
}
