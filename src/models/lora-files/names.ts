/** A network that a LoRA file may speak of. */
export type Component = "unet" | "textEncoder";

/**
 * A way of naming a LoRA's tensors, by who writes it: PEFT itself, diffusers as it is, diffusers before it used PEFT,
 * its first form (attention processors), and the kohya scripts.
 */
export type Dialect =
  | "PEFT"
  | "diffusers"
  | "diffusers lora.down"
  | "diffusers attention processors"
  | "kohya";

/** Where a tensor belongs: to a layer of a component, named as the file names it: with dots, or underscores for all. */
export interface LayerName {
  readonly component: Component;
  readonly layer: string;
  readonly dialect: Dialect;
}

/** What the name of one tensor says. */
export type ParsedName =
  | ({ readonly type: "down" | "up" | "alpha" } & LayerName)
  /** Part of an adapter that is no plain low-rank update, e.g. `DoRA`. */
  | { readonly type: "other"; readonly kind: string }
  | { readonly type: "unknown" };

/** Adapters of other mathematics, by a name that only they have. */
const OTHER_KINDS: readonly (readonly [name: RegExp, kind: string])[] = [
  [/\.(lora_magnitude_vector|dora_scale)\b/, "DoRA"],
  [/\.lokr_\w/, "LoKr"],
  [/\.hada_\w/, "LoHa"],
  [/\.oft_\w/, "OFT"],
  [/\.lora_mid\./, "LoCon in Tucker form"],
];

const SIDES: Readonly<Record<string, "down" | "up">> = {
  A: "down",
  down: "down",
  B: "up",
  up: "up",
};

/** The forms of one half of an update: the layer's name, then which half. */
const FORMS: readonly (readonly [form: RegExp, dialect: Dialect])[] = [
  [/^(?<layer>lora_[^.]+)\.lora_(?<side>down|up)\.weight$/, "kohya"],
  [/^(?<layer>.+)\.lora_(?<side>[AB])(?:\.[\w-]+)?\.weight$/, "diffusers"],
  [/^(?<layer>.+)\.lora(?:_linear_layer)?\.(?<side>down|up)\.weight$/, "diffusers lora.down"],
  [
    /^(?<layer>.+\.to_(?:q|k|v|out))_lora\.(?<side>down|up)\.weight$/,
    "diffusers attention processors",
  ],
];

/** Reads the name of a tensor in a LoRA file. */
export function parseName(name: string): ParsedName {
  const other = OTHER_KINDS.find(([pattern]) => pattern.test(name));
  if (other) return { type: "other", kind: other[1] };
  for (const [form, dialect] of FORMS) {
    const { layer, side = "" } = form.exec(name)?.groups ?? {};
    const type = SIDES[side];
    if (layer === undefined || type === undefined) continue;
    const place = placeOf(layer, dialect);
    return place ? { type, ...place } : { type: "unknown" };
  }
  const layer = /^(.+)\.alpha$/.exec(name)?.[1];
  const place = layer === undefined ? null : placeOf(layer, "kohya");
  return place ? { type: "alpha", ...place } : { type: "unknown" };
}

const KOHYA: Readonly<Record<string, Component>> = {
  unet: "unet",
  te: "textEncoder",
  te1: "textEncoder",
};

/** What the parts of each network begin with, where no prefix says which network it is. */
const BARE: readonly (readonly [start: RegExp, component: Component])[] = [
  [/^(conv_in|conv_out|time_embedding|down_blocks|mid_block|up_blocks)\./, "unet"],
  [/^(text_model|encoder\.layers)\./, "textEncoder"],
];

function placeOf(given: string, dialect: Dialect): LayerName | null {
  const kohya = /^lora_(unet|te1?)_(.+)$/.exec(given);
  if (kohya) return { component: KOHYA[kohya[1]!]!, layer: kohya[2]!, dialect: "kohya" };
  const bare = given.replace(/^base_model\.model\./, "");
  const isPeft = bare !== given && dialect === "diffusers";
  const [, prefix, rest] = /^(?:(unet|text_encoder)\.)?(.+)$/.exec(bare) ?? [];
  if (rest === undefined) return null;
  const component =
    prefix === undefined
      ? BARE.find(([start]) => start.test(`${rest}.`))?.[1]
      : prefix === "unet"
        ? "unet"
        : "textEncoder";
  if (component === undefined) return null;
  const layer = dialect === "diffusers attention processors" ? projectionOf(rest) : rest;
  return {
    component,
    layer: layer.replace(".processor.", "."),
    dialect: isPeft ? "PEFT" : dialect,
  };
}

/** The projection that an attention processor's update belongs to; CLIP's have names of their own. */
function projectionOf(layer: string): string {
  if (layer.includes("self_attn.")) return layer.replace(/to_(q|k|v|out)$/, "$1_proj");
  return layer.replace(/to_out$/, "to_out.0");
}
