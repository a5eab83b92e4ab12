import { noGrad } from "../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../engine/errors.ts";
import type { Rng } from "../engine/random.ts";
import { scoped } from "../engine/scope.ts";
import type { Float, Tensor } from "../engine/tensor.ts";
import { fanInUniform, zeroInit } from "./init.ts";
import { Linear, linear } from "./linear.ts";
import { Module } from "./module.ts";
import { ModuleMap, modulesOf } from "./module-map.ts";

/** How a network applies its linear layers: as they are, or with a LoRA beside them. */
export type ApplyLinear = (layer: Linear, x: Float<"... in">) => Float<"... out">;

/** Applies the layer alone. */
export const plainLinear: ApplyLinear = (layer, x) => layer.forward(x);

/** One low-rank update: `x·Aᵀ·Bᵀ`. */
export class LoraPair extends Module {
  /** A, as PyTorch's default for linear layers. */
  readonly down: Float<"r in">;
  /** B, zero at birth. */
  readonly up: Float<"out r">;

  constructor(rng: Rng, inputs: number, outputs: number, rank: number) {
    super();
    this.down = fanInUniform(rng, [rank, inputs], inputs);
    this.up = zeroInit(new Linear(rng, rank, outputs, { bias: false })).weight;
  }

  forward(x: Float<"... in">): Float<"... out"> {
    return linear(linear(x, this.down, null), this.up, null);
  }
}

/** What a LoRA is made with. */
export type LoraOptions = {
  /** Inner width r of every update. */
  readonly rank: number;
  /** The update is scaled by alpha / rank; default: rank. */
  readonly alpha?: number;
  /** Which linear layers get an update, by path; default: all. */
  readonly targets?: (path: string) => boolean;
};

/**
 * Low-rank updates of a network's linear layers (Hu et al., 2021), held apart from the network.
 *
 * A LoRA is passed to a forward pass as `apply`: with it the network is adapted, without it the network is
 * what it was. B = 0 at birth, so a fresh LoRA changes nothing, bit for bit. Parameters are named
 * `<path>.down` and `<path>.up`.
 */
export class Lora extends ModuleMap<LoraPair> {
  readonly #scale: number;
  readonly #bound = new WeakMap<Module, ReadonlyMap<Linear, LoraPair>>();

  constructor(
    rng: Rng,
    network: Module,
    { rank, alpha = rank, targets = () => true }: LoraOptions,
  ) {
    const layers = [...modulesOf(network, Linear)].filter(([path]) => targets(path));
    if (layers.length === 0)
      throw new ConfigError("expected LoRA targets that name a linear layer, they name none");
    super(
      new Map(
        layers.map(([path, { weight }]) => {
          const [outputs = 0, inputs = 0] = weight.shape;
          return [path, new LoraPair(rng.split(path), inputs, outputs, rank)];
        }),
      ),
    );
    this.#scale = alpha / rank;
  }

  /**
   * The way `network`, any instance of the topology this was made for, applies its layers with this LoRA; `base` is how
   * it applies them without: with another LoRA, whose updates then add to this one's.
   */
  on(network: Module, base: ApplyLinear = plainLinear): ApplyLinear {
    const pairs = this.#pairsOf(network);
    return (layer, x) => {
      const pair = pairs.get(layer);
      const y = base(layer, x);
      return pair ? y.addScaled(pair.forward(x), this.#scale) : y;
    };
  }

  /** Adds the updates to the weights of `network`. */
  merge(network: Module): void {
    this.#addToWeights(network, this.#scale);
  }

  /** Takes the updates out of the weights of `network` again, up to float32 rounding. */
  unmerge(network: Module): void {
    this.#addToWeights(network, -this.#scale);
  }

  #addToWeights(network: Module, factor: number): void {
    noGrad(() => {
      for (const [{ weight }, { down, up }] of this.#pairsOf(network)) {
        const merged: Tensor = scoped(() => weight.addScaled(up.matmul(down), factor));
        weight.detach().copyFrom(merged);
      }
    });
  }

  #pairsOf(network: Module): ReadonlyMap<Linear, LoraPair> {
    const known = this.#bound.get(network);
    if (known) return known;
    const layers = modulesOf(network, Linear);
    const pairs = new Map<Linear, LoraPair>();
    for (const [path, pair] of this.entries()) {
      const layer = layers.get(path);
      if (!layer)
        throw new ShapeError(
          `expected a network with the linear layer ${path} of this LoRA, found none`,
        );
      pairs.set(layer, pair);
    }
    this.#bound.set(network, pairs);
    return pairs;
  }
}
