/**
 * How the tiny model is sampled: three steps, without noise, for its edits have one right result; from a time at which the
 * backbone draws things, not a blur of them; edits of a few places guided by the words, which it is unsure of, but for the last step.
 *
 * Deviation: the paper samples from noise (docs/decisions/2026-11-27-temperature.md), from the end of the schedule
 * (docs/decisions/2026-11-29-late-start.md), and Emu Edit guides all edits (docs/decisions/2026-11-28-guided-small-edits.md).
 */
export const TINY_SAMPLING = {
  times: [749, 499, 249],
  temperature: 0,
  textGuidance: { object: 1.5, add: 2 },
  guidedAbove: 300,
};
