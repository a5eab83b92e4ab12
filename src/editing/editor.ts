import type { OutputChoice } from "../data/video/outputs.ts";
import type { DeviceChoice } from "../engine/device.ts";
import type { EditRequest } from "./check.ts";
import { requireLoadOptions, requireOptions } from "./options.ts";
import { estimatedEdit, preparedEdit } from "./prepared-edit.ts";
import { previewFrame } from "./preview.ts";
import { type EditEstimate, processMemory, requireMemoryForWeights } from "./report/estimate.ts";
import type { EditProgress } from "./report/progress.ts";
import { runEdit, type WatchOptions } from "./run-edit.ts";
import type { EditedFrame } from "./settings/edited-frame.ts";
import { modelPath } from "./settings/model-path.ts";
import type { EditingModel } from "./settings/model.ts";
import type { EditSettingsInput } from "./settings/settings.ts";
import { VideoEdit } from "./video-edit.ts";

/** Which model to load, and where it computes. */
export interface LoadOptions {
  /** A model folder; the shipped one by default. */
  readonly model?: string | undefined;
  /** `auto`, the default, is the first CUDA device where there is one, else the CPU. Holds for the whole process. */
  readonly device?: DeviceChoice | undefined;
  /** Stops the loading between its parts. */
  readonly signal?: AbortSignal | undefined;
  /** Hears when the loading begins. */
  readonly onProgress?: ((event: EditProgress) => void) | undefined;
}

/** How to edit one video. */
export interface EditOptions extends WatchOptions, Partial<Omit<EditSettingsInput, "instruction">> {
  /** The file to write, or a folder of pictures where it ends with `/`; without one frames are only handed out. */
  readonly output?: string | undefined;
  /** Whether what lies at `output` and where its receipt goes may be replaced; default false. */
  readonly overwrite?: boolean | undefined;
  /** How the output is stored, as far as its name does not say. */
  readonly encoding?: OutputChoice | undefined;
  /** What the receipt calls the video; its path by default. */
  readonly videoName?: string | undefined;
  /** Stops the edit within one denoising step. */
  readonly signal?: AbortSignal | undefined;
}

/** How to edit one frame of a video. */
export interface PreviewOptions extends Partial<Omit<EditSettingsInput, "instruction" | "frames">> {
  /** Which frame: a number from 0, or seconds as in `2s`; the one in the middle by default. */
  readonly at?: string | undefined;
  /** Stops the preview within one denoising step. */
  readonly signal?: AbortSignal | undefined;
  /** Gets a sentence for each thing to know, as a word that the model never learned. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** How an edit that is to be estimated would be made. */
export interface EstimateOptions extends Omit<
  EditOptions,
  keyof WatchOptions | "videoName" | "overwrite"
> {
  /** Gets a sentence for each thing to know, as a word that the model never learned. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

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
    const {
      output,
      encoding,
      videoName,
      overwrite,
      signal,
      onFrame,
      onChanges,
      resume,
      keepWork,
      ...settings
    } = options;
    const request = { video, videoName, output, encoding, settings: { ...settings, instruction } };
    const run = { onFrame, onChanges, resume, keepWork, overwrite, memory: this.#memory };
    return new VideoEdit(async (listeners) => {
      requireOptions("edit", video, options);
      return await this.#whileOpen(runEdit(this.model, request, run, listeners));
    }, this.#signalWith(signal));
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
    return this.#whileOpen(estimatedEdit(edit, this.#memory, this.#signalWith(signal)));
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
    const listeners = { signal: this.#signalWith(signal), onWarning };
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

  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    const own = this.#closing.signal;
    // what is no signal is refused with all other options
    return signal instanceof AbortSignal ? AbortSignal.any([signal, own]) : own;
  }
}
