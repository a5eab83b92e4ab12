import type { Rng } from "../engine/random.ts";
import type { Float } from "../engine/tensor.ts";
import type { Denoiser } from "../diffusion/denoiser.ts";
import { guidedTwice } from "../diffusion/guidance.ts";
import { ddim, finish } from "../diffusion/samplers.ts";
import type { Schedule } from "../diffusion/schedule.ts";
import type { TeacherSampleConfig } from "./distillation-config.ts";
import { startNoise } from "./start-noise.ts";
import { holdingFirstFrames } from "./student.ts";
import {
  editTeacher,
  videoTeacher,
  type Droppable,
  type EditCondition,
  type Networks,
  type StackedCondition,
  type VideoCondition,
} from "./teachers.ts";

/** The frozen teachers ψ and ρ (§3.1). */
export interface Teachers {
  readonly edit: Denoiser<EditCondition>;
  readonly video: Denoiser<VideoCondition>;
}

/** Both teachers of `networks`, guided as `config` says. */
export function guidedTeachers(
  networks: Networks,
  { guideEdit, guideVideo }: Pick<TeacherSampleConfig, "guideEdit" | "guideVideo">,
): Teachers {
  return {
    edit: guided(editTeacher(networks), guideEdit),
    video: guided(videoTeacher(networks), guideVideo),
  };
}

function guided<Condition extends Droppable>(
  teacher: Denoiser<Condition>,
  { image, text }: TeacherSampleConfig["guideEdit"],
): Denoiser<Condition> {
  return guidedTwice(teacher, {
    imageScale: image,
    textScale: text,
    withoutText: (condition) => condition.withoutText(),
    unconditional: (condition) => condition.withoutText().withoutImage(),
  });
}

/** What the teachers draw from noise: the critics' real samples (§3.2). */
export interface TeacherSamples {
  /** `x'_ψ`: the edit teacher's. */
  readonly edit: Float<"(b f) c h w">;
  /** `x'_ρ`: the video teacher's. */
  readonly video: Float<"(b f) c h w">;
}

/** How teachers draw. */
export interface TeacherSampleOptions {
  readonly schedule: Schedule;
  readonly steps: number;
  readonly rng: Rng;
}

/** The frames of `condition.input`, each edited by itself: for first frames, one for each clip (§4). */
export function drawEdits(
  teacher: Denoiser<EditCondition>,
  condition: EditCondition,
  { schedule, steps, rng }: TeacherSampleOptions,
): Float<"(b f) c h w"> {
  const xT = startNoise(condition, "independent", rng);
  return finish(ddim(teacher, xT, condition, { schedule, steps }));
}

/**
 * `x'_ψ` and `x'_ρ` for the clips of `condition` (§3.2), by DDIM of each teacher alone.
 *
 * With `holdFirstFrame` the video teacher's clips begin with the condition's first frames, as the student's do.
 */
export function drawTeacherSamples(
  teachers: Teachers,
  condition: StackedCondition,
  { schedule, steps, rng, holdFirstFrame }: TeacherSampleOptions & { holdFirstFrame: boolean },
): TeacherSamples {
  const edit = drawEdits(teachers.edit, condition, { schedule, steps, rng: rng.split("edit") });
  const xT = startNoise(condition, "independent", rng.split("video"));
  const drawing = holdFirstFrame
    ? holdingFirstFrames(teachers.video, xT, schedule)
    : teachers.video;
  return { edit, video: finish(ddim(drawing, xT, condition, { schedule, steps })) };
}
