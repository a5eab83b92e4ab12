import { UserError } from "../engine/errors.ts";
import type { EditedFrame } from "./edited-frames.ts";
import type { Receipt } from "./receipt.ts";
import type { ResolvedSettings } from "./settings.ts";

/** What an edit came to. */
export interface EditResult {
  /** The file written, if one was asked for. */
  readonly output?: string;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /** Audio streams copied. */
  readonly audioStreams: number;
  /** How long it took, loading not counted. */
  readonly seconds: number;
  readonly settings: ResolvedSettings;
  readonly receipt: Receipt;
}

/**
 * An edit to be done: its frames as they come, and its result.
 *
 * Nothing happens until frames are asked for or `result` is read. Leaving the loop over the frames
 * stops the edit; no file is left then.
 */
export class VideoEdit implements AsyncIterable<EditedFrame> {
  readonly #run: () => AsyncGenerator<EditedFrame, EditResult, undefined>;
  readonly #outcome = Promise.withResolvers<EditResult>();
  #isStarted = false;

  constructor(run: () => AsyncGenerator<EditedFrame, EditResult, undefined>) {
    this.#run = run;
    // Whoever iterates sees the failure there and need not read `result`.
    this.#outcome.promise.catch(() => undefined);
  }

  /** The result; reading it does the edit if nobody iterates over the frames. */
  get result(): Promise<EditResult> {
    if (!this.#isStarted) void this.#drain();
    return this.#outcome.promise;
  }

  /** The edited frames, in order; once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<EditedFrame, void, undefined> {
    if (this.#isStarted) {
      throw new UserError("the frames of an edit can be read once: call edit() again");
    }
    this.#isStarted = true;
    try {
      this.#outcome.resolve(yield* this.#run());
    } catch (error) {
      this.#outcome.reject(error);
      throw error;
    } finally {
      this.#outcome.reject(new DOMException("the edit was left before its end", "AbortError"));
    }
  }

  async #drain(): Promise<void> {
    try {
      for await (const _ of this);
    } catch {
      // `result` says so.
    }
  }
}
