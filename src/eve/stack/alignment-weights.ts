import type { Tensor } from "../../engine/tensor.ts";
import type { UNet } from "../../models/unet/unet.ts";
import type { Lora } from "../../nn/lora.ts";
import { copyParameters, type Parameters } from "../../nn/module.ts";
import { Strengths, type StrengthValues } from "../adapters/strengths.ts";
import { VideoStrengths, type VideoStrength } from "../adapters/video-strength.ts";
import type { StackOptions } from "./teachers.ts";

/** Whose strengths an alignment can learn; their parameters begin with it. */
const STRENGTH_KINDS = ["videoStrength", "editStrength"] as const;
/** The adapter whose strengths they are, by the word that their parameters begin with. */
export type StrengthKind = (typeof STRENGTH_KINDS)[number];

const SUFFIX = ".value";

/** All that an alignment learns: its LoRA, and behind that how strongly adapters are heard, where it learns that. */
export function alignmentParameters(
  lora: Lora,
  options: Pick<StackOptions, StrengthKind>,
): Parameters {
  const strengths = STRENGTH_KINDS.flatMap((kind) => {
    const learned = options[kind];
    if (!(learned instanceof Strengths)) return [];
    return [...learned.parameters()].map(([name, weight]) => [`${kind}.${name}`, weight] as const);
  });
  return new Map([...lora.parameters(), ...strengths]);
}

/** Whose learned strength a parameter of an alignment is; undefined: none. */
export function strengthKind(name: string): StrengthKind | undefined {
  return STRENGTH_KINDS.find((kind) => name.startsWith(`${kind}.`));
}

/** Overwrites `lora` with that of an alignment's stored weights; gives the strengths that it has learned. */
export function loadAlignment(
  lora: Lora,
  stored: ReadonlyMap<string, Tensor>,
  path: string,
): Readonly<Partial<Record<StrengthKind, StrengthValues>>> {
  const kinds = Map.groupBy(stored, ([name]) => strengthKind(name));
  copyParameters(lora.parameters(), new Map(kinds.get(undefined)), path);
  kinds.delete(undefined);
  return Object.fromEntries(
    [...kinds].map(([kind = "", strengths]) => [
      kind,
      Object.fromEntries(
        strengths.map(([name, value]) => [
          name.slice(kind.length + 1, -SUFFIX.length),
          value.item(),
        ]),
      ),
    ]),
  );
}

/** How strongly the video adapter of `unet` is heard: as one number says, or at each place as values say that were learned. */
export function strengthOn(unet: UNet, strength: number | StrengthValues): VideoStrength {
  return typeof strength === "number" ? strength : new VideoStrengths(unet, strength);
}
