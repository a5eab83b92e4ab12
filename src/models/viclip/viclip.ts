import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { Module, parameter } from "../../nn/module.ts";
import type { ViclipConfig } from "./config.ts";
import { ViclipTextEncoder } from "./text-encoder.ts";
import { VideoEncoder } from "./video-encoder.ts";

/** ViCLIP (InternVid; Wang et al., 2023): videos and texts as vectors of one space, which agree where their contents do. */
export class Viclip extends Module {
  readonly visionEncoder: VideoEncoder;
  readonly textEncoder: ViclipTextEncoder;
  /** The temperature of its training; nothing here reads it. */
  readonly temp: Float<"">;
  readonly config: ViclipConfig;

  constructor(rng: Rng, config: ViclipConfig) {
    super();
    this.visionEncoder = new VideoEncoder(rng.split("video"), config);
    this.textEncoder = new ViclipTextEncoder(rng.split("text"), config);
    this.temp = parameter(Tensor.scalar(0.01));
    this.config = config;
  }
}

/** The frames that ViCLIP is shown of a video of `count`: `wanted` at equal steps from the first, the rest left out. */
export function sampledFrames(count: number, wanted: number): number[] {
  const step = Math.floor(count / wanted);
  if (step === 0) {
    throw new ShapeError(`expected a video of at least ${wanted} frames for ViCLIP, got ${count}`);
  }
  return Array.from({ length: wanted }, (_, index) => index * step);
}
