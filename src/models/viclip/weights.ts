import type { Tensor } from "../../engine/tensor.ts";
import type { Parameters } from "../../nn/module.ts";
import {
  copyPublicWeights,
  publicWeights as weightsIn,
  snakeCase,
  type PublicLayout,
} from "../public-weights/layout.ts";
import type { Viclip } from "./viclip.ts";

/** Where public names are not ours in snake case. */
const DIFFERENCES: readonly (readonly [ours: RegExp, theirs: string])[] = [
  [/\.ln(\d)\./, ".ln_$1."],
  [/\.attn\.qkv\./, ".attn.in_proj_"],
  [/\.attn\.proj\./, ".attn.out_proj."],
  [/\.mlp\.fc1\./, ".mlp.c_fc."],
  [/\.mlp\.fc2\./, ".mlp.c_proj."],
];

/** The name that InternVideo's ViCLIP has for one of our parameters. */
export function publicName(parameter: string): string {
  const adjusted = DIFFERENCES.reduce(
    (name, [ours, theirs]) => name.replace(ours, theirs),
    parameter,
  );
  return snakeCase(adjusted);
}

/** InternVideo's ViCLIP. */
export const VICLIP_LAYOUT: PublicLayout = { publicName };

/** The weights of `viclip` under their public names. */
export function publicWeights(viclip: Viclip): Parameters {
  return weightsIn(viclip, VICLIP_LAYOUT);
}

/** Copies a public checkpoint into `viclip`; `what` names it in errors. */
export function loadPublicWeights(
  viclip: Viclip,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  copyPublicWeights(viclip, source, VICLIP_LAYOUT, what);
}
