/**
 * What `promise` resolves to, or an error of its own; throws the signal's reason as soon as that is aborted.
 *
 * What is waited for then goes on, and nobody hears what becomes of it.
 */
export async function orAborted<T>(
  promise: T | PromiseLike<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
