import type { Task } from "../../data/world/tasks.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import type { Float, Pixels } from "../../engine/tensor.ts";
import type { RestoreDetail } from "../../models/detail/detail-gates.ts";
import type { GuidanceScales, Strength, TextGuidance } from "./strength.ts";

/** What an edit is told in words. */
export interface EditTexts {
  /** What the result shows; empty where the user gave none. */
  readonly caption: string;
  readonly instruction: string;
  readonly task: Task;
}

/** A prepared condition that guidance can take parts away from. */
export interface GuidedCondition {
  withoutText(): GuidedCondition;
  withoutImage(): GuidedCondition;
}

/** What a model is used with where the user says nothing; where it says nothing either, `settings.ts` does. */
export interface ModelDefaults {
  /** Denoising steps. */
  readonly steps?: number;
  /** The times of that many steps, falling; absent: evenly spread. */
  readonly times?: readonly number[];
  /** From 0, no noise, to 1. */
  readonly temperature?: number;
  /** What each strength means. */
  readonly guidance?: Readonly<Record<Strength, GuidanceScales>>;
  /** What those scales are multiples of. */
  readonly textGuidance?: TextGuidance | undefined;
  /** The time above which guidance acts; absent: it always does. */
  readonly guidedAbove?: number | undefined;
}

/** One of the LoRAs beside a model, and how strongly it speaks. */
export interface LoraChoice {
  /**
   * A run of `eve distill` or what was exported of it, which aligns the adapters; or any LoRA file of PEFT, diffusers or
   * kohya, whose look all frames get.
   */
  readonly path: string;
  /** What a look is multiplied by, 0 to 2. An alignment has no strength: it is used as it was trained. */
  readonly strength?: number | undefined;
}

/** What the editor needs of a model; `EditModel` and `OpenModel` are such. */
export interface EditingModel {
  readonly path: string;
  readonly name: string;
  /** SHA-256 of what decides how it edits: weights, configs, how it is sampled. */
  readonly hash: string;
  /** The LoRAs that it was loaded with, strengths settled. */
  readonly loras?: readonly LoraChoice[];
  /** Side of its square pictures, in pixels. */
  readonly size: number;
  /** Frames it sees at once. */
  readonly window: number;
  readonly schedule: Schedule;
  readonly hasVideoAdapter: boolean;
  /** Whether its adapters have been aligned with each other by distillation. */
  readonly hasAlignment: boolean;
  /** Its own defaults, if it has any. */
  readonly defaults?: ModelDefaults;
  readonly tokenizer: { unknownWords(text: string): string[] };
  latentShape(frames: number): readonly number[];
  /** Latents of square pictures; a model that looks at more than latents puts that behind their channels. */
  encode(pixels: Pixels<"f 3 h w">): Float<"f c h w">;
  /** Pictures of latents, of those that `encode` gave included. */
  decode(latents: Float<"f c h w">): Pixels<"f 3 h w">;
  /** Absent where the model has not learned it: detail comes back by differences alone. */
  readonly restoreDetail?: RestoreDetail | undefined;
  editCondition(texts: EditTexts, input: Float<"f c h w">): GuidedCondition;
  /** Edits every frame by itself. */
  editTeacher(): Denoiser<GuidedCondition>;
  stackedCondition(
    texts: EditTexts,
    input: Float<"f c h w">,
    firstFrame: Float<"1 c h w">,
  ): GuidedCondition;
  /** Edits the frames of a window together, after the edited first frame. */
  stacked(): Denoiser<GuidedCondition>;
  /** The same by aligned adapters. */
  aligned(): Denoiser<GuidedCondition>;
}
