import { ConfigError, ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Module } from "../../nn/module.ts";
import { headsAt } from "../unet/config.ts";
import type { DownBlock, UpBlock } from "../unet/blocks.ts";
import type { TemporalHooks } from "../unet/pass.ts";
import type { EncoderMotionConfig } from "./config.ts";
import { MotionModule, type MotionShape } from "./motion-module.ts";

/** The motion modules of one level, one behind each of its layers; public names hold them in a list of this name. */
export class MotionLevel extends Module {
  readonly motionModules: readonly MotionModule[];

  constructor(rng: Rng, count: number, channels: number, shape: MotionShape) {
    super();
    this.motionModules = Array.from(
      { length: count },
      (_, i) => new MotionModule(rng.split(i), channels, shape),
    );
  }
}

/** What the modules of level `level` (0 the finest) are built from. */
export function motionShape(
  config: EncoderMotionConfig,
  level: number,
  { groups, attentions }: Pick<MotionShape, "groups" | "attentions">,
): MotionShape {
  const { maxFrames, transformerLayers, statistics } = config;
  return {
    maxFrames,
    transformerLayers,
    statistics,
    heads: headsAt(config, level),
    groups,
    attentions,
  };
}

/** Layers of an image network, each with the motion module that stands behind it. */
export type MotionPlaces = ReadonlyMap<Module, MotionModule>;

/** Behind each layer of a level: behind its transformer, or behind its ResNet where it has none. */
export function placesIn(
  { resnets, attentions }: DownBlock | UpBlock,
  { motionModules }: MotionLevel,
): [Module, MotionModule][] {
  if (resnets.length !== motionModules.length) {
    throw new ShapeError(
      `expected a level with ${motionModules.length} layers for its motion modules, got ${resnets.length}`,
    );
  }
  return motionModules.map((motion, i) => [attentions[i] ?? resnets[i]!, motion]);
}

/** What the network of `places` has to ask to see clips of `frames` frames move. */
export function motionHooks(
  places: MotionPlaces,
  frames: number,
  { maxFrames }: Pick<EncoderMotionConfig, "maxFrames">,
): TemporalHooks {
  if (!Number.isInteger(frames) || frames < 1 || frames > maxFrames) {
    throw new ConfigError(
      `expected 1 to ${maxFrames} frames, for which this motion adapter has positions, got ${frames}: use shorter windows`,
    );
  }
  return { behind: (layer, h) => places.get(layer)?.forward(h, frames) ?? h };
}
