import { dims } from "../engine/axes.ts";
import { dispatch, type Float } from "../engine/tensor.ts";

/** A pixel belongs to the changed region where any channel of truth and input differs by more than this. */
const CHANGE = 0.1;

/** 1 where the edit changes a pixel, else 0; values in [0, 1]. */
export function changedRegion(input: Float<"f 3 h w">, truth: Float<"f 3 h w">): Float<"f 1 h w"> {
  const difference = truth.sub(input).abs();
  return dispatch("aten::amax", difference, [1], true).gt(CHANGE).to("float32");
}

/** The mean of `values` over a region of ones, per channel; null where the region is empty. */
export function regionMean(values: Float<"f 3 h w">, region: Float<"f 1 h w">): number | null {
  const { f, h, w } = dims(values, "f 3 h w");
  dims(region, `${f} 1 ${h} ${w}`);
  const pixels = region.sum().item();
  return pixels === 0 ? null : values.mul(region).sum().item() / (3 * pixels);
}
