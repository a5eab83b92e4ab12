import { createSchedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { checkpoint } from "../../engine/checkpoint.ts";
import { returnFreedMemory } from "../../engine/freed-memory.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import {
  CONTROLNET,
  MOTION_ADAPTER,
  SPARSE_CONTROLNET,
  openNetwork,
  type OpenOptions,
} from "../../models/public-folder/networks.ts";
import { openPipeline } from "../../models/public-folder/pipeline.ts";
import type { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { convolutionsFinestFirst } from "../../models/unet/convolutions.ts";
import { packConvolutions, type Packing } from "../../nn/pack-convolutions.ts";
import { PublicEditAdapter, PublicVideoAdapter } from "../adapters/public-adapters.ts";
import { decodeLatents, encodePixels } from "../model/coding.ts";
import type { Networks } from "../stack/teachers.ts";
import type { OpenFolders } from "./open-folders.ts";

/** The public networks, put together as the paper's (§3.1); all are frozen. */
export interface OpenParts {
  readonly networks: Networks;
  readonly autoencoder: Autoencoder;
  readonly textEncoder: TextEncoder;
  readonly tokenizer: Tokenizer;
  /** Frames that the motion modules have positions for. */
  readonly maxFrames: number;
}

/** How public weights are opened as parts. */
export interface OpenPartsOptions extends OpenOptions {
  /** How to pack large kernels, for inference with small pictures on the CPU (`packConvolutions`); default: not at all. */
  readonly packing?: Packing | null;
}

/** Pictures of 512×512 through the autoencoder at once: each takes more than a gigabyte there. */
const CODING_BATCH = 1;

/**
 * Opens the public weights in `folders` as backbone, edit adapter and video adapter.
 *
 * Noise is that of the motion adapter, whose betas are linear between the ends of the pipeline's; backbone and ControlNet
 * get the labels under which they know a noise level.
 */
export function openParts(
  folders: OpenFolders,
  { packing = null, ...options }: OpenPartsOptions = {},
): OpenParts {
  const { unet, autoencoder, textEncoder, tokenizer, scheduler } = openPipeline(
    folders.pipeline,
    options,
  );
  const motion = openNetwork(folders.videoAdapter, MOTION_ADAPTER, options);
  const controlNet = openNetwork(folders.editAdapter, CONTROLNET, options);
  const firstFrames = openNetwork(folders.firstFrames, SPARSE_CONTROLNET, options);
  if (packing) {
    packConvolutions(convolutionsFinestFirst([unet, controlNet, firstFrames.controlNet]), packing);
    returnFreedMemory();
  }
  const networks: Networks = {
    unet,
    editAdapter: new PublicEditAdapter(controlNet),
    videoAdapter: new PublicVideoAdapter(motion, firstFrames),
    schedule: createSchedule({ ...scheduler.scheduleConfig, kind: "linear" }),
    imageSchedule: scheduler.schedule,
    kind: scheduler.kind,
    hintOf: (latents) => asHint(decodePictures(autoencoder, latents)),
  };
  const { maxFrames } = motion.config;
  return { networks, autoencoder, textEncoder, tokenizer, maxFrames };
}

/** Latents of pictures, a few at a time. */
export function encodePictures(
  autoencoder: Autoencoder,
  pixels: Pixels<"f 3 h w">,
): Float<"f c _ _"> {
  return encodePixels(autoencoder, pixels, CODING_BATCH);
}

/** Pictures of latents, within [-1, 1], a few at a time. */
export function decodePictures(
  autoencoder: Autoencoder,
  latents: Float<"f c h w">,
): Pixels<"f 3 _ _"> {
  return decodeLatents(autoencoder, latents, CODING_BATCH);
}

/**
 * The same, unbounded and differentiable. The backward pass decodes each frame once more: memory holds the intermediates
 * of one frame.
 */
export function decodeEach(autoencoder: Autoencoder, latents: Float<"f c h w">): Pixels<"f 3 _ _"> {
  const frames = Array.from({ length: latents.shape[0]! }, (_, frame) =>
    checkpoint((all: Tensor) => autoencoder.decode(all.narrow(0, frame, 1)), latents),
  );
  return Tensor.cat(frames, 0);
}

/** Pixels as a ControlNet is shown them: within [0, 1]. */
export function asHint(pixels: Pixels<"f 3 h w">): Float<"f 3 h w"> {
  return noGrad(() => pixels.mul(0.5).add(0.5));
}
