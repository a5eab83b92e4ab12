/**
 * How the tiny model is sampled: three steps, without noise, for its edits have one right result.
 *
 * Deviation: the paper samples from noise, in evenly spread steps; measured in docs/decisions/2026-11-27-temperature.md.
 */
export const TINY_SAMPLING = { times: [999, 500, 200], temperature: 0 };
