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
  readonly alpha: number;

  constructor(
    rng: Rng,
    { weight }: AdaptedLayer,
    { rank, alpha }: { readonly rank: number; readonly alpha: number },
  ) {
    super();
    const [outputs = 0, ...fan] = weight.shape;
    const fanIn = fan.reduce((product, size) => product * size, 1);
    const places = fan.slice(1).map(() => 1);
    this.down = fanInUniform(rng, [rank, ...fan], fanIn);
    this.up = parameter(Tensor.zeros([outputs, rank, ...places]));
    this.alpha = alpha;
  }

  /** Inner width r. */
  get rank(): number {
    return this.down.shape[0]!;
  }

  /** What the update is multiplied by: alpha / rank. */
  get scale(): number {
    return this.alpha / this.rank;
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
  /** Inner width r: of every update, or of each by its path. */
  readonly rank: number | ((path: string) => number);
  /** An update is scaled by alpha / rank; default: rank. */
  readonly alpha?: number | ((path: string) => number);
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
  readonly #bound = new WeakMap<Module, ReadonlyMap<AdaptedLayer, LoraPair>>();

  constructor(rng: Rng, network: Module, { rank, alpha = rank, targets = isLinear }: LoraOptions) {
    const layers = [...adaptedLayers(network)].filter(([path, layer]) => targets(path, layer));
    if (layers.length === 0)
      throw new ConfigError(
        "expected LoRA targets that name a linear layer or a convolution, they name none",
      );
    super(
      new Map(
        layers.map(([path, layer]) => {
          const shape = { rank: valueAt(rank, path), alpha: valueAt(alpha, path) };
          return [path, new LoraPair(rng.split(path), layer, shape)];
        }),
      ),
    );
  }

  /**
   * The way `network`, any instance of the topology this was made for, applies its layers with this LoRA, its updates
   * times `strength`; `base` is how it applies them without: with another LoRA, whose updates then add to this one's.
   */
  on(network: Module, base: ApplyLayer = plainLayer, strength = 1): ApplyLayer {
    const pairs = this.pairsOn(network);
    return (layer, x) => {
      const pair = pairs.get(layer);
      const y = base(layer, x);
      return pair ? y.addScaled(pair.forward(layer, x), strength * pair.scale) : y;
    };
  }

  /** Its updates by the layers of `network`; a ShapeError where that lacks one of them. */
  pairsOn(network: Module): ReadonlyMap<AdaptedLayer, LoraPair> {
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

/** One of several LoRAs, and how strongly it speaks: 1, the default, is as it was trained. */
export type WeightedLora = { readonly lora: Lora; readonly strength?: number };

/** How `network` applies its layers with several LoRAs at once: their updates add up. */
export function withLoras(
  network: Module,
  loras: readonly WeightedLora[],
  base: ApplyLayer = plainLayer,
): ApplyLayer {
  return loras.reduce((apply, { lora, strength }) => lora.on(network, apply, strength), base);
}

/**
 * Adds the updates of LoRAs, each at its strength, to the weights of `network`; at the negative one they are taken out again,
 * up to rounding. They are summed before the sum is
 * rounded to what weights are stored in.
 */
export function mergeLoras(network: Module, loras: readonly WeightedLora[]): void {
  const layers = new Set(loras.flatMap(({ lora }) => [...lora.pairsOn(network).keys()]));
  noGrad(() => {
    for (const layer of layers) {
      const merged = scoped(() =>
        loras.reduce((sum, { lora, strength = 1 }) => {
          const pair = lora.pairsOn(network).get(layer);
          return pair ? sum.addScaled(pair.product(), strength * pair.scale) : sum;
        }, layer.weight),
      );
      layer.weight.detach().copyFrom(merged);
    }
  });
}

function valueAt(value: number | ((path: string) => number), path: string): number {
  return typeof value === "number" ? value : value(path);
}

function isLinear(_path: string, layer: AdaptedLayer): boolean {
  return layer instanceof Linear;
}

/** The linear layers of `network` and behind them its convolutions, by path, each in declaration order. */
export function adaptedLayers(network: Module): ReadonlyMap<string, AdaptedLayer> {
  const linears: ReadonlyMap<string, AdaptedLayer> = modulesOf(network, Linear);
  return new Map([...linears, ...modulesOf(network, Conv2d)]);
}
