/**
 * How the tiny model is sampled: four steps, without noise, for its edits have one right result.
 *
 * Deviation: the paper samples from noise; measured in docs/decisions/2026-11-27-temperature.md.
 */
export const TINY_SAMPLING = { times: [999, 749, 499, 249], temperature: 0 };
