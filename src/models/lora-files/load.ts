import { DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { uninitialised } from "../../nn/init.ts";
import { Lora, type AdaptedLayer } from "../../nn/lora.ts";
import type { Module } from "../../nn/module.ts";
import type { TextEncoder } from "../text-encoder/text-encoder.ts";
import type { UNet } from "../unet/unet.ts";
import {
  readLoraContents,
  faultOf,
  listed,
  type LoraContents,
  type LoraLayer,
} from "./contents.ts";
import type { Component } from "./names.ts";
import { layerFinder } from "./public-layers.ts";

/** The networks to which a LoRA file is fitted. */
export interface LoraNetworks {
  readonly unet: UNet;
  /** Without it the file's updates of a text encoder are reported as unused. */
  readonly textEncoder?: TextEncoder;
}

/** A LoRA file in memory. */
export interface LoadedLora {
  readonly contents: LoraContents;
  /** For `unet.forward(…, { lora: unet.on(network) })`; null where the file leaves the U-Net alone. */
  readonly unet: Lora | null;
  /** For `mergeLoras(encoder, …)`; null where the file leaves it alone, or none was given. */
  readonly textEncoder: Lora | null;
  /** Layers of a text encoder that the file adapts and nobody took, by their names in it. */
  readonly unused: readonly string[];
}

/**
 * Reads a LoRA of Stable Diffusion's networks, in float32, from any file that PEFT, diffusers or kohya's scripts write.
 *
 * DataError, in one sentence that lists the first of them: names that belong to no LoRA, layers that the networks do not
 * have, shapes that do not fit, values that are no numbers. Adapters of other kinds (DoRA, LoKr, LoHa) are refused by name.
 */
export function loadLora(path: string, { unet, textEncoder }: LoraNetworks): LoadedLora {
  const contents = readLoraContents(path);
  const fault = faultOf(contents);
  if (fault !== null) throw new DataError(fault);
  const of = (component: Component): LoraLayer[] =>
    contents.layers.filter((layer) => layer.component === component);
  using _ = tensorScope();
  const weights = loadSafetensors(path);
  const build = (component: Component, network: Module): Lora | null =>
    of(component).length === 0 ? null : loraOf(component, network, { contents, weights });
  return {
    contents,
    unet: build("unet", unet),
    textEncoder: textEncoder ? build("textEncoder", textEncoder) : null,
    unused: textEncoder ? [] : of("textEncoder").map(({ name }) => name),
  };
}

interface Source {
  readonly contents: LoraContents;
  readonly weights: ReadonlyMap<string, Tensor>;
}

function loraOf(component: Component, network: Module, source: Source): Lora {
  const fitted = fit(component, network, source);
  const at = (path: string): LoraLayer => fitted.get(path)!;
  const lora = uninitialised(
    () =>
      new Lora(Rng.seed(0), network, {
        rank: (path) => at(path).rank,
        alpha: (path) => at(path).alpha,
        targets: (path) => fitted.has(path),
      }),
  );
  for (const [path, pair] of lora.entries()) {
    const { down, up } = at(path);
    for (const [target, name] of [
      [pair.down, down],
      [pair.up, up],
    ] as const)
      target.copyFrom(finite(name, source).reshape(target.shape));
  }
  return lora;
}

function finite(name: string, { contents: { path }, weights }: Source): Tensor {
  const values = weights.get(name)!;
  if (Number.isFinite(values.to("float32").sum().item())) return values;
  throw new DataError(`${path}: ${name} holds what is no finite number, so the file is damaged`);
}

/** The updates by the path of the layer in the network; throws where one has no layer, or not its shape. */
function fit(
  component: Component,
  network: Module,
  { contents: { path: file, layers }, weights }: Source,
): Map<string, LoraLayer> {
  const find = layerFinder(component, network);
  const fitted = new Map<string, LoraLayer>();
  const faults = { missing: [] as string[], twice: [] as string[], misshapen: [] as string[] };
  for (const layer of layers.filter((one) => one.component === component)) {
    const place = find(layer.name);
    if (!place) faults.missing.push(layer.name);
    else if (fitted.has(place.path)) faults.twice.push(layer.name);
    else {
      const misfit = misfitOf(layer, place.layer, weights);
      if (misfit) faults.misshapen.push(misfit);
      fitted.set(place.path, layer);
    }
  }
  const sentences = [
    ...sentence(faults.missing, "layers that it has not"),
    ...sentence(faults.twice, "layers twice"),
    ...sentence(faults.misshapen, "updates that do not fit"),
  ];
  const { missing } = faults;
  if (missing.length > 0 && missing.every((name) => name.includes("motion_modules"))) {
    throw new DataError(
      `${file} is a LoRA of AnimateDiff's motion modules: expected one of Stable Diffusion's U-Net`,
    );
  }
  if (sentences.length > 0) {
    const what = component === "unet" ? "U-Net" : "text encoder";
    throw new DataError(`${file} is for another ${what}: it names ${sentences.join("; ")}`);
  }
  return fitted;
}

function sentence(names: readonly string[], what: string): string[] {
  return names.length === 0 ? [] : [`${what} (${names.length}): ${listed(names)}`];
}

function misfitOf(
  { name, down, up, rank }: LoraLayer,
  { weight }: AdaptedLayer,
  weights: ReadonlyMap<string, Tensor>,
): string | null {
  const [outputs = 0, ...inputs] = weight.shape;
  const [a, b] = [weights.get(down)!.shape, weights.get(up)!.shape];
  if (isSame(a, [rank, ...inputs]) && isSame(b, [outputs, rank])) return null;
  return `${name} has A [${a.join(" ")}] and B [${b.join(" ")}] for a weight of [${weight.shape.join(" ")}]`;
}

/** Whether shapes are the same but for ones at the end: a 1×1 convolution is a matrix, and files write either. */
function isSame(shape: readonly number[], other: readonly number[]): boolean {
  const significant = (sizes: readonly number[]): string =>
    sizes.slice(0, 2 + sizes.slice(2).findLastIndex((size) => size !== 1) + 1).join();
  return significant(shape) === significant(other);
}
