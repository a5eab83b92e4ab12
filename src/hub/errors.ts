/** What the hub, or the way to it, did not deliver: nothing the user asked wrongly. */
export class HubError extends Error {
  override readonly name = "HubError";
}

/** A failure that may be over by the next try: a cut connection, a busy server, an address that has expired. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** Seconds that the server asked to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    { retryAfterSeconds, cause }: { retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
