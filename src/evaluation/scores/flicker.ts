import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";

/**
 * How wrongly a clip changes over time: the mean of `|Δ_t output − Δ_t truth|`, values in [0, 1].
 *
 * A constant error costs nothing, and motion that is in the truth costs nothing either.
 */
export function flickerError(output: Float<"f 3 h w">, truth: Float<"f 3 h w">): number {
  using _ = tensorScope();
  const { f, h, w } = dims(truth, "f 3 h w");
  dims(output, `${f} 3 ${h} ${w}`);
  if (f < 2)
    throw new ShapeError(
      `expected a clip of at least 2 frames, got ${f}: one frame cannot flicker`,
    );
  const error = output.sub(truth);
  const change = error.narrow(0, 1, f - 1).sub(error.narrow(0, 0, f - 1));
  return change.abs().mean().item();
}
