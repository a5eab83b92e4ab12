/** What `main.ts` hands to every verb as citty's `data`. */
export interface VerbContext {
  /** Aborted by the first Ctrl-C: stop at the next safe point and leave nothing broken. */
  readonly signal: AbortSignal;
}
