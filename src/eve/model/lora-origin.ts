import { z } from "zod";
import { jsonOf } from "../../engine/json.ts";
import type { StrengthValues } from "../adapters/strengths.ts";

/** The key of a LoRA file's metadata under which its origin stands, as JSON. */
export const ORIGIN_KEY = "open_eve";

const Values = z.record(z.string(), z.number());

const PartOrigin = z.looseObject({ part: z.string() });

/** Which part of a model the LoRA of a file with this metadata is; undefined where its origin says nothing. */
export function partIn(metadata: Readonly<Record<string, string>>): string | undefined {
  return PartOrigin.safeParse(jsonOf(metadata[ORIGIN_KEY] ?? "")).data?.part;
}

const StrengthOrigin = z.looseObject({
  videoStrength: z.union([z.number().min(0).max(1), Values]).optional(),
  editStrength: Values.optional(),
});

/** How strongly adapters are to speak beside a LoRA: at all places alike, or at each. */
export interface OriginStrengths {
  readonly videoStrength?: number | StrengthValues | undefined;
  readonly editStrength?: StrengthValues | undefined;
}

/** How strongly adapters are to speak beside the LoRA of a file with this metadata, as far as its origin says. */
export function strengthsIn(metadata: Readonly<Record<string, string>>): OriginStrengths {
  const { videoStrength, editStrength } =
    StrengthOrigin.safeParse(jsonOf(metadata[ORIGIN_KEY] ?? "")).data ?? {};
  return { videoStrength, editStrength };
}
