import { z } from "zod";
import { jsonOf } from "../../engine/json.ts";
import type { StrengthValues } from "../stack/alignment-weights.ts";

/** The key of a LoRA file's metadata under which its origin stands, as JSON. */
export const ORIGIN_KEY = "open_eve";

const StrengthOrigin = z.looseObject({
  videoStrength: z.union([z.number().min(0).max(1), z.record(z.string(), z.number())]),
});

/**
 * How strongly the video adapter is to speak beside the LoRA of a file with this metadata, as its origin says: at all places
 * alike, or at each; undefined where it says nothing.
 */
export function strengthIn(
  metadata: Readonly<Record<string, string>>,
): number | StrengthValues | undefined {
  return StrengthOrigin.safeParse(jsonOf(metadata[ORIGIN_KEY] ?? "")).data?.videoStrength;
}
