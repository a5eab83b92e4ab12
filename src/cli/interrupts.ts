/** Seconds within which further signals count as the first one, said again. */
const SAME_WITHIN = 0.5;

/**
 * Tells the first request to stop from a second one, which wants to stop at once.
 *
 * `timeout`, shells and supervisors send a signal to a process and to its group: the process gets it twice within
 * milliseconds, and means one stop.
 */
export class Interrupts {
  readonly #now: () => number;
  #first: number | undefined;

  /** `now` gives seconds of a clock that does not go back. */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** What a signal that arrives now asks for; `nothing` where it is the first one's echo. */
  received(): "stop" | "stop at once" | "nothing" {
    const now = this.#now();
    if (this.#first === undefined) {
      this.#first = now;
      return "stop";
    }
    return now - this.#first < SAME_WITHIN ? "nothing" : "stop at once";
  }
}
