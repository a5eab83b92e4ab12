import { noGrad } from "../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../engine/errors.ts";
import type { Rng } from "../engine/random.ts";
import { scoped } from "../engine/scope.ts";
import { Tensor } from "../engine/tensor.ts";
import { Conv2d, convolve } from "./conv.ts";
import { fanInUniform } from "./init.ts";
import { Linear, linear } from "./linear.ts";
import { Module, parameter } from "./module.ts";
import { ModuleMap, modulesOf } from "./module-map.ts";

/** A layer that a LoRA can stand beside. */
export type AdaptedLayer = Linear | Conv2d;

/** How a network applies its linear layers and convolutions: as they are, or with a LoRA beside them. */
export type ApplyLayer = (layer: AdaptedLayer, x: Tensor) => Tensor;

/** Applies the layer alone. */
export const plainLayer: ApplyLayer = (layer, x) => layer.forward(x);

/**
 * One low-rank update of a linear layer, `x·Aᵀ·Bᵀ`, or of a convolution: A convolves as the layer does, B mixes its r
 * channels place by place.
 */
export class LoraPair extends Module {
  /** A, as PyTorch's default for the layer it stands beside: `r in`, for a convolution `r in kh kw`. */
  readonly down: Tensor;
  /** B, zero at birth: `out r`, for a convolution `out r 1 1`. */
  readonly up: Tensor;

  constructor(rng: Rng, { weight }: AdaptedLayer, rank: number) {
    super();
    const [outputs = 0, ...fan] = weight.shape;
    const fanIn = fan.reduce((product, size) => product * size, 1);
    const places = fan.slice(1).map(() => 1);
    this.down = fanInUniform(rng, [rank, ...fan], fanIn);
    this.up = parameter(Tensor.zeros([outputs, rank, ...places]));
  }

  /** The update of what `layer` makes of `x`, unscaled. */
  forward(layer: AdaptedLayer, x: Tensor): Tensor {
    if (layer instanceof Linear) return linear(linear(x, this.down, null), this.up, null);
    return convolve(convolve(x, this.down, layer.geometry), this.up);
  }

  /** The update of the layer's weight, unscaled: `B·A`, in the weight's shape. */
  product(): Tensor {
    const [outputs = 0, rank = 0] = this.up.shape;
    const [, ...fan] = this.down.shape;
    const product = this.up.reshape([outputs, rank]).matmul(this.down.reshape([rank, -1]));
    return product.reshape([outputs, ...fan]);
  }
}

/** What a LoRA is made with. */
export type LoraOptions = {
  /** Inner width r of every update. */
  readonly rank: number;
  /** The update is scaled by alpha / rank; default: rank. */
  readonly alpha?: number;
  /** Which layers get an update, by path; default: all linear ones. */
  readonly targets?: (path: string, layer: AdaptedLayer) => boolean;
};

/**
 * Low-rank updates of a network's linear layers (Hu et al., 2021), and of its convolutions, held apart from the network.
 *
 * A LoRA is passed to a forward pass as `apply`: with it the network is adapted, without it the network is
 * what it was. B = 0 at birth, so a fresh LoRA changes nothing, bit for bit. Parameters are named
 * `<path>.down` and `<path>.up`.
 */
export class Lora extends ModuleMap<LoraPair> {
  readonly #scale: number;
  readonly #bound = new WeakMap<Module, ReadonlyMap<AdaptedLayer, LoraPair>>();

  constructor(rng: Rng, network: Module, { rank, alpha = rank, targets = isLinear }: LoraOptions) {
    const layers = [...adaptedLayers(network)].filter(([path, layer]) => targets(path, layer));
    if (layers.length === 0)
      throw new ConfigError(
        "expected LoRA targets that name a linear layer or a convolution, they name none",
      );
    super(
      new Map(layers.map(([path, layer]) => [path, new LoraPair(rng.split(path), layer, rank)])),
    );
    this.#scale = alpha / rank;
  }

  /**
   * The way `network`, any instance of the topology this was made for, applies its layers with this LoRA; `base` is how
   * it applies them without: with another LoRA, whose updates then add to this one's.
   */
  on(network: Module, base: ApplyLayer = plainLayer): ApplyLayer {
    const pairs = this.#pairsOf(network);
    return (layer, x) => {
      const pair = pairs.get(layer);
      const y = base(layer, x);
      return pair ? y.addScaled(pair.forward(layer, x), this.#scale) : y;
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
      for (const [{ weight }, pair] of this.#pairsOf(network)) {
        const merged: Tensor = scoped(() => weight.addScaled(pair.product(), factor));
        weight.detach().copyFrom(merged);
      }
    });
  }

  #pairsOf(network: Module): ReadonlyMap<AdaptedLayer, LoraPair> {
    const known = this.#bound.get(network);
    if (known) return known;
    const layers = adaptedLayers(network);
    const pairs = new Map<AdaptedLayer, LoraPair>();
    for (const [path, pair] of this.entries()) {
      const layer = layers.get(path);
      if (!layer)
        throw new ShapeError(`expected a network with the layer ${path} of this LoRA, found none`);
      pairs.set(layer, pair);
    }
    this.#bound.set(network, pairs);
    return pairs;
  }
}

function isLinear(_path: string, layer: AdaptedLayer): boolean {
  return layer instanceof Linear;
}

/** The linear layers and convolutions of `network`, by path, in declaration order. */
function adaptedLayers(network: Module): ReadonlyMap<string, AdaptedLayer> {
  const linears: ReadonlyMap<string, AdaptedLayer> = modulesOf(network, Linear);
  return new Map([...linears, ...modulesOf(network, Conv2d)]);
}
