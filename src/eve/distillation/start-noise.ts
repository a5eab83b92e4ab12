import { atTemperature } from "../../diffusion/temperature.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { normal, type Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditCondition } from "../stack/teachers.ts";
import type { DistillationConfig } from "./distillation-config.ts";

/**
 * The noise that the frames of the clips of a condition start from, each clip from its own.
 *
 * `shared`: one for all frames of a clip; `both`: one half of all draws are. `temperature` is 1 by default.
 */
export function startNoise(
  { input, caption }: Pick<EditCondition, "input" | "caption">,
  mode: DistillationConfig["noise"],
  rng: Rng,
  temperature?: number,
): Float<"(b f) c h w"> {
  const frames = input.shape[0]! / caption.shape[0]!;
  const isShared = mode === "shared" || (mode === "both" && rng.split("mode").uniform() < 0.5);
  const sources = Array.from({ length: input.shape[0]! }, (_, i) => {
    const clip = rng.split(Math.floor(i / frames));
    return clip.split(isShared ? 0 : i % frames);
  });
  const shape = input.shape.slice(1);
  return noGrad(() => {
    const noise = Tensor.stack(
      sources.map((source) => normal(source, shape)),
      0,
    );
    return atTemperature(noise.toDevice(input.device), temperature);
  });
}
