import type { TextCache } from "../../data/caches/text-cache.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { spacingOf } from "../../diffusion/timesteps.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float, Pixels } from "../../engine/tensor.ts";
import { startNoise } from "../../eve/distillation/start-noise.ts";
import { holdingFirstFrames } from "../../eve/stack/student.ts";
import { stacked, type Networks, type StackedCondition } from "../../eve/stack/teachers.ts";
import type { Sample } from "../stage.ts";
import { pointOf, type DistillationInputs } from "./distillation-inputs.ts";
import type { DistillationSettings } from "./distillation-settings.ts";

/** What the samples of distillation are drawn with. */
export interface AlignmentKit {
  readonly networks: Networks;
  /** Latents to pixels. */
  readonly decode: (latents: Float<"f c h w">) => Pixels<"f 3 _ _">;
  readonly texts: TextCache;
  readonly held: DistillationInputs;
  /** By whose temperature and times the samples are drawn. */
  readonly settings: Pick<DistillationSettings, "temperature" | "samples">;
}

/** Clips on the sheet. */
const CLIPS = 3;
/** Steps of each sample where the settings list no times. */
const STEPS = 3;

/** Held clips over time under their instructions: what came in, both adapters stacked, and the student, from one noise. */
export function drawAlignment(
  { networks, decode, texts, held, settings }: AlignmentKit,
  student: Denoiser<StackedCondition>,
): Sample[] {
  const { schedule } = networks;
  const { times } = settings.samples;
  const steps = times?.length ?? STEPS;
  const options = { schedule, steps, spacing: spacingOf(steps, times) };
  using scope = tensorScope();
  const indices = held.clips.firstIndices(CLIPS);
  const rows = indices.flatMap((index) => {
    const { condition } = pointOf(held, texts, [index]);
    const source = Rng.seed(0).split("drawing").split(index);
    const xT = startNoise(condition, "independent", source, settings.temperature);
    const edit = (denoiser: Denoiser<StackedCondition>): Float<"f c h w"> =>
      finish(ddim(holdingFirstFrames(denoiser, xT, schedule), xT, condition, options));
    const clips = [condition.input, edit(stacked(networks)), noGrad(() => edit(student))];
    return clips.map((clip) => framesOf(noGrad(() => decode(clip).clamp(-1, 1))));
  });
  for (const picture of rows.flat()) scope.passOutward(picture);
  const labels = indices.flatMap((index) => [
    `"${held.clips.text(index).instruction}" – input`,
    "both adapters, stacked",
    "the student",
  ]);
  return [{ type: "sheet", name: "alignment", rows, labels }];
}

function framesOf(pixels: Pixels<"f 3 h w">): Pixels<"3 h w">[] {
  return Array.from({ length: pixels.shape[0]! }, (_, frame) => pixels.select(0, frame));
}
