import type { Tensor } from "../../engine/tensor.ts";
import type { UNet } from "../../models/unet/unet.ts";
import type { Lora } from "../../nn/lora.ts";
import { copyParameters, type Parameters } from "../../nn/module.ts";
import { VideoStrengths, type VideoStrength } from "../adapters/video-strength.ts";

const PREFIX = "videoStrength.";
const SUFFIX = ".value";

/** All that an alignment learns: its LoRA, and behind that how strongly the video adapter is heard, where it learns that. */
export function alignmentParameters(
  lora: Lora,
  videoStrength: VideoStrength | undefined,
): Parameters {
  if (!(videoStrength instanceof VideoStrengths)) return lora.parameters();
  const strengths = [...videoStrength.parameters()].map(
    ([name, weight]) => [`${PREFIX}${name}`, weight] as const,
  );
  return new Map([...lora.parameters(), ...strengths]);
}

/** Whether a parameter of an alignment is a learned strength. */
export function isStrength(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Strengths by place of a video adapter, as a file holds them. */
export type StrengthValues = Readonly<Record<string, number>>;

/** Overwrites `lora` with that of an alignment's stored weights; gives its learned strengths, or null for none. */
export function loadAlignment(
  lora: Lora,
  stored: ReadonlyMap<string, Tensor>,
  path: string,
): StrengthValues | null {
  const all = [...stored];
  copyParameters(lora.parameters(), new Map(all.filter(([name]) => !isStrength(name))), path);
  const strengths = all.filter(([name]) => isStrength(name));
  if (strengths.length === 0) return null;
  return Object.fromEntries(
    strengths.map(([name, value]) => [name.slice(PREFIX.length, -SUFFIX.length), value.item()]),
  );
}

/** How strongly the video adapter of `unet` is heard by a number, or by learned values. */
export function strengthOn(unet: UNet, strength: number | StrengthValues): VideoStrength {
  return typeof strength === "number"
    ? strength
    : new VideoStrengths(unet, new Map(Object.entries(strength)));
}
