import { setImmediate } from "node:timers/promises";
import type { Sampling } from "../../diffusion/samplers.ts";
import { invariant } from "../../engine/errors.ts";
import type { HeldTensors } from "../../engine/held-tensors.ts";
import type { Float } from "../../engine/tensor.ts";

/** How a sampler is driven. */
export interface DenoisingOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after every step, counted from 1. */
  readonly onStep?: ((step: number) => void) | undefined;
}

/**
 * Gives the process's other work its turn, Ctrl-C among it; throws the signal's reason if it is aborted.
 *
 * Stands before every piece of work that takes long: none begins after an abort.
 */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/** Runs a sampler to its end and holds the sample in `held`; breathes before and after every step. */
export async function denoise(
  sampling: Sampling,
  held: HeldTensors,
  { signal, onStep }: DenoisingOptions = {},
): Promise<Float<"b ...">> {
  let sample: Float<"b ..."> | undefined;
  await breathe(signal);
  for (const { step, x0 } of sampling) {
    sample = held.take(x0);
    onStep?.(step);
    await breathe(signal);
  }
  invariant(sample, "a sampler makes at least one step");
  return sample;
}
