import { UserError } from "../engine/errors.ts";
import { EventQueue } from "../engine/event-queue.ts";
import type { EditEvent, EditResult } from "./report/events.ts";

/** Who an edit is done for. */
export interface EditListeners {
  /** Stops the edit within one denoising step. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: EditEvent) => void;
}

/**
 * An edit to be done: what it tells as it runs, and its result.
 *
 * Nothing happens until its events are asked for or `result` is read. Leaving the loop over the events stops the edit
 * within one denoising step; no file is left then. What was written already stays, and `result` is what it came to.
 */
export class VideoEdit implements AsyncIterable<EditEvent> {
  readonly #run: (listeners: EditListeners) => Promise<EditResult>;
  readonly #signal: AbortSignal;
  readonly #outcome = Promise.withResolvers<EditResult>();
  #isStarted = false;

  /** `signal` stops the edit from outside. */
  constructor(run: (listeners: EditListeners) => Promise<EditResult>, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
    // Whoever iterates sees the failure there and need not read `result`.
    this.#outcome.promise.catch(() => undefined);
  }

  /** The result; reading it does the edit if nobody iterates over the events. */
  get result(): Promise<EditResult> {
    if (!this.#isStarted) void this.#drain();
    return this.#outcome.promise;
  }

  /** What the edit tells, as it happens; once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<EditEvent, void, undefined> {
    if (this.#isStarted) {
      throw new UserError(
        "the events of an edit can be read once, and before its result is: call edit() again",
      );
    }
    this.#isStarted = true;
    const leaving = new AbortController();
    const events = new EventQueue<EditEvent>();
    const signal = AbortSignal.any([this.#signal, leaving.signal]);
    const work = this.#work(events, signal);
    work.catch(() => undefined);
    try {
      yield* events;
      await work; // throws what it failed of
    } finally {
      leaving.abort(new DOMException("the edit was left before its end", "AbortError"));
      await work.then(this.#outcome.resolve, this.#outcome.reject);
    }
  }

  async #work(events: EventQueue<EditEvent>, signal: AbortSignal): Promise<EditResult> {
    try {
      const result = await this.#run({ signal, onEvent: (event) => events.push(event) });
      events.push({ type: "end", result });
      return result;
    } finally {
      events.close();
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
