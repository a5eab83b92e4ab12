import { ConfigError } from "../engine/errors.ts";
import type { Float } from "../engine/tensor.ts";

/** Temperature of plain sampling. */
export const FULL_TEMPERATURE = 1;

/**
 * The noise that sampling starts from at a temperature τ from 0 to 1: `τ·ε`, with standard deviation τ.
 *
 * DDIM carries what it starts from through all its jumps, so that one factor there is one at every time. At 1 samples
 * are those of the model; at 0 there is one, which no seed changes: the start is the noise's mean. Between them, less
 * variety for less of what a network makes of the noise itself (temperature as in Kingma & Dhariwal 2018, §6).
 *
 * Deviation: the paper samples at 1.
 */
export function atTemperature(
  noise: Float<"b ...">,
  temperature = FULL_TEMPERATURE,
): Float<"b ..."> {
  if (!(temperature >= 0 && temperature <= 1))
    throw new ConfigError(`expected a temperature from 0 to 1, got ${temperature}`);
  return temperature === FULL_TEMPERATURE ? noise : noise.mul(temperature);
}
