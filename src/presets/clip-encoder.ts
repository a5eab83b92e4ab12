import { join } from "node:path";
import { z } from "zod";
import { encodeFrames } from "../data/caches/encode-frames.ts";
import type { ClipSettings } from "../data/clips/dataset.ts";
import type { EncodeClip } from "../data/clips/store.ts";
import { toPixels } from "../data/pixels.ts";
import type { DeviceChoice } from "../engine/device-choices.ts";
import { chooseDevice } from "../engine/device.ts";
import { UserError } from "../engine/errors.ts";
import { useAllCores } from "../engine/settings.ts";
import { VideoAdapterConfig } from "../eve/adapters/video-adapter.ts";
import { autoencoderHash, ModelFolder } from "../eve/model/model-folder.ts";
import { loadAutoencoder } from "../eve/model/parts.ts";
import { openAutoencoderHash, openPartFolder, type OpenFolders } from "../eve/open/open-folders.ts";
import { OPEN_NAME, OPEN_SIZE } from "../eve/open/open-name.ts";
import { encodePictures } from "../eve/open/open-parts.ts";
import { parsePublicConfig } from "../models/motion/weights.ts";
import { readJson } from "../models/public-weights/json.ts";
import { AUTOENCODER, openNetwork } from "../models/public-folder/networks.ts";
import { latentStride, VaeConfig } from "../models/vae/config.ts";

/** What is asked of clips beside the model; what is left out is the model's own. */
export interface ClipRequest {
  readonly frames?: number | undefined;
  readonly size?: number | undefined;
  readonly stride: number;
  readonly clipsPerVideo: number;
}

/** Frames of a clip where no video adapter says how many. */
const DEFAULT_FRAMES = 8;
/** Frames of a clip for the open model: half of what its motion modules like best, for memory. */
const OPEN_FRAMES = 8;
/** What sides of its pictures are multiples of: eight pixels a latent, and eight latents at the coarsest level. */
const OPEN_MULTIPLE = 64;

/**
 * The settings of clips for the model in `path`: its own size and window where `request` leaves them open.
 *
 * Throws a UserError for a size that the autoencoder cannot halve down to its latents. Loads no weights.
 */
export function clipSettings(path: string, request: ClipRequest): ClipSettings {
  const folder = new ModelFolder(path);
  const { name, size: own } = folder.description();
  const size = request.size ?? own;
  const stride = latentStride(folder.config("autoencoder", VaeConfig));
  if (size % stride !== 0) {
    throw new UserError(
      `--size: expected a multiple of ${stride}, which the autoencoder of ${path} needs, got ${size}`,
    );
  }
  return {
    format: 1,
    model: name,
    autoencoder: autoencoderHash(folder),
    frames: request.frames ?? windowOf(folder),
    size,
    stride: request.stride,
    clipsPerVideo: request.clipsPerVideo,
  };
}

/** Loads the autoencoder of the model in `path`, and gives what makes latents of clips. */
export function openClipEncoder(path: string, device: DeviceChoice = "auto"): EncodeClip {
  chooseDevice(device);
  const autoencoder = loadAutoencoder(new ModelFolder(path));
  return (frames, size) => encodeFrames(autoencoder, frames, size);
}

/** The settings of clips for the open model, as `clipSettings`; no more frames than its motion modules take. */
export function openClipSettings(folders: OpenFolders, request: ClipRequest): ClipSettings {
  const { size = OPEN_SIZE, frames = OPEN_FRAMES, stride, clipsPerVideo } = request;
  if (size % OPEN_MULTIPLE !== 0) {
    throw new UserError(
      `--size: expected a multiple of ${OPEN_MULTIPLE}, which the networks of the open model need, got ${size}`,
    );
  }
  const motion = readJson(
    join(openPartFolder(folders, "videoAdapter"), "config.json"),
    z.unknown(),
  );
  const { maxFrames } = parsePublicConfig(motion);
  if (frames > maxFrames) {
    throw new UserError(
      `--frames: expected at most ${maxFrames}, which the motion modules of the open model take, got ${frames}`,
    );
  }
  return {
    format: 1,
    model: OPEN_NAME,
    autoencoder: openAutoencoderHash(folders),
    frames,
    size,
    stride,
    clipsPerVideo,
  };
}

/** Loads the open model's autoencoder, and gives what makes latents of clips. */
export function openPublicClipEncoder(
  folders: OpenFolders,
  device: DeviceChoice = "auto",
): EncodeClip {
  chooseDevice(device);
  useAllCores();
  const autoencoder = openNetwork(openPartFolder(folders, "vae"), AUTOENCODER);
  return (frames, size) => encodePictures(autoencoder, toPixels(frames, size, size));
}

function windowOf(folder: ModelFolder): number {
  if (!folder.has("video-adapter")) return DEFAULT_FRAMES;
  return folder.config("video-adapter", VideoAdapterConfig).window;
}
