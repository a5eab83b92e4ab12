import type { OutputChoice } from "../data/video/outputs.ts";
import type { DeviceChoice } from "../engine/device.ts";
import type { EditRequest } from "./check.ts";
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
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: EditProgress) => void) | undefined;
}

/** How to edit one video. */
export interface EditOptions extends WatchOptions, Partial<Omit<EditSettingsInput, "instruction">> {
  /** The file to write, in any container of src/data/video; without one frames are only handed out. */
  readonly output?: string | undefined;
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
  readonly signal?: AbortSignal | undefined;
  /** Gets a sentence for each thing to know, as a word that the model never learned. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** How an edit that is to be estimated would be made. */
export interface EstimateOptions extends Omit<EditOptions, keyof WatchOptions | "videoName"> {
  /** Gets a sentence for each thing to know, as a word that the model never learned. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const unheard = (): void => {};

/** Loads a model and makes an editor of it. */
export async function loadEditor(options: LoadOptions = {}): Promise<Editor> {
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

  /** `memory` tells how much there is. */
  constructor(model: EditingModel, memory = processMemory) {
    this.model = model;
    this.#memory = memory;
  }

  /**
   * Edits `video` as `instruction` says.
   *
   * Iterate over what it returns for the events, or await its `result`; frames come to `onFrame`.
   */
  edit(video: string, instruction: string, options: EditOptions = {}): VideoEdit {
    const {
      output,
      encoding,
      videoName,
      signal,
      onFrame,
      onChanges,
      resume,
      keepWork,
      ...settings
    } = options;
    const request = { video, videoName, output, encoding, settings: { ...settings, instruction } };
    const run = { onFrame, onChanges, resume, keepWork, memory: this.#memory };
    return new VideoEdit(
      (listeners) => runEdit(this.model, request, run, listeners),
      this.#signalWith(signal),
    );
  }

  /** What the same edit will take on this machine; edits nothing. Throws a MemoryError where memory is too small. */
  async estimate(
    video: string,
    instruction: string,
    { output, encoding, signal, onWarning = unheard, ...settings }: EstimateOptions = {},
  ): Promise<EditEstimate> {
    const request: EditRequest = {
      video,
      output,
      encoding,
      settings: { ...settings, instruction },
    };
    const edit = await preparedEdit(this.model, request, onWarning);
    return estimatedEdit(edit, this.#memory, this.#signalWith(signal));
  }

  /** One frame of `video`, edited as by itself: what to look at before a long edit. */
  async preview(
    video: string,
    instruction: string,
    { at, signal, onWarning = unheard, ...settings }: PreviewOptions = {},
  ): Promise<EditedFrame> {
    const request = { video, settings: { ...settings, instruction } };
    const listeners = { signal: this.#signalWith(signal), onWarning };
    return previewFrame(this.model, request, at, listeners);
  }

  /** Stops what is running within one denoising step; no further edit begins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("the editor was closed", "AbortError"));
  }

  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }
}
