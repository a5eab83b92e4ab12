import { dims, rearrange } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { Conv2d, pixelUnshuffle } from "../../nn/conv.ts";
import { zeroInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import { ModuleMap, modulesOf, pathsAmong } from "../../nn/module-map.ts";
import { requireHeads } from "../unet/config.ts";
import type { TemporalHooks } from "../unet/pass.ts";
import { Resnet } from "../unet/resnet.ts";
import { Transformer } from "../unet/transformer.ts";
import type { UNet } from "../unet/unet.ts";
import type { TemporalConfig } from "./config.ts";
import { TemporalAttention } from "./temporal-attention.ts";
import { TemporalConvolution } from "./temporal-convolution.ts";

/** The clips of one evaluation. */
export type Clips = {
  /** Frames of each clip in the batch axis. */
  readonly frames: number;
  /** `firstFrameCondition(latent)`, or all zeros for a clip without one. Without it no clip has a first frame. */
  readonly condition?: Float<"b e h w">;
};

/** Layers found in one instance of the U-Net, each with what stands behind it. */
type Bound = ReadonlyMap<Module, TemporalConvolution | TemporalAttention>;

/**
 * The temporal layers of a video adapter (Emu Video, §3.2; EVE, §3.1), held apart from the U-Net they stand in.
 *
 * A 1-D convolution stands behind either of the two convolutions of every ResNet, an attention along time behind every
 * spatial transformer. A fresh adapter is the identity. Passed to a forward pass as `on(unet, clips)`; without it
 * the U-Net is the image network it was.
 */
export class TemporalLayers extends Module {
  readonly convolutions: ModuleMap<TemporalConvolution>;
  readonly attentions: ModuleMap<TemporalAttention>;
  /** Reads the first frame: the extra input channels of the first convolution, kept here. No bias. */
  readonly convInExtra: Conv2d;
  readonly config: TemporalConfig;
  readonly #patchSize: number;
  readonly #bound = new WeakMap<UNet, Bound>();

  constructor(rng: Rng, unet: UNet, config: TemporalConfig) {
    super();
    const { heads, kernel, feedForwardExpansion: expansion } = config;
    requireHeads(unet.config.blockOutChannels, heads);
    this.convolutions = new ModuleMap(
      mapValues(resnetConvolutions(unet), (conv, path) => {
        const [channels = 0] = conv.weight.shape;
        return new TemporalConvolution(rng.split(path), channels, kernel);
      }),
    );
    this.attentions = new ModuleMap(
      mapValues(modulesOf(unet, Transformer), ({ norm }, path) => {
        const [channels = 0] = norm.weight.shape;
        return new TemporalAttention(rng.split(path), channels, { heads, expansion });
      }),
    );
    const [finest = 0] = unet.convIn.weight.shape;
    const { patchSize } = unet.config;
    const channels = config.conditionChannels * patchSize ** 2;
    const extra = new Conv2d(rng.split("convInExtra"), channels, finest, { bias: false });
    this.convInExtra = zeroInit(extra);
    this.#patchSize = patchSize;
    this.config = config;
  }

  /** What `unet`, any instance of the topology this was made for, has to ask to see `clips` move. */
  on(unet: UNet, { frames, condition }: Clips): TemporalHooks {
    const added = this.#bind(unet);
    return {
      behind: (layer, h) => {
        if (layer === unet.convIn && condition) return this.#addCondition(h, condition, frames);
        return added.get(layer)?.forward(h, frames) ?? h;
      },
    };
  }

  /** The layers of `unet` that it stands behind, by their paths. */
  places(unet: UNet): readonly string[] {
    return pathsAmong(unet, new Set([unet.convIn, ...this.#bind(unet).keys()]));
  }

  /** The same for clips whose first frames are known, or not. */
  beside(
    unet: UNet,
    {
      frames,
      firstFrame,
    }: { readonly frames: number; readonly firstFrame: Float<"b c h w"> | null },
  ): { readonly temporal: TemporalHooks } {
    const condition = firstFrame ? { condition: firstFrameCondition(firstFrame) } : {};
    return { temporal: this.on(unet, { frames, ...condition }) };
  }

  /** Adds what the extra channels say of the first frame, and, where the config asks for it, of those behind it. */
  #addCondition(
    h: Float<"(b f) c h w">,
    condition: Float<"b e h w">,
    frames: number,
  ): Float<"(b f) c h w"> {
    const { b } = dims(condition, "b _ _ _");
    const { b: images } = dims(h, "b _ _ _");
    if (images !== b * frames) {
      throw new ShapeError(
        `expected ${images / frames} first frames for ${images} images in clips of ${frames}, got ${b}`,
      );
    }
    const first = this.#readCondition(condition);
    const behind =
      this.config.firstFrameOn === "every"
        ? this.#readCondition(withoutMask(condition))
        : Tensor.zeros(first.shape, first.dtype, first.device);
    const told = Tensor.cat([first, behind.expand([-1, frames - 1, -1, -1, -1])], 1);
    return h.add(rearrange(told, "b f c h w -> (b f) c h w"));
  }

  #readCondition(condition: Float<"b e h w">): Float<"b 1 c _ _"> {
    return this.convInExtra.forward(pixelUnshuffle(condition, this.#patchSize)).unsqueeze(1);
  }

  #bind(unet: UNet): Bound {
    const known = this.#bound.get(unet);
    if (known) return known;
    const bound: Bound = new Map<Module, TemporalConvolution | TemporalAttention>([
      ...pair(resnetConvolutions(unet), this.convolutions),
      ...pair(modulesOf(unet, Transformer), this.attentions),
    ]);
    this.#bound.set(unet, bound);
    return bound;
  }
}

/** The extra input channels for a first frame: its latent and a mask of ones. */
export function firstFrameCondition(latent: Float<"b c h w">): Float<"b (c+1) h w"> {
  const { b, h, w } = dims(latent, "b _ h w");
  return Tensor.cat([latent, Tensor.ones([b, 1, h, w], latent.dtype, latent.device)], 1);
}

/** The latent of a condition with zeros for its mask: what frames behind the first are shown. */
function withoutMask(condition: Float<"b e h w">): Float<"b e h w"> {
  const { b, e, h, w } = dims(condition, "b e h w");
  const mask = Tensor.zeros([b, 1, h, w], condition.dtype, condition.device);
  return Tensor.cat([condition.narrow(1, 0, e - 1), mask], 1);
}

/**
 * The convolutions that a temporal one stands behind: the two of each ResNet.
 *
 * Deviation: Emu Video has one behind every spatial convolution, the first, the last and those that resample among them.
 */
function resnetConvolutions(unet: UNet): Map<string, Conv2d> {
  const resnets = [...modulesOf(unet, Resnet)];
  return new Map(
    resnets.flatMap(([path, { conv1, conv2 }]) => [
      [`${path}.conv1`, conv1],
      [`${path}.conv2`, conv2],
    ]),
  );
}

function mapValues<A, B>(
  map: ReadonlyMap<string, A>,
  change: (value: A, key: string) => B,
): Map<string, B> {
  return new Map([...map].map(([key, value]) => [key, change(value, key)]));
}

function pair<T extends Module>(
  layers: ReadonlyMap<string, Module>,
  added: ModuleMap<T>,
): Map<Module, T> {
  const pairs = new Map<Module, T>();
  for (const [path, layer] of layers) {
    const addition = added.get(path);
    if (addition) pairs.set(layer, addition);
  }
  if (pairs.size !== added.size) {
    throw new ShapeError(
      `expected a U-Net with the ${added.size} layers of this video adapter, found ${pairs.size}`,
    );
  }
  return pairs;
}
