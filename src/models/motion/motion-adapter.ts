import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Module } from "../../nn/module.ts";
import { pathsAmong } from "../../nn/module-map.ts";
import type { TemporalHooks } from "../unet/pass.ts";
import type { UNet } from "../unet/unet.ts";
import type { MotionConfig } from "./config.ts";
import {
  MotionLevel,
  motionHooks,
  motionShape,
  placesIn,
  type MotionPlaces,
} from "./motion-places.ts";

/**
 * The motion modules of AnimateDiff (Guo et al., 2023), held apart from the U-Net they stand in.
 *
 * One stands behind every layer of every level, down and up: behind its transformer, or behind its ResNet where it
 * has none; in the middle block, where the config asks for one, between the transformer and the second ResNet. They
 * know neither text nor time. Passed to a forward pass as `on(unet, { frames })`; without it the U-Net is the image
 * network it was.
 */
export class MotionAdapter extends Module {
  readonly downBlocks: readonly MotionLevel[];
  readonly midBlock: MotionLevel | null;
  readonly upBlocks: readonly MotionLevel[];
  readonly config: MotionConfig;
  readonly #bound = new WeakMap<UNet, MotionPlaces>();

  constructor(rng: Rng, config: MotionConfig) {
    super();
    const { blockOutChannels: channels, layersPerBlock, normGroups: groups } = config;
    const coarsest = channels.length - 1;
    const levelAt = (name: string, level: number, count: number): MotionLevel => {
      const shape = motionShape(config, level, { groups, attentions: 2 });
      return new MotionLevel(rng.split(name).split(level), count, channels[level]!, shape);
    };
    this.downBlocks = channels.map((_, level) => levelAt("down", level, layersPerBlock));
    this.midBlock = config.midBlock ? levelAt("mid", coarsest, 1) : null;
    this.upBlocks = channels.map((_, i) => levelAt("up", coarsest - i, layersPerBlock + 1));
    this.config = config;
  }

  /**
   * What `unet`, any instance of the topology this was made for, has to ask to see clips move: `frames` of each lie
   * beside each other in the batch, at most `config.maxFrames`.
   */
  on(unet: UNet, { frames }: { readonly frames: number }): TemporalHooks {
    return motionHooks(this.#bind(unet), frames, this.config);
  }

  /** The layers of `unet` that it stands behind, by their paths. */
  places(unet: UNet): readonly string[] {
    return pathsAmong(unet, new Set(this.#bind(unet).keys()));
  }

  #bind(unet: UNet): MotionPlaces {
    const known = this.#bound.get(unet);
    if (known) return known;
    const { blockOutChannels, layersPerBlock } = this.config;
    const shape = (channels: readonly number[], layers: number): string =>
      `levels of ${channels.join(", ")} channels with ${layers} layers`;
    const wanted = shape(blockOutChannels, layersPerBlock);
    const given = shape(unet.config.blockOutChannels, unet.config.layersPerBlock);
    if (wanted !== given)
      throw new ShapeError(`expected a U-Net for this motion adapter, ${wanted}; got ${given}`);
    const { downBlocks, midBlock, upBlocks } = unet;
    const bound: MotionPlaces = new Map([
      ...this.downBlocks.flatMap((level, i) => placesIn(downBlocks[i]!, level)),
      ...(this.midBlock?.motionModules ?? []).map(
        (motion) => [midBlock.attentions[0], motion] as const,
      ),
      ...this.upBlocks.flatMap((level, i) => placesIn(upBlocks[i]!, level)),
    ]);
    this.#bound.set(unet, bound);
    return bound;
  }
}
