import type { EditEstimate } from "./estimate.ts";
import type { EditProgress } from "./progress.ts";
import type { ResolvedSettings } from "./settings.ts";
import type { EditResult } from "./video-edit.ts";

/** An edit begins: what it works on, and where. */
export interface EditStart {
  readonly type: "start";
  /** Frames of the clip; null where only decoding would tell. */
  readonly frames: number | null;
  /** Pixels, as shown. */
  readonly width: number;
  readonly height: number;
  /** `cpu`, `cuda:0` */
  readonly device: string;
  /** What convolutions and matrix products are computed in: `bfloat16` or `float32`. */
  readonly precision: string;
  readonly threads: number;
  readonly settings: ResolvedSettings;
}

/** Something is not as it was asked for, or not as it should be: one sentence. */
export interface EditWarning {
  readonly type: "warning";
  readonly message: string;
}

/** An edit is done. */
export interface EditEnd {
  readonly type: "end";
  readonly result: EditResult;
}

/** What an edit tells while it runs, in the order in which it happens; `end` comes last. */
export type EditEvent = EditStart | EditEstimate | EditProgress | EditWarning | EditEnd;

/** Events that wait for their reader: written without waiting, read in order. */
export class EventQueue<Event> implements AsyncIterable<Event> {
  #waiting: Event[] = [];
  #isClosed = false;
  #wake = Promise.withResolvers<void>();

  push(event: Event): void {
    this.#waiting.push(event);
    this.#wake.resolve();
  }

  /** No event comes any more; those that wait are still read. */
  close(): void {
    this.#isClosed = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      const events = this.#waiting;
      this.#waiting = [];
      yield* events;
      if (this.#waiting.length > 0) continue;
      if (this.#isClosed) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}
