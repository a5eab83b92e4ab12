import type { OutputChoice } from "../data/video/outputs.ts";
import type { EditingModel } from "./model.ts";
import type { EditProgress } from "./progress.ts";
import { type EditListeners, runEdit } from "./run-edit.ts";
import type { EditSettingsInput } from "./settings.ts";
import { modelPath } from "./model-path.ts";
import { VideoEdit } from "./video-edit.ts";

/** Which model to load. */
export interface LoadOptions {
  /** A model folder; the shipped one by default. */
  readonly model?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: EditProgress) => void) | undefined;
}

/** How to edit one video. */
export interface EditOptions
  extends EditListeners, Partial<Omit<EditSettingsInput, "instruction">> {
  /** The file to write, in any container of src/data/video; without one frames are only handed out. */
  readonly output?: string | undefined;
  /** How the output is stored, as far as its name does not say. */
  readonly encoding?: OutputChoice | undefined;
  /** What the receipt calls the video; its path by default. */
  readonly videoName?: string | undefined;
}

/** Loads a model and makes an editor of it. */
export async function loadEditor(options: LoadOptions = {}): Promise<Editor> {
  const { model, signal, onProgress } = options;
  const folder = modelPath(model);
  onProgress?.({ type: "progress", phase: "loading" });
  signal?.throwIfAborted();
  const { EditModel } = await import("../eve/edit-model.ts"); // brings the native engine
  const loaded = EditModel.load(folder);
  signal?.throwIfAborted();
  return new Editor(loaded);
}

/** A loaded model that edits videos by instruction. */
export class Editor implements AsyncDisposable {
  readonly model: EditingModel;
  readonly #closing = new AbortController();

  constructor(model: EditingModel) {
    this.model = model;
  }

  /**
   * Edits `video` as `instruction` says.
   *
   * Iterate over what it returns for the frames, or await its `result`.
   */
  edit(video: string, instruction: string, options: EditOptions = {}): VideoEdit {
    const { output, encoding, videoName, signal, onProgress, onWarning, ...settings } = options;
    const stop = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    const request = { video, videoName, output, encoding, settings: { ...settings, instruction } };
    return new VideoEdit(() =>
      runEdit(this.model, request, { signal: stop, onProgress, onWarning }),
    );
  }

  /** Stops what is running within one denoising step; no further edit begins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("the editor was closed", "AbortError"));
  }
}
