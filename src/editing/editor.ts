import { type OpenSource, type VideoSource, withSource } from "../data/video/video-source.ts";
import { chooseDevice } from "../engine/device.ts";
import { EditModel } from "../eve/model/edit-model.ts";
import {
  type EditOptions,
  type EstimateOptions,
  type LoadOptions,
  type PreviewOptions,
  requireLoadOptions,
  requireOptions,
} from "./options.ts";
import { estimatedEdit, preparedEdit } from "./prepared-edit.ts";
import { previewFrame } from "./preview.ts";
import { type EditEstimate, processMemory, requireMemoryForWeights } from "./report/estimate.ts";
import { runEdit } from "./run-edit.ts";
import type { EditedFrame } from "./settings/edited-frame.ts";
import { modelPath } from "./settings/model-path.ts";
import type { EditingModel } from "./settings/model.ts";
import { VideoEdit } from "./video-edit.ts";

const unheard = (): void => {};

/**
 * Loads a model and makes an editor of it.
 *
 * Throws a UserError where there is no model, a MemoryError where it is larger than the free memory, a DataError where it is
 * damaged, a ConfigError where the device is missing.
 */
export async function loadEditor(options: LoadOptions = {}): Promise<Editor> {
  requireLoadOptions(options);
  const { model, device = "auto", signal, onProgress } = options;
  const folder = modelPath(model);
  onProgress?.({ type: "progress", phase: "loading" });
  signal?.throwIfAborted();
  requireMemoryForWeights(folder);
  chooseDevice(device); // loads libtorch
  const loaded = EditModel.load(folder);
  signal?.throwIfAborted();
  return new Editor(loaded);
}

/** A loaded model that edits videos by instruction. */
export class Editor implements AsyncDisposable {
  readonly model: EditingModel;
  readonly #memory: typeof processMemory;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  /** `memory` tells how much there is. */
  constructor(model: EditingModel, memory = processMemory) {
    this.model = model;
    this.#memory = memory;
  }

  /**
   * Edits `video` as `instruction` says: the file at a path, or frames that the program gives.
   *
   * Iterate over what it returns for the events, or await its `result`; frames come to `onFrame`. Both throw a UserError of
   * one sentence for what cannot be done as asked, a MemoryError where memory is too small, a DataError for a damaged
   * video, and the signal's reason where the edit was stopped.
   */
  edit(video: VideoSource, instruction: string, options: EditOptions = {}): VideoEdit {
    return new VideoEdit(async (listeners) => {
      requireOptions("edit", video, options);
      const { output, compare, encoding, videoName, overwrite, signal: _, ...rest } = options;
      const { onFrame, onChanges, resume, keepWork, ...settings } = rest;
      const own = { ...settings, instruction };
      const named = { videoName, output, compare, encoding, settings: own };
      const run = { onFrame, onChanges, resume, keepWork, overwrite, memory: this.#memory };
      return await this.#with(video, (source) =>
        runEdit(this.model, { ...named, source }, run, listeners),
      );
    }, this.#signalWith(options));
  }

  /**
   * What the same edit will take on this machine; edits nothing. Throws a MemoryError where memory is too small.
   *
   * Of frames that the program gives it reads the first; how many there are says their array, or `count`.
   */
  async estimate(
    video: VideoSource,
    instruction: string,
    options: EstimateOptions = {},
  ): Promise<EditEstimate> {
    requireOptions("estimate", video, options);
    const { output, encoding, onWarning = unheard, signal: _, ...settings } = options;
    const named = { output, encoding, settings: { ...settings, instruction } };
    const signal = this.#signalWith(options);
    return await this.#with(video, async (source) => {
      const request = { ...named, source };
      const edit = await preparedEdit(this.model, request, { signal, onWarning });
      return await estimatedEdit(edit, this.#memory, signal);
    });
  }

  /**
   * One frame of `video`, edited as by itself: what to look at before a long edit. Throws as `edit` does.
   *
   * Of frames that the program gives it reads those up to that one.
   */
  async preview(
    video: VideoSource,
    instruction: string,
    options: PreviewOptions = {},
  ): Promise<EditedFrame> {
    requireOptions("preview", video, options);
    const { at, onWarning = unheard, signal: _, ...rest } = options;
    const settings = { ...rest, instruction };
    const listeners = { signal: this.#signalWith(options), onWarning };
    return await this.#with(video, (source) =>
      previewFrame(this.model, { source, settings }, at, listeners),
    );
  }

  /** Stops what is running within one denoising step and waits until it has cleared up; no further edit begins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("the editor was closed", "AbortError"));
    await Promise.allSettled(this.#running);
  }

  /** Does work on a source, which whoever closes the editor waits for. */
  async #with<T>(video: VideoSource, begin: (source: OpenSource) => Promise<T>): Promise<T> {
    const work = withSource(video, begin);
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  #signalWith(options: { readonly signal?: AbortSignal | undefined } | null): AbortSignal {
    const [own, signal] = [this.#closing.signal, options?.signal];
    // what is no signal is refused with all other options
    return signal instanceof AbortSignal ? AbortSignal.any([signal, own]) : own;
  }
}
