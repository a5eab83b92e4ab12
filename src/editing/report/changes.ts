import { z } from "zod";
import type { ResolvedSettings } from "../settings/settings.ts";

/** What an edit did to the frames that it was given, measured before they are encoded. Differences are of 255. */
export const Changes = z.strictObject({
  /** Frames edited. */
  frames: z.int().nonnegative(),
  /** Mean absolute difference over all pixels and channels. */
  meanDifference: z.number(),
  /** Share of pixels, 0–1, where a channel differs by more than 25. */
  changedShare: z.number(),
  /** Mean absolute difference from a frame to the next, of the source and of the result. */
  flicker: z.strictObject({ source: z.number(), result: z.number() }),
});
export type Changes = z.output<typeof Changes>;

/** Shares of changed pixels below which an edit hardly shows, and above which it hardly keeps anything. */
const HARDLY_ANY = 0.005;
const NEARLY_ALL = 0.6;
/** How much more a result may flicker than its source, as a factor, and in any case, of 255. */
const STEADY_FACTOR = 2;
const STEADY_DIFFERENCE = 2;

/** Tasks that change some of the picture only. */
const LOCAL_TASKS: ReadonlySet<string> = new Set(["object", "add", "remove", "texture"]);

/** What to try in another edit: a setting, and the value to give it; without one, any other. */
export interface Advice {
  readonly setting: "strength" | "seed" | "instruction" | "mask" | "noise" | "deflicker";
  readonly value?: string;
}

/** What an edit did too little or too much of, in a few words, and what may help: one or the other. */
export interface ChangeHint {
  readonly message: string;
  readonly advice: readonly Advice[];
}

const bold: Advice = { setting: "strength", value: "bold" };
const keep: Advice = { setting: "strength", value: "keep" };
const mask: Advice = { setting: "mask" };

/** What to try where an edit did too little, too much, or flickers. */
export function changeHints(
  { frames, changedShare, flicker }: Changes,
  settings: Pick<ResolvedSettings, "task" | "further" | "strength" | "mask" | "deflicker">,
): ChangeHint[] {
  if (frames === 0) return [];
  const { task, further, strength } = settings;
  const hints: ChangeHint[] = [];
  if (changedShare < HARDLY_ANY) {
    const advice: Advice[] =
      strength === "bold" ? [{ setting: "seed" }, { setting: "instruction" }] : [bold];
    hints.push({ message: "almost nothing changed", advice });
  }
  const isLocal = further.length === 0 && LOCAL_TASKS.has(task);
  if (isLocal && settings.mask === "" && changedShare > NEARLY_ALL) {
    const message = `nearly everything changed, more than "${task}" asks for`;
    hints.push({ message, advice: strength === "keep" ? [mask] : [keep, mask] });
  }
  const limit = Math.max(STEADY_FACTOR * flicker.source, flicker.source + STEADY_DIFFERENCE);
  if (flicker.result > limit) {
    const advice: Advice[] =
      settings.deflicker === "off"
        ? [{ setting: "deflicker", value: "on" }]
        : [{ setting: "noise", value: "shared" }, keep];
    hints.push({ message: "the result flickers more than its source", advice });
  }
  return hints;
}
