import { dirname } from "node:path";
import { readPicture } from "../../data/image/read-picture.ts";
import { resizeBicubic } from "../../data/image/resize-bicubic.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import { DataError } from "../../engine/errors.ts";
import type { HeldTensors } from "../../engine/held-tensors.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { LoadedClip } from "../../models/clip/load-clip.ts";
import type { LoadedViclip } from "../../models/viclip/load-viclip.ts";
import { sampledFrames } from "../../models/viclip/viclip.ts";
import { clipImageFeatures, viclipVideoFeatures } from "./clip-features.ts";

/** The side that TGVE's script brings every frame to before anything else, in pixels. */
export const TGVE_SIDE = 480;

/** Frames that are in memory at once. */
const AT_ONCE = 8;

/** The networks to score with; those left out are not asked. */
export interface TgveEncoders {
  /** OpenAI's CLIP L/14. */
  readonly clip?: LoadedClip | undefined;
  /** PickScore's H/14. */
  readonly pick?: LoadedClip | undefined;
  readonly viclip?: LoadedViclip | undefined;
}

/** A video as the networks see it; null where one was left out. */
export interface SeenVideo {
  readonly clip: Float<"f d"> | null;
  readonly pick: Float<"f d"> | null;
  readonly viclip: Float<"1 d"> | null;
}

/** How `seeVideo` works. */
interface Watching {
  /** What owns the vectors. */
  readonly held: HeldTensors;
  /** Takes effect after `AT_ONCE` frames. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Shows the frames in `paths`, in order, to the networks.
 *
 * ViCLIP gets its few frames; where it is alone the others are not read. Throws a DataError where there are too few.
 */
export async function seeVideo(
  paths: readonly string[],
  { clip, pick, viclip }: TgveEncoders,
  { held, signal }: Watching,
): Promise<SeenVideo> {
  requireFrames(paths, { clip, pick, viclip });
  const wanted = viclip?.network.config.video.frames ?? 0;
  const shown = new Set(viclip ? sampledFrames(paths.length, wanted) : []);
  const files = paths
    .map((path, index) => ({ path, isShown: shown.has(index) }))
    .filter(({ isShown }) => clip !== undefined || pick !== undefined || isShown);
  const seen = { clip: new Array<Tensor>(), pick: new Array<Tensor>() };
  const kept: RgbImage[] = [];
  for (let start = 0; start < files.length; start += AT_ONCE) {
    signal?.throwIfAborted();
    const some = files.slice(start, start + AT_ONCE);
    const frames = await Promise.all(some.map(({ path }) => tgveFrame(path)));
    if (clip) seen.clip.push(held.make(() => clipImageFeatures(clip, frames)));
    if (pick) seen.pick.push(held.make(() => clipImageFeatures(pick, frames)));
    kept.push(...frames.filter((_, index) => some[index]?.isShown));
  }
  const joined = (parts: readonly Tensor[]): Tensor => held.make(() => Tensor.cat(parts, 0));
  return {
    clip: clip ? joined(seen.clip) : null,
    pick: pick ? joined(seen.pick) : null,
    viclip: viclip ? held.make(() => viclipVideoFeatures(viclip, kept)) : null,
  };
}

/** A frame's file as TGVE's script sees it. */
export async function tgveFrame(path: string): Promise<RgbImage> {
  return resizeBicubic(await readPicture(path), { width: TGVE_SIDE, height: TGVE_SIDE });
}

/** Throws a DataError where a video has too few frames for one of the networks. */
export function requireFrames(paths: readonly string[], { clip, viclip }: TgveEncoders): void {
  const least = Math.max(viclip?.network.config.video.frames ?? 0, clip ? 2 : 1);
  if (paths.length >= least) return;
  const folder = dirname(paths[0] ?? "");
  throw new DataError(`${folder}: expected at least ${least} frames, got ${paths.length}`);
}
