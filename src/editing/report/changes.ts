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

/** What to try where an edit did too little, too much, or flickers: one sentence each. */
export function changeHints(
  { frames, changedShare, flicker }: Changes,
  {
    task,
    further,
    strength,
    mask,
    deflicker,
  }: Pick<ResolvedSettings, "task" | "further" | "strength" | "mask" | "deflicker">,
): string[] {
  if (frames === 0) return [];
  const hints: string[] = [];
  if (changedShare < HARDLY_ANY) {
    const advice = strength === "bold" ? "another --seed or other words" : "--strength bold";
    hints.push(`almost nothing changed: try ${advice}`);
  }
  const isLocal = further.length === 0 && LOCAL_TASKS.has(task);
  if (isLocal && mask === "" && changedShare > NEARLY_ALL) {
    const advice = strength === "keep" ? "--mask" : "--strength keep, or --mask";
    hints.push(`nearly everything changed, more than "${task}" asks for: try ${advice}`);
  }
  const limit = Math.max(STEADY_FACTOR * flicker.source, flicker.source + STEADY_DIFFERENCE);
  if (flicker.result > limit) {
    const advice = deflicker === "off" ? "--deflicker on" : "--noise shared, or --strength keep";
    hints.push(`the result flickers more than its source: try ${advice}`);
  }
  return hints;
}
