import type { EditRequest } from "./check.ts";
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
  const { chooseDevice } = await import("../engine/device.ts"); // brings the native engine
  chooseDevice(device);
  const { EditModel } = await import("../eve/model/edit-model.ts");
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
   * Edits `video` as `instruction` says.
   *
   * Iterate over what it returns for the events, or await its `result`; frames come to `onFrame`. Both throw a UserError of
   * one sentence for what cannot be done as asked, a MemoryError where memory is too small, a DataError for a damaged
   * video, and the signal's reason where the edit was stopped.
   */
  edit(video: string, instruction: string, options: EditOptions = {}): VideoEdit {
    return new VideoEdit(async (listeners) => {
      requireOptions("edit", video, options);
      const { output, encoding, videoName, overwrite, signal: _, ...rest } = options;
      const { onFrame, onChanges, resume, keepWork, ...settings } = rest;
      const named = { video, videoName, output, encoding };
      const request = { ...named, settings: { ...settings, instruction } };
      const run = { onFrame, onChanges, resume, keepWork, overwrite, memory: this.#memory };
      return await this.#whileOpen(runEdit(this.model, request, run, listeners));
    }, this.#signalWith(options));
  }

  /** What the same edit will take on this machine; edits nothing. Throws a MemoryError where memory is too small. */
  async estimate(
    video: string,
    instruction: string,
    options: EstimateOptions = {},
  ): Promise<EditEstimate> {
    requireOptions("estimate", video, options);
    const { output, encoding, signal, onWarning = unheard, ...settings } = options;
    const request: EditRequest = {
      video,
      output,
      encoding,
      settings: { ...settings, instruction },
    };
    const edit = await preparedEdit(this.model, request, onWarning);
    return this.#whileOpen(estimatedEdit(edit, this.#memory, this.#signalWith({ signal })));
  }

  /** One frame of `video`, edited as by itself: what to look at before a long edit. Throws as `edit` does. */
  async preview(
    video: string,
    instruction: string,
    options: PreviewOptions = {},
  ): Promise<EditedFrame> {
    requireOptions("preview", video, options);
    const { at, signal, onWarning = unheard, ...settings } = options;
    const request = { video, settings: { ...settings, instruction } };
    const listeners = { signal: this.#signalWith({ signal }), onWarning };
    return this.#whileOpen(previewFrame(this.model, request, at, listeners));
  }

  /** Stops what is running within one denoising step and waits until it has cleared up; no further edit begins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("the editor was closed", "AbortError"));
    await Promise.allSettled(this.#running);
  }

  async #whileOpen<T>(work: Promise<T>): Promise<T> {
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
