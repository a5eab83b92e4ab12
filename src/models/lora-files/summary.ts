import { DataError } from "../../engine/errors.ts";
import { readLoraContents, faultOf, type LoraContents, type LoraLayer } from "./contents.ts";
import type { Component, Dialect } from "./names.ts";

/** How many layers have each value; the keys of ranks and alphas are numbers. */
export type Counts = Readonly<Record<string, number>>;

/** What a LoRA file is, in a few numbers. */
export interface LoraSummary {
  readonly dialects: readonly Dialect[];
  /** Adapted layers of each network. */
  readonly layers: Readonly<Record<Component, number>>;
  /** How many of all of them are convolutions. */
  readonly convolutions: number;
  readonly ranks: Counts;
  readonly alphas: Counts;
  /** Kinds of layers by their names within a block, e.g. `attn1.to_q`. */
  readonly targets: Counts;
  /** Why it cannot be loaded here, in a sentence; null where it can. */
  readonly fault: string | null;
}

/** Sums up the LoRA file at `path` without the engine. What cannot be loaded is summed up too, as far as it goes. */
export function loraSummary(path: string): LoraSummary {
  const { contents, fault } = checked(path);
  const { layers } = contents;
  const of = (component: Component): number =>
    layers.filter((layer) => layer.component === component).length;
  return {
    dialects: contents.dialects,
    layers: { unet: of("unet"), textEncoder: of("textEncoder") },
    convolutions: layers.filter(({ isConvolution }) => isConvolution).length,
    ranks: counted(layers, ({ rank }) => rank),
    alphas: counted(layers, ({ alpha }) => Number(alpha.toPrecision(6))),
    targets: counted(layers, ({ name }) => kindOf(name)),
    fault,
  };
}

function checked(path: string): {
  readonly contents: Pick<LoraContents, "dialects" | "layers">;
  readonly fault: string | null;
} {
  try {
    const contents = readLoraContents(path);
    return { contents, fault: faultOf(contents) };
  } catch (error) {
    // whoever asks what is in a file wants to know what is wrong with it
    if (error instanceof DataError)
      return { contents: { dialects: [], layers: [] }, fault: error.message };
    throw error;
  }
}

function counted(
  layers: readonly LoraLayer[],
  value: (layer: LoraLayer) => string | number,
): Counts {
  const counts = Map.groupBy(layers, value);
  return Object.fromEntries([...counts].map(([key, entries]) => [key, entries.length]));
}

/** The name without the place of its block: what is the same in every block. */
function kindOf(name: string): string {
  return name.replace(/^.*(blocks|attentions|resnets|layers|samplers)[._]\d+[._]/, "");
}
