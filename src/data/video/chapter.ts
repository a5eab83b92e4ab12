/** A named part of a video. */
export interface Chapter {
  /** When it begins, in nanoseconds. */
  readonly start: bigint;
  /** When it ends, `null` where that is not said: with the next one. */
  readonly end: bigint | null;
  readonly title: string;
}
