import type { Clock } from "./clock.ts";
import { HubError, Interrupted } from "./errors.ts";

/** Tries in a row without any progress before giving up. */
const TRIES = 6;

const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 30;

/** A server that asks for more patience than this is told to the user instead. */
const LONGEST_ASKED_SECONDS = 600;

/** A try that failed, and when the next one starts. */
export interface Retry {
  /** What went wrong, as part of a sentence. */
  readonly reason: string;
  readonly waitSeconds: number;
  /** The number of the try that failed, from 1. */
  readonly attempt: number;
}

/** How a repeated action ends and what it says meanwhile. */
export interface Retrying {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tries?: number;
  /** What to do when all tries have failed, as the end of a sentence. */
  readonly advice: string;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

/**
 * Repeats `action` while it is interrupted, waiting longer each time.
 *
 * `progress` tells how far the action has come: whoever gets further than ever before starts counting anew, so that
 * a bad line slows a long download and does not end it.
 */
export async function withRetries<T>(
  what: string,
  { clock, signal, tries = TRIES, advice, onRetry }: Retrying,
  action: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let furthest = progress();
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      if (progress() > furthest) attempt = 1;
      furthest = Math.max(furthest, progress());
      if (attempt >= tries) throw gaveUp(what, error, attempt, advice);
      const waitSeconds = secondsToWait(what, attempt, error, clock);
      onRetry?.({ reason: error.message, waitSeconds, attempt });
      await clock.wait(waitSeconds * 1000, signal);
    }
  }
}

function secondsToWait(what: string, attempt: number, error: Interrupted, clock: Clock): number {
  const asked = error.retryAfterSeconds;
  if (asked !== undefined && asked > LONGEST_ASKED_SECONDS) {
    const minutes = Math.ceil(asked / 60);
    const later = minutes > 24 * 60 ? "more than a day" : `${minutes} minutes`;
    throw new HubError(
      `${what}: ${error.message}, and asks to come back in ${later}: run the same command then`,
      { cause: error },
    );
  }
  const longest = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempt - 1));
  const jittered = longest * (0.5 + clock.random() / 2);
  return Math.max(jittered, asked ?? 0);
}

function gaveUp(what: string, error: Interrupted, attempts: number, advice: string): HubError {
  const tried = attempts === 1 ? "" : ` (tried ${attempts} times); ${advice}`;
  return new HubError(`${what}: ${error.message}${tried}`, { cause: error });
}

/** The seconds in a `Retry-After` header: a number of them, or a date. */
export function retryAfter(header: string | null, clock: Clock): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - clock.date()) / 1000);
}
