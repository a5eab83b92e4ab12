import { invariant } from "../../engine/errors.ts";
import { adaptedLayers, type AdaptedLayer } from "../../nn/lora.ts";
import type { Module } from "../../nn/module.ts";
import { publicName as textEncoderName } from "../text-encoder/weights.ts";
import { publicName as unetName } from "../unet/weights.ts";
import type { Component } from "./names.ts";

const PUBLIC_NAMES: Readonly<Record<Component, (parameter: string) => string>> = {
  unet: unetName,
  textEncoder: textEncoderName,
};

/** The public name of the layer at `path`. */
export function publicLayerName(component: Component, path: string): string {
  return PUBLIC_NAMES[component](`${path}.weight`).replace(/\.weight$/, "");
}

/** A layer that a file's names can be resolved to. */
export interface PublicLayer {
  readonly path: string;
  readonly layer: AdaptedLayer;
}

/**
 * Finds layers of a network by the names that files have for them.
 *
 * Files of kohya write all dots as underscores, which cannot be undone without the network: its own names are
 * compared in that form. CLIP's text encoder is written with and without `text_model` in front.
 */
export function layerFinder(
  component: Component,
  network: Module,
): (name: string) => PublicLayer | undefined {
  const found = new Map<string, PublicLayer>();
  for (const [path, layer] of adaptedLayers(network)) {
    const key = comparable(publicLayerName(component, path));
    invariant(!found.has(key), `two layers of the ${component} are ${key} in files`);
    found.set(key, { path, layer });
  }
  return (name) => found.get(comparable(name));
}

function comparable(name: string): string {
  return name.replaceAll(".", "_").replace(/^text_model_/, "");
}

/** The public names of all modules of a network that hold weights, or parts that do. */
export function publicModules(component: Component, network: Module): ReadonlySet<string> {
  const names = [...network.parameters().keys()].map(PUBLIC_NAMES[component]);
  return new Set(
    names.flatMap((name) => {
      const words = name.split(".");
      return words.slice(1).map((_, i) => words.slice(0, i + 1).join("."));
    }),
  );
}
