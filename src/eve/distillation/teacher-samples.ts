import type { Denoiser } from "../../diffusion/denoiser.ts";
import { guidedTwice } from "../../diffusion/guidance.ts";
import { ddim, finish, type DdimOptions } from "../../diffusion/samplers.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { spacingOf } from "../../diffusion/timesteps.ts";
import type { Rng } from "../../engine/random.ts";
import type { Float } from "../../engine/tensor.ts";
import { holdingFirstFrames } from "../stack/student.ts";
import {
  editTeacher,
  videoTeacher,
  type Droppable,
  type EditCondition,
  type Networks,
  type StackedCondition,
  type VideoCondition,
} from "../stack/teachers.ts";
import type { TeacherSampleConfig } from "./distillation-config.ts";
import { startNoise } from "./start-noise.ts";

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
  /** The times of the steps, falling, if they are as many; by default evenly spread. */
  readonly times?: readonly number[] | null;
  /** Default 1. */
  readonly temperature?: number;
  readonly rng: Rng;
}

/** The frames of `condition.input`, each edited by itself: for first frames, one for each clip (§4). */
export function drawEdits(
  teacher: Denoiser<EditCondition>,
  condition: EditCondition,
  { rng, ...options }: TeacherSampleOptions,
): Float<"(b f) c h w"> {
  const xT = startNoise(condition, "independent", rng, options.temperature);
  return finish(ddim(teacher, xT, condition, ddimOptions(options)));
}

/**
 * `x'_ψ` and `x'_ρ` for the clips of `condition` (§3.2), by DDIM of each teacher alone.
 *
 * With `holdFirstFrame` the video teacher's clips begin with the condition's first frames, as the student's do.
 */
export function drawTeacherSamples(
  teachers: Teachers,
  condition: StackedCondition,
  { rng, holdFirstFrame, ...options }: TeacherSampleOptions & { holdFirstFrame: boolean },
): TeacherSamples {
  const edit = drawEdits(teachers.edit, condition, { ...options, rng: rng.split("edit") });
  const xT = startNoise(condition, "independent", rng.split("video"), options.temperature);
  const drawing = holdFirstFrame
    ? holdingFirstFrames(teachers.video, xT, options.schedule)
    : teachers.video;
  return { edit, video: finish(ddim(drawing, xT, condition, ddimOptions(options))) };
}

function ddimOptions({
  schedule,
  steps,
  times,
}: Omit<TeacherSampleOptions, "rng">): Pick<DdimOptions, "schedule" | "steps" | "spacing"> {
  return { schedule, steps, spacing: spacingOf(steps, times) };
}
