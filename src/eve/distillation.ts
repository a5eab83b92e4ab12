import { noGrad } from "../engine/autodiff.ts";
import { ConfigError } from "../engine/errors.ts";
import { normal, type Rng } from "../engine/random.ts";
import { Tensor, type Float } from "../engine/tensor.ts";
import type { Denoiser } from "../diffusion/denoiser.ts";
import { guidedTwice } from "../diffusion/guidance.ts";
import type { Schedule } from "../diffusion/schedule.ts";
import type { Parameters } from "../nn/module.ts";
import type { DistillationConfig, ScoreDistillationConfig, Term } from "./distillation-config.ts";
import { kBinSample, kBinTimes } from "./k-bin.ts";
import { addNoise, scoreDistillation } from "./score-distillation.ts";
import { holdingFirstFrames } from "./student.ts";
import {
  editTeacher,
  videoTeacher,
  type EditCondition,
  type Networks,
  type StackedCondition,
  type VideoCondition,
} from "./teachers.ts";

/** Named scalar terms, by the paper's names: `sdsEdit`, `genVideo`, `criticEdit`. */
export type Terms = Readonly<Record<string, Float<"">>>;

/** What the teachers draw from noise: the critics' real samples (§3.2). */
export interface TeacherSamples {
  /** `x'_ψ`: the edit teacher's. */
  readonly edit: Float<"(b f) c h w">;
  /** `x'_ρ`: the video teacher's. */
  readonly video: Float<"(b f) c h w">;
}

/** The inputs of one iteration (§4: `c_out`, `c_instruct`, `c_vid`), for one clip or more. No edited clip is among them. */
export interface EditPoint {
  readonly condition: StackedCondition;
  /** The teachers' samples for this condition, where critics judge. */
  readonly real: TeacherSamples | null;
}

/** Who takes part: the student φ, and the frozen teachers ψ and ρ, guided as they are to score. */
export interface Cast {
  readonly student: Denoiser<StackedCondition>;
  readonly teachers: {
    readonly edit: Denoiser<EditCondition>;
    readonly video: Denoiser<VideoCondition>;
  };
}

/** One family of terms of the loss, evaluated on the student's edit `x0`. */
export type Objective = (cast: Cast, x0: Float<"(b f) c h w">, point: EditPoint, rng: Rng) => Terms;

/** Both teachers of `networks`, guided as `config` says. */
export function guidedTeachers(
  networks: Networks,
  { guideEdit, guideVideo }: Pick<ScoreDistillationConfig, "guideEdit" | "guideVideo">,
): Cast["teachers"] {
  return {
    edit: guidedTwice(editTeacher(networks), {
      imageScale: guideEdit.image,
      textScale: guideEdit.text,
      withoutText: (condition) => condition.withoutText(),
      unconditional: (condition) => condition.withoutText().withoutImage(),
    }),
    video: guidedTwice(videoTeacher(networks), {
      imageScale: guideVideo.image,
      textScale: guideVideo.text,
      withoutText: (condition) => condition.withoutText(),
      unconditional: (condition) => condition.withoutText().withoutImage(),
    }),
  };
}

/** `L_SDS-Edit` and `L_SDS-Video`, those that `terms` names, on one noised sample that both teachers see (§3.2). */
export function distil(
  schedule: Schedule,
  config: ScoreDistillationConfig,
  terms: readonly Term[],
): Objective {
  return ({ teachers }, x0, { condition }, rng) => {
    const options = { schedule, config };
    const noised = addNoise(x0, rng.split("score distillation"), options);
    return {
      ...(terms.includes("sdsEdit") && {
        sdsEdit: scoreDistillation(teachers.edit, noised, condition, options),
      }),
      ...(terms.includes("sdsVideo") && {
        sdsVideo: scoreDistillation(teachers.video, noised, condition, options),
      }),
    };
  };
}

/** D_e or D_v: says of clips whether a teacher or the student drew them (§3.2); high is a teacher. */
export interface Critic<Scores> {
  /** What it learns by; frozen features are not among them. */
  readonly trainable: Parameters;
  /** Its scores of latents, under the condition that they were drawn from; random augmentation depends on `rng`. */
  score(x0: Float<"(b f) c h w">, condition: StackedCondition, rng: Rng): Scores;
}

/** Both critics, with the losses that they and the student have from scores. */
export interface Critics<Scores = Float> {
  readonly edit: Critic<Scores>;
  readonly video: Critic<Scores>;
  /** `L_G`: low where the student is taken for a teacher. */
  readonly generatorLoss: (fake: Scores) => Float<"">;
  /** `L_D`: low where both are told apart. */
  readonly criticLoss: (real: Scores, fake: Scores) => Float<"">;
}

/**
 * `L_G-Edit` and `L_G-Video`, those that `terms` names (§3.2).
 *
 * The critics are constants here: whoever differentiates the sum of all terms moves the student by these and the
 * critics by `criticism`. Their evaluation must not be checkpointed, for its replay would see them trainable.
 */
export function adversarial<Scores>(critics: Critics<Scores>, terms: readonly Term[]): Objective {
  const { edit, video, generatorLoss } = critics;
  const lossBy = (critic: Critic<Scores>, x0: Tensor, { condition }: EditPoint, rng: Rng) =>
    asConstants(critic.trainable, () => generatorLoss(critic.score(x0, condition, rng)));
  return (_, x0, point, rng) => ({
    ...(terms.includes("genEdit") && {
      genEdit: lossBy(edit, x0, point, rng.split("genEdit")),
    }),
    ...(terms.includes("genVideo") && {
      genVideo: lossBy(video, x0, point, rng.split("genVideo")),
    }),
  });
}

/** `L_D-Edit` and `L_D-Video` (§3.2) of the critics whose `gen` term is named; nothing reaches the student. */
export function criticism<Scores>(critics: Critics<Scores>, terms: readonly Term[]): Objective {
  const { edit, video, criticLoss } = critics;
  const lossOf = (
    critic: Critic<Scores>,
    [real, fake]: readonly [Tensor, Tensor],
    { condition }: EditPoint,
    rng: Rng,
  ): Float<""> =>
    criticLoss(
      critic.score(real, condition, rng.split("real")),
      critic.score(fake.detach(), condition, rng.split("fake")),
    );
  return (_, x0, point, rng) => {
    const { real } = point;
    if (!real)
      throw new ConfigError(
        "expected samples of the teachers for the critics to compare, got none",
      );
    return {
      ...(terms.includes("genEdit") && {
        criticEdit: lossOf(edit, [real.edit, x0], point, rng.split("criticEdit")),
      }),
      ...(terms.includes("genVideo") && {
        criticVideo: lossOf(video, [real.video, x0], point, rng.split("criticVideo")),
      }),
    };
  };
}

function asConstants<T>(weights: Parameters, work: () => T): T {
  const leaves = [...weights.values()].filter(({ requiresGrad }) => requiresGrad);
  for (const leaf of leaves) leaf.setRequiresGrad(false);
  try {
    return work();
  } finally {
    for (const leaf of leaves) leaf.setRequiresGrad(true);
  }
}

/** A stretch of the training with the objectives that count in it. */
export interface Phase {
  readonly name: string;
  /** The step with which it begins, counted from 0. */
  readonly from: number;
  readonly objectives: readonly Objective[];
}

/**
 * The schedule of the paper (§4): similarity first, realism last.
 *
 * `distil` has score distillation alone; in `warm up`, where the config asks for one, the critics learn what the
 * student does; in `sharpen` they judge it. Terms that are left out leave their objective, and empty phases go.
 */
export function phases<Scores>(
  schedule: Schedule,
  config: Pick<
    DistillationConfig,
    "terms" | "scoreDistillation" | "adversarialFrom" | "criticWarmup"
  >,
  critics: Critics<Scores> | null,
): readonly Phase[] {
  const { terms, scoreDistillation: settings, adversarialFrom, criticWarmup } = config;
  const score = terms.some((term) => term.startsWith("sds"))
    ? [distil(schedule, settings, terms)]
    : [];
  if (!terms.some((term) => term.startsWith("gen")))
    return [{ name: "distil", from: 0, objectives: score }];
  if (!critics)
    throw new ConfigError(`expected critics for the terms ${terms.join(", ")}, got none`);
  const judge = adversarial(critics, terms);
  const learn = criticism(critics, terms);
  const sharpen = { name: "sharpen", objectives: [...score, judge, learn] };
  if (score.length === 0) return [{ ...sharpen, from: 0 }];
  const all = [
    { name: "distil", from: 0, objectives: score },
    {
      name: "warm up",
      from: Math.max(0, adversarialFrom - criticWarmup),
      objectives: [...score, learn],
    },
    { ...sharpen, from: adversarialFrom },
  ];
  return all.filter(({ from }, i) => from < (all[i + 1]?.from ?? Infinity));
}

/** The phase that `step` falls into. */
export function phaseAt(all: readonly Phase[], step: number): Phase {
  return all.findLast(({ from }) => from <= step)!;
}

/** How the student draws in one iteration. */
export interface StudentOptions {
  readonly schedule: Schedule;
  readonly config: Pick<DistillationConfig, "kBin" | "noise" | "holdFirstFrame">;
  readonly rng: Rng;
}

/** The student's edit `x'_0` of the clips of `condition`: from noise through k bins, differentiable (§3.2, §3.3). */
export function studentEdit(
  student: Denoiser<StackedCondition>,
  condition: StackedCondition,
  { schedule, config, rng }: StudentOptions,
): Float<"(b f) c h w"> {
  const xT = startNoise(condition, config.noise, rng.split("noise"));
  const times = kBinTimes(schedule, config.kBin, rng.split("times"));
  const drawing = config.holdFirstFrame ? holdingFirstFrames(student, xT, schedule) : student;
  return kBinSample(drawing, xT, condition, { schedule, times });
}

/** The student's side of one iteration (§3.2): draw through k bins, then let every objective judge. */
export function studentLosses(
  cast: Cast,
  objectives: readonly Objective[],
  point: EditPoint,
  options: StudentOptions,
): Terms {
  const x0 = studentEdit(cast.student, point.condition, options);
  const judging = options.rng.split("judge");
  return Object.fromEntries(
    objectives.flatMap((judge) => Object.entries(judge(cast, x0, point, judging))),
  );
}

/** The noise that the frames of clips start from. */
function startNoise(
  { input, caption }: StackedCondition,
  mode: DistillationConfig["noise"],
  rng: Rng,
): Float<"(b f) c h w"> {
  const frames = input.shape[0]! / caption.shape[0]!;
  const isShared = mode === "shared" || (mode === "both" && rng.split("mode").uniform() < 0.5);
  const sources = Array.from({ length: input.shape[0]! }, (_, i) => {
    const clip = rng.split(Math.floor(i / frames));
    return clip.split(isShared ? 0 : i % frames);
  });
  const shape = input.shape.slice(1);
  return noGrad(() =>
    Tensor.stack(
      sources.map((source) => normal(source, shape)),
      0,
    ).toDevice(input.device),
  );
}
