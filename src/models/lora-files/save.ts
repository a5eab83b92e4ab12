import { ConfigError } from "../../engine/errors.ts";
import { saveSafetensors, type SaveOptions } from "../../engine/safetensors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Lora } from "../../nn/lora.ts";
import type { TextEncoder } from "../text-encoder/text-encoder.ts";
import type { UNet } from "../unet/unet.ts";
import { adapterConfig, METADATA_KEY } from "./adapter-config.ts";
import { PREFIXES } from "./contents.ts";
import type { Component } from "./names.ts";
import { publicLayerName, publicModules } from "./public-layers.ts";

/** A LoRA and a network of the topology that it is for. */
export interface Adapted<Network> {
  readonly lora: Lora;
  readonly network: Network;
}

/** What a LoRA file is written from. */
export interface LoraParts {
  readonly unet?: Adapted<UNet>;
  readonly textEncoder?: Adapted<TextEncoder>;
}

/**
 * Writes a LoRA as diffusers does: PEFT's names behind `unet.` and `text_encoder.`, PEFT's settings as metadata.
 *
 * `options.metadata` adds keys of one's own. The same LoRA gives the same bytes. Readers that ignore the settings take
 * alpha for rank: give a LoRA alpha = rank where those matter.
 */
export function saveLora(path: string, parts: LoraParts, options: SaveOptions = {}): void {
  const { unet, textEncoder } = parts;
  const present = [
    ...(unet ? [["unet", unet] as const] : []),
    ...(textEncoder ? [["textEncoder", textEncoder] as const] : []),
  ];
  if (present.length === 0) throw new ConfigError("expected a LoRA to write, got none");
  const tensors = new Map(present.flatMap(([component, { lora }]) => named(component, lora)));
  const settings = present.flatMap((part) => settingsOf(part[0], part[1]));
  const sorted = Object.fromEntries(settings.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const metadata = { ...options.metadata, [METADATA_KEY]: JSON.stringify(sorted, null, 2) };
  saveSafetensors(path, tensors, { ...options, metadata });
}

function named(component: Component, lora: Lora): [name: string, weight: Tensor][] {
  return [...lora.entries()].flatMap(([path, { down, up }]): [string, Tensor][] => {
    const layer = `${PREFIXES[component]}.${publicLayerName(component, path)}`;
    return [
      [`${layer}.lora_A.weight`, down],
      [`${layer}.lora_B.weight`, up],
    ];
  });
}

function settingsOf(
  component: Component,
  { lora, network }: Adapted<UNet | TextEncoder>,
): [key: string, value: unknown][] {
  const layers = [...lora.entries()]
    .map(([path, { rank, alpha }]) => {
      return { name: settingsName(publicLayerName(component, path)), rank, alpha };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const modules = new Set([...publicModules(component, network)].map(settingsName));
  return Object.entries(adapterConfig(layers, modules)).map(([key, value]) => [
    `${PREFIXES[component]}.${key}`,
    value,
  ]);
}

/** Settings name layers by the ends of their names: without the `text_model` that only older CLIP classes have. */
function settingsName(name: string): string {
  return name.replace(/^text_model\./, "");
}
