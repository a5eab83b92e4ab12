import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { watchGradient } from "../../engine/autodiff.ts";
import { ConfigError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { holdingFirstFrames } from "../stack/student.ts";
import type { StackedCondition } from "../stack/teachers.ts";
import type { DistillationConfig, ScoreDistillationConfig, Term } from "./distillation-config.ts";
import { kBinSample, kBinTimes } from "./k-bin.ts";
import { addNoise, scoreDistillation } from "./score-distillation.ts";
import { startNoise } from "./start-noise.ts";
import type { Teachers, TeacherSamples } from "./teacher-samples.ts";

/** Named scalar terms, by the paper's names: `sdsEdit`, `genVideo`, `criticEdit`. */
export type Terms = Readonly<Record<string, Float<"">>>;

/** The inputs of one iteration (§4: `c_out`, `c_instruct`, `c_vid`), for one clip or more. No edited clip is among them. */
export interface EditPoint {
  readonly condition: StackedCondition;
  /** The teachers' samples for this condition, where critics judge. */
  readonly real: TeacherSamples | null;
}

/** Who takes part: the student φ, and the frozen teachers ψ and ρ, guided as they are to score. */
export interface Cast {
  readonly student: Denoiser<StackedCondition>;
  readonly teachers: Teachers;
  /** Told how large the gradient of a term is at the student's edit, when a backward pass comes there. */
  readonly onGradient?: (term: Term, norm: number) => void;
}

/** The student's edit as `term` sees it: the very same, watched where anybody listens. */
export function asSeenBy(
  { onGradient }: Pick<Cast, "onGradient">,
  term: Term,
  x0: Float<"(b f) c h w">,
): Float<"(b f) c h w"> {
  if (!onGradient) return x0;
  return watchGradient(x0, (gradient) => onGradient(term, gradient.norm().item()));
}

/** One family of terms of the loss, evaluated on the student's edit `x0`. */
export type Objective = (cast: Cast, x0: Float<"(b f) c h w">, point: EditPoint, rng: Rng) => Terms;

/** `L_SDS-Edit` and `L_SDS-Video`, those that `terms` names, on the same noised samples for both teachers (§3.2). */
export function distil(
  schedule: Schedule,
  config: ScoreDistillationConfig,
  terms: readonly Term[],
): Objective {
  return (cast, x0, { condition }, rng) => {
    const options = { schedule, config };
    const noised = addNoise(x0, rng.split("score distillation"), options);
    const by = { sdsEdit: cast.teachers.edit, sdsVideo: cast.teachers.video };
    const scored = (["sdsEdit", "sdsVideo"] as const).filter((term) => terms.includes(term));
    return Object.fromEntries(
      scored.map((term) => {
        const teacher: Denoiser<StackedCondition> = by[term];
        const seen = asSeenBy(cast, term, x0);
        const losses = noised.map((sample) =>
          scoreDistillation(teacher, { ...sample, x0: seen }, condition, options),
        );
        return [term, Tensor.stack(losses, 0).mean()];
      }),
    );
  };
}

/** A stretch of the training with the objectives that count in it. */
export interface Phase {
  readonly name: string;
  /** The step with which it begins, counted from 0. */
  readonly from: number;
  readonly objectives: readonly Objective[];
}

/**
 * The critics' part of an iteration: they only `learn`, or they also `judge` the student.
 *
 * Its terms are `genEdit`, `genVideo`, `criticEdit`, `criticVideo`, and what is watched of them.
 */
export type Adversary = (role: "learn" | "judge") => Objective;

/**
 * The schedule of the paper (§4): similarity first, realism last.
 *
 * `distil` has score distillation alone; in `warm up`, where the config asks for one, the critics learn what the
 * student does; in `sharpen` they judge it. Without any term of one kind its phases go.
 */
export function phases(
  schedule: Schedule,
  config: Pick<
    DistillationConfig,
    "terms" | "scoreDistillation" | "adversarialFrom" | "criticWarmup"
  >,
  adversary: Adversary | null,
): readonly Phase[] {
  const { terms, scoreDistillation: settings, adversarialFrom, criticWarmup } = config;
  const isScored = terms.some((term) => term.startsWith("sds"));
  const score = isScored ? [distil(schedule, settings, terms)] : [];
  if (!terms.some((term) => term.startsWith("gen")))
    return [{ name: "distil", from: 0, objectives: score }];
  if (!adversary)
    throw new ConfigError(`expected critics for the terms ${terms.join(", ")}, got none`);
  const sharpen = { name: "sharpen", objectives: [...score, adversary("judge")] };
  if (!isScored) return [{ ...sharpen, from: 0 }];
  const all = [
    { name: "distil", from: 0, objectives: score },
    {
      name: "warm up",
      from: Math.max(0, adversarialFrom - criticWarmup),
      objectives: [...score, adversary("learn")],
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
  readonly config: Pick<
    DistillationConfig,
    "kBin" | "noise" | "temperature" | "holdFirstFrame" | "recompute"
  >;
  readonly rng: Rng;
}

/** The student's edit `x'_0` of the clips of `condition`: from noise through k bins, differentiable (§3.2, §3.3). */
export function studentEdit(
  student: Denoiser<StackedCondition>,
  condition: StackedCondition,
  { schedule, config, rng }: StudentOptions,
): Float<"(b f) c h w"> {
  const xT = startNoise(condition, config.noise, rng.split("noise"), config.temperature);
  const times = kBinTimes(schedule, config.kBin, rng.split("times"));
  const drawing = config.holdFirstFrame ? holdingFirstFrames(student, xT, schedule) : student;
  return kBinSample(drawing, xT, condition, {
    schedule,
    times,
    recompute: config.recompute,
  });
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
