import { changedRegion } from "../src/data/changed-region.ts";
import { toPixels, unitRange } from "../src/data/pixels.ts";
import { psnr } from "../src/data/psnr.ts";
import { sampleEdit } from "../src/data/world/edits.ts";
import { renderClip } from "../src/data/world/render.ts";
import type { TASKS } from "../src/data/world/tasks.ts";
import { ddim, finish } from "../src/diffusion/samplers.ts";
import { spacingOf } from "../src/diffusion/timesteps.ts";
import { Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import type { Float } from "../src/engine/tensor.ts";
import { flickerError } from "../src/evaluation/scores/flicker.ts";
import { mean } from "../src/evaluation/statistics/bootstrap.ts";
import { truthClip } from "../src/evaluation/world/ground-truth.ts";
import { startNoise } from "../src/eve/distillation/start-noise.ts";
import type { EditModel } from "../src/eve/model/edit-model.ts";
import { stacked, type EditCondition, type StackedCondition } from "../src/eve/stack/teachers.ts";

/** Figures of one picture series beside the truth. */
export interface Figures {
  /** PSNR in dB where the edit changes the clip; null where it changes nothing. */
  readonly changed: number | null;
  /** PSNR in dB everywhere else; null where there is nothing else. */
  readonly kept: number | null;
  readonly flicker: number;
}

/** A validation clip of the model's window with what the stack makes of it: where distillation begins. */
export interface StackedEdit {
  readonly condition: StackedCondition;
  /** The stack's edit; its first frame is drawn again. */
  readonly x0: Float<"f c h w">;
  readonly rng: Rng;
  /** Latents beside the truth, decoded. */
  readonly figures: (latents: Float<"f c h w">) => Figures;
}

/** DDIM steps of the edited first frame. */
const FIRST_STEPS = 2;

/** How the stack draws; its first frame is drawn in two steps. */
export interface StackedEditOptions {
  readonly steps: number;
  /** Default 1. */
  readonly videoStrength?: number;
}

/** The stack's edit of a validation clip, sampled as the model says; call it inside a scope and without a graph. */
export function stackedEdit(
  model: EditModel,
  task: (typeof TASKS)[number],
  index: number,
  { steps, videoStrength = 1 }: StackedEditOptions,
): StackedEdit {
  const { schedule, size, window, defaults } = model;
  const start = (condition: EditCondition, source: Rng): Float<"f c h w"> =>
    startNoise(condition, "independent", source, defaults.temperature);
  const sampled = (of: number) => ({ schedule, steps: of, spacing: spacingOf(of, defaults.times) });
  const request = sampleEdit("validation", index, task);
  const unit = (frames: readonly Uint8Array[]): Float<"f 3 h w"> =>
    unitRange(toPixels(frames, size, size));
  const inputFrames = renderClip(request.scene, window, size);
  const truth = unit(truthClip(request, window, size));
  const changed = changedRegion(unit(inputFrames), truth);
  const kept = changed.mul(-1).add(1);
  const figures = (latents: Float<"f c h w">): Figures => {
    using _ = tensorScope();
    const seen = unitRange(model.decode(latents));
    return {
      changed: psnr(seen, truth, changed),
      kept: psnr(seen, truth, kept),
      flicker: flickerError(seen, truth),
    };
  };
  const rng = Rng.seed(0).split(task).split(index);
  const texts = { caption: request.outputCaption, instruction: request.instruction, task };
  const input = model.encode(toPixels(inputFrames, size, size));
  const edit = model.editCondition(texts, input);
  const firstNoise = start(edit, rng.split("first")).narrow(0, 0, 1);
  const firstCondition = model.editCondition(texts, input.narrow(0, 0, 1));
  const first = finish(ddim(model.editTeacher(), firstNoise, firstCondition, sampled(FIRST_STEPS)));
  const condition = model.stackedCondition(texts, input, first);
  const xT = start(condition, rng.split("noise"));
  const x0 = finish(
    ddim(stacked(model.networks, { videoStrength }), xT, condition, sampled(steps)),
  );
  return { condition, x0, rng, figures };
}

/** What several clips say of one row of a table. */
export class Rows {
  readonly #rows = new Map<string, Figures[]>();

  push(row: string, figures: Figures): void {
    this.#rows.set(row, [...(this.#rows.get(row) ?? []), figures]);
  }

  /**
   * `row` against the row `base`: dB more and dB more, means over the clips that have both, and the ratio of their mean
   * flicker. A clip that stands still has none to divide by.
   */
  against(row: string, base = "stack"): string {
    const cells = [
      this.#more(row, base, "changed"),
      this.#more(row, base, "kept"),
      this.#flicker(row) / this.#flicker(base),
    ];
    return cells.map((cell) => cell.toFixed(2).padStart(7)).join(" ");
  }

  #more(row: string, base: string, key: "changed" | "kept"): number {
    const before = this.#rows.get(base)!;
    const found = this.#rows.get(row)!.flatMap((figures, i) => {
      const [of, than] = [figures[key], before[i]![key]];
      return of === null || than === null ? [] : [of - than];
    });
    return mean(found)!;
  }

  #flicker(row: string): number {
    return mean(this.#rows.get(row)!.map(({ flicker }) => flicker))!;
  }
}
