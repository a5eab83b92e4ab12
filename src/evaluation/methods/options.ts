import type { WorldEdit } from "../../data/world/edits.ts";
import type { Split } from "../../data/world/splits.ts";
import type { Task } from "../../data/world/tasks.ts";
import { readSettings, resolveSettings, temperatureFor } from "../../editing/settings/settings.ts";
import type { EditSettingsInput, ResolvedSettings } from "../../editing/settings/settings.ts";
import { Rng } from "../../engine/random.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import type { MethodName } from "./method-names.ts";

/** How samples are drawn: the editor's own settings. */
export type DrawSettings = Pick<ResolvedSettings, "steps" | "sampler" | "guidance" | "detail"> & {
  /** The model's own where it is absent. */
  readonly temperature?: number | undefined;
  /** The method's own where it is absent. */
  readonly deflicker?: ResolvedSettings["deflicker"] | undefined;
};

/** What is evaluated, and on what. */
export interface EvaluationOptions {
  /** Settings are chosen on validation; the test split is for the result. */
  readonly split: Extract<Split, "validation" | "test">;
  readonly tasks: readonly Task[];
  /** Clips for each task, and scenes for the video adapter. */
  readonly count: number;
  /** Length of a clip. */
  readonly frames: number;
  readonly methods: readonly MethodName[];
  readonly draw: DrawSettings;
  /** Whether the model is told the output caption, as in the paper, or has the instruction alone. */
  readonly isCaptionGiven: boolean;
  readonly seed: number;
}

/** A step of evaluation is done. */
export interface WorkDone {
  /** e.g. `whole clips` */
  readonly phase: string;
  /** What of it, e.g. `stacked · style 3/20`. */
  readonly detail: string;
  readonly step: number;
  /** Frames that went through a denoiser once; the costs of an evaluation count these. */
  readonly frames: number;
}

/** Who watches an evaluation. */
export interface EvaluationContext {
  /** Takes effect after a denoising step. */
  readonly signal?: AbortSignal | undefined;
  readonly onWork?: ((work: WorkDone) => void) | undefined;
}

/** A seed for all noise of one clip of a task: a function of (seed, task, index). */
export function clipSeed(
  { seed }: Pick<EvaluationOptions, "seed">,
  task: string,
  index: number,
): number {
  return Rng.seed(seed)
    .split(task)
    .split(index)
    .integer(2 ** 31);
}

/** The editor's settings for one test edit. */
export function settingsFor(
  model: EvaluatedModel,
  { instruction, outputCaption, task }: WorldEdit,
  { draw, isCaptionGiven }: Pick<EvaluationOptions, "draw" | "isCaptionGiven">,
  own: Required<Pick<EditSettingsInput, "method" | "noise" | "seed">> & {
    readonly window?: number;
  },
): ResolvedSettings {
  const caption = isCaptionGiven ? outputCaption : "";
  const temperature = temperatureFor({ temperature: draw.temperature }, model);
  const settings = readSettings({ instruction, caption, task, ...draw, temperature, ...own });
  return resolveSettings(settings, model);
}
