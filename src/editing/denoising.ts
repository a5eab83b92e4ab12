import { setImmediate } from "node:timers/promises";
import type { Sampling } from "../diffusion/samplers.ts";
import { invariant } from "../engine/errors.ts";
import type { Float } from "../engine/tensor.ts";
import type { HeldTensors } from "./held-tensors.ts";

/** How a sampler is driven. */
export interface DenoisingOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after every step, counted from 1. */
  readonly onStep?: ((step: number) => void) | undefined;
}

/**
 * Runs a sampler to its end and holds the sample in `held`.
 *
 * After every step other work of the process gets its turn, and an abort takes effect.
 */
export async function denoise(
  sampling: Sampling,
  held: HeldTensors,
  { signal, onStep }: DenoisingOptions = {},
): Promise<Float<"b ...">> {
  let sample: Float<"b ..."> | undefined;
  for (const { step, x0 } of sampling) {
    sample = held.take(x0);
    onStep?.(step);
    await setImmediate();
    signal?.throwIfAborted();
  }
  invariant(sample, "a sampler makes at least one step");
  return sample;
}
