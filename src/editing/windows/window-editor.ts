import type { Denoiser } from "../../diffusion/denoiser.ts";
import { withKnownFrames } from "../../diffusion/known-frames.ts";
import { DataError } from "../../engine/errors.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditingModel, EditTexts, GuidedCondition } from "../settings/model.ts";
import { isTogether, type ResolvedSettings } from "../settings/settings.ts";
import { denoise, type DenoisingOptions } from "./denoising.ts";
import { editSampling, guidedEdit, inAllForms, type ConditionForms } from "./edit-sampling.ts";
import { frameNoise } from "./frame-noise.ts";
import { placeWindow, type WindowPlace } from "./windows.ts";

/** Called after every denoising step with how many frames it moved on. */
export interface WindowEditOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: number, frames: number) => void) | undefined;
}

/** The latents of a window's new frames, before and after the edit. */
export interface WindowLatents {
  readonly input: Float<"f c h w">;
  readonly edited: Float<"f c h w">;
}

/** The frames that a later window may begin with. */
interface History {
  readonly input: Float<"f c h w">;
  readonly edited: Float<"f c h w">;
  readonly tensors: HeldTensors;
}

/**
 * Edits a clip's latents window by window, in order.
 *
 * Edited together, a window begins with frames that are edited already, the clip's first one by the edit
 * teacher alone, and the first of them is what the video adapter is conditioned on (§3.1). Frame by
 * frame, windows are mere batches.
 */
export class WindowEditor implements Disposable {
  readonly #model: EditingModel;
  readonly #settings: ResolvedSettings;
  readonly #texts: EditTexts;
  readonly #first: number;
  #produced = 0;
  #history: History | undefined;

  /** `first` is the index in its clip of the first frame to be edited, by which noise goes. */
  constructor(model: EditingModel, settings: ResolvedSettings, first = 0) {
    this.#first = first;
    this.#model = model;
    this.#settings = settings;
    const { caption, instruction, task } = settings;
    this.#texts = { caption, instruction, task };
  }

  /** The edit of the clip's next frames: as many as `windowCapacity` says, or the clip's last ones. */
  async edit(
    fresh: Float<"f c h w">,
    held: HeldTensors,
    options: WindowEditOptions = {},
  ): Promise<Float<"f c h w">> {
    const count = fresh.shape[0] ?? 0;
    const edited = isTogether(this.#settings.method)
      ? await this.#editTogether(fresh, held, options)
      : await this.#editEach(fresh, this.#produced, held, options);
    this.#produced += count;
    return edited;
  }

  /** Takes the edit of the next frames as it was made before; later windows continue it as if it were made now. */
  restore({ input: fresh, edited: made }: WindowLatents, held: HeldTensors): WindowPlace {
    const count = fresh.shape[0] ?? 0;
    const place = placeWindow(this.#produced, count, this.#settings);
    const { input, edited } = this.#begin(place, fresh, held);
    this.#remember(input, edited ? held.make(() => Tensor.cat([edited, made], 0)) : made);
    this.#produced += count;
    return place;
  }

  [Symbol.dispose](): void {
    this.#history?.tensors[Symbol.dispose]();
    this.#history = undefined;
  }

  async #editTogether(
    fresh: Float<"f c h w">,
    held: HeldTensors,
    options: WindowEditOptions,
  ): Promise<Float<"f c h w">> {
    const count = fresh.shape[0] ?? 0;
    const place = placeWindow(this.#produced, count, this.#settings);
    let { input, edited } = this.#begin(place, fresh, held);
    if (!edited) {
      edited = await this.#editEach(
        held.make(() => fresh.narrow(0, 0, 1)),
        0,
        held,
        options,
      );
    }
    if ((edited.shape[0] ?? 0) < place.length) {
      edited = await this.#editWindow({ start: place.start, input, edited }, held, options);
    }
    this.#remember(input, edited);
    const window = edited;
    return held.make(() => window.narrow(0, place.known, count));
  }

  /** A window's input, and its edited first frames from the windows before it. */
  #begin(
    { known }: WindowPlace,
    fresh: Float<"f c h w">,
    held: HeldTensors,
  ): { input: Float<"f c h w">; edited: Float<"k c h w"> | undefined } {
    const history = this.#history;
    if (!history || known === 0) return { input: fresh, edited: undefined };
    return held.make(() => {
      const from = (history.input.shape[0] ?? 0) - known;
      const input = Tensor.cat([history.input.narrow(0, from, known), fresh], 0);
      return { input, edited: history.edited.narrow(0, from, known) };
    });
  }

  /** Edits a window together with its edited first frames, which stay as they are. */
  async #editWindow(
    { start, input, edited }: { start: number; input: Tensor; edited: Float<"k c h w"> },
    held: HeldTensors,
    { signal, onStep }: WindowEditOptions,
  ): Promise<Float<"f c h w">> {
    const frames = input.shape[0] ?? 0;
    const count = edited.shape[0] ?? 0;
    const model = this.#model;
    const { schedule } = model;
    const { noise, settled, conditions } = held.make(() => {
      const all = this.#noise(start, frames);
      const condition = model.stackedCondition(this.#texts, input, edited.narrow(0, 0, 1));
      const known = { clean: edited.unsqueeze(0), noise: all.narrow(0, 0, count).unsqueeze(0) };
      return { noise: all, settled: known, conditions: inAllForms(condition) };
    });
    const together = this.#guided(this.#together(), conditions);
    const denoiser = withKnownFrames(together, { ...settled, schedule });
    return this.#sample(denoiser, noise, conditions.full, held, {
      signal,
      onStep: (step) => onStep?.(step, frames),
    });
  }

  /** Edits every frame by itself; `first` counts from the first frame that is edited. */
  async #editEach(
    input: Float<"f c h w">,
    first: number,
    held: HeldTensors,
    { signal, onStep }: WindowEditOptions,
  ): Promise<Float<"f c h w">> {
    const frames = input.shape[0] ?? 0;
    const { noise, conditions } = held.make(() => ({
      noise: this.#noise(first, frames),
      conditions: inAllForms(this.#model.editCondition(this.#texts, input)),
    }));
    const denoiser = this.#guided(this.#model.editTeacher(), conditions);
    return this.#sample(denoiser, noise, conditions.full, held, {
      signal,
      onStep: (step) => onStep?.(step, frames),
    });
  }

  /** The denoiser of whole windows. */
  #together(): Denoiser<GuidedCondition> {
    return this.#settings.method === "aligned" ? this.#model.aligned() : this.#model.stacked();
  }

  #noise(first: number, frames: number): Float<"f c h w"> {
    const { seed, noise: mode, temperature } = this.#settings;
    const shape = this.#model.latentShape(frames).slice(1);
    return frameNoise(this.#first + first, frames, { seed, mode, temperature, shape });
  }

  #guided(
    denoiser: Denoiser<GuidedCondition>,
    conditions: ConditionForms,
  ): Denoiser<GuidedCondition> {
    return guidedEdit(denoiser, conditions, this.#settings, this.#model);
  }

  async #sample(
    denoiser: Denoiser<GuidedCondition>,
    noise: Float<"f c h w">,
    condition: GuidedCondition,
    held: HeldTensors,
    options: DenoisingOptions,
  ): Promise<Float<"f c h w">> {
    const what = { denoiser, noise, condition };
    const edited = await denoise(editSampling(what, this.#settings, this.#model), held, options);
    this.#requireFinite(edited);
    return edited;
  }

  /** Throws a DataError where the model drew what would be decoded to black. */
  #requireFinite(edited: Float<"f c h w">): void {
    using _ = tensorScope();
    if (Number.isFinite(edited.sum().item())) return;
    const { name, loras = [] } = this.#model;
    const weights = ["its weights", ...loras.map(({ path }) => `those of ${path}`)].join(" or ");
    throw new DataError(
      `the ${name} model drew what is no number: ${weights} are damaged or too large, edit with others or with less guidance`,
    );
  }

  /** Keeps copies of the window's frames: views would keep whole windows alive. */
  #remember(input: Float<"f c h w">, edited: Float<"f c h w">): void {
    const before = this.#history;
    const tensors = new HeldTensors();
    const last = tensors.make(() => ({ input: input.clone(), edited: edited.clone() }));
    this.#history = { ...last, tensors };
    before?.tensors[Symbol.dispose]();
  }
}
