import { setTimeout as sleep } from "node:timers/promises";

/** Time and chance, as arguments: tests bring their own and never sleep. */
export interface Clock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Milliseconds since 1970, for dates that a server names. */
  date(): number;
  /** Resolves after so many milliseconds; rejects with the signal's reason when it aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Calls `ring` when `milliseconds` have passed since the last `reset()`. */
  alarm(milliseconds: number, ring: () => void): Alarm;
  /** A number from [0, 1). */
  random(): number;
}

/** A timer that is pushed back as long as things move. */
export interface Alarm {
  reset(): void;
  [Symbol.dispose](): void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),

  async wait(milliseconds, signal) {
    signal.throwIfAborted();
    await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  },

  alarm(milliseconds, ring) {
    const timer = setTimeout(ring, milliseconds);
    return { reset: () => void timer.refresh(), [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
