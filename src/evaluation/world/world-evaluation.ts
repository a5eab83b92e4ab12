import { twinsWithoutNoise, type AskedMethods } from "../methods/asked-methods.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import { hasPart, METHODS } from "../methods/methods.ts";
import type { EvaluationOptions } from "../methods/options.ts";
import type { TaskSummary } from "../statistics/summary.ts";
import { evaluateAutoencoder, type AutoencoderFidelity } from "./autoencoder-fidelity.ts";
import {
  clipsCost,
  evaluateClips,
  type ClipsContext,
  type ClipsReport,
  type MethodSummaries,
} from "./clips.ts";
import { evaluateSingleFrames, singleFramesCost, type FramesContext } from "./single-frames.ts";
import { evaluateVideo, videoCost, type VideoFlicker } from "./video-flicker.ts";

/** What can be measured, in the order in which it is. */
export const MEASUREMENTS = ["autoencoder", "single", "video", "clips"] as const;
/** The name of a measurement. */
export type Measurement = (typeof MEASUREMENTS)[number];

/** Everything that was measured on the generated world. */
export interface WorldReport {
  readonly split: EvaluationOptions["split"];
  /** Clips edited by each method, over all tasks. */
  readonly clips: number;
  readonly model: { readonly name: string; readonly hash: string };
  readonly settings: EvaluationOptions["draw"] &
    Pick<EvaluationOptions, "count" | "frames" | "isCaptionGiven" | "seed">;
  readonly methods: MethodSummaries;
  /** The aligned editor beside every other, clip by clip. */
  readonly comparisons: ClipsReport["comparisons"];
  readonly autoencoder?: AutoencoderFidelity;
  readonly single?: TaskSummary;
  readonly video?: VideoFlicker;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** The measurements that `model` has the parts for. */
function possible(model: EvaluatedModel, wanted: readonly Measurement[]): Measurement[] {
  return MEASUREMENTS.filter(
    (name) => wanted.includes(name) && (name !== "video" || model.hasVideoAdapter),
  );
}

/** Frames that an evaluation sends through a denoiser: what its progress counts. */
export function evaluationCost(
  model: EvaluatedModel,
  options: EvaluationOptions,
  wanted: readonly Measurement[],
): number {
  const costs: Readonly<Record<Measurement, () => number>> = {
    autoencoder: () => 0,
    single: () => singleFramesCost(options),
    video: () => videoCost(model, options),
    clips: () => clipsCost(model, options),
  };
  return possible(model, wanted).reduce((sum, name) => sum + costs[name](), 0);
}

/** Measures a model on the generated world. */
export async function evaluateWorld(
  model: EvaluatedModel,
  options: EvaluationOptions,
  wanted: readonly Measurement[],
  context: ClipsContext & FramesContext = {},
): Promise<WorldReport> {
  const has = new Set(possible(model, wanted));
  const { split, draw, count, frames, isCaptionGiven, seed } = options;
  const parts = {
    ...(has.has("autoencoder") && {
      autoencoder: await evaluateAutoencoder(model, options, context),
    }),
    ...(has.has("single") && { single: await evaluateSingleFrames(model, options, context) }),
    ...(has.has("video") && { video: await evaluateVideo(model, options, context) }),
  };
  const { methods, comparisons }: ClipsReport = has.has("clips")
    ? await evaluateClips(model, options, context)
    : { methods: {}, comparisons: [] };
  return {
    split,
    clips: has.has("clips") ? options.tasks.length * count : 0,
    model: { name: model.name, hash: model.hash },
    settings: { ...draw, count, frames, isCaptionGiven, seed },
    methods,
    comparisons,
    ...parts,
    notes: leftOut(model, options, wanted),
  };
}

/** What is not measured of what was asked for, in sentences: what this model has no part for, or what would be the same twice. */
export function leftOut(
  model: EvaluatedModel,
  options: AskedMethods,
  wanted: readonly Measurement[],
): string[] {
  const lacking = (["video adapter", "alignment"] as const).flatMap((part) => {
    if (hasPart(model, part)) return [];
    const needing = options.methods.filter((name) => METHODS[name].needs === part);
    const missing = [
      ...(wanted.includes("clips") ? needing : []),
      ...(wanted.includes("video") && part === "video adapter" ? ["video"] : []),
    ];
    if (missing.length === 0) return [];
    return [`${model.name} has no ${part}: ${missing.join(", ")} left out`];
  });
  const twins = wanted.includes("clips")
    ? twinsWithoutNoise(model, options).filter((name) => hasPart(model, METHODS[name].needs))
    : [];
  if (twins.length === 0) return lacking;
  const sentence = `without noise, whose it is makes no difference: ${twins.join(", ")} left out`;
  return [...lacking, sentence];
}
