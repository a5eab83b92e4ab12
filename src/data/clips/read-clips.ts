import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { fitFrame } from "../video/fit.ts";
import { shownAspect } from "../video/orientation.ts";
import { pictureBytes } from "../video/picture-source.ts";
import { probeVideo } from "../video/probe.ts";
import type { VideoInfo } from "../video/video-info.ts";
import { readFrames } from "../video/reader.ts";
import { DataError } from "../../engine/errors.ts";
import { clipStarts, spanOf, type Cut } from "./clip-plan.ts";
import type { ClipOrigin } from "./dataset.ts";

/** A clip with its pictures: `size × size` RGB bytes a frame. */
export interface ReadClip {
  readonly origin: ClipOrigin;
  readonly frames: readonly Uint8Array[];
}

/** How clips are read. */
export interface ReadClipOptions {
  /** How the video is called in records. */
  readonly source: string;
  readonly cut: Cut;
  /** Side of the square that frames are fitted into, in pixels. */
  readonly size: number;
  readonly signal: AbortSignal;
}

/** What a video is cut into, before any picture is decoded where the container tells its length. */
export interface VideoPlan {
  readonly bytes: number;
  readonly fps: number;
  /** Size as shown, in square pixels. */
  readonly width: number;
  readonly height: number;
  /** The first frame of each clip. */
  readonly starts: readonly number[];
}

/**
 * Plans the clips of a video.
 *
 * Throws a DataError for one that is too short, and what `probeVideo` throws for what is no readable video.
 */
export async function planVideo(path: string, cut: Cut, signal: AbortSignal): Promise<VideoPlan> {
  const info = await probeVideo(path);
  const { averageFps: fps, frames } = info;
  const length = frames ?? (await countFrames(path, signal));
  const starts = clipStarts(length, cut);
  if (starts.length === 0) {
    throw new DataError(
      `too short: ${length} frames, a clip of ${cut.frames} with stride ${cut.stride} takes ${spanOf(cut)}`,
    );
  }
  return { bytes: await sourceBytes(path), fps, ...squareSize(info), starts };
}

/** Bytes of a video's file, or of all files of a folder of pictures; 0 where there is nothing. */
export async function sourceBytes(path: string): Promise<number> {
  const status = await stat(path).catch(() => null);
  return status?.isDirectory() === true ? await pictureBytes(path) : (status?.size ?? 0);
}

/** The size of a video's frames where pixels that are no squares are made wider, or taller, until they are. */
function squareSize(info: VideoInfo): { width: number; height: number } {
  const { num, den } = shownAspect(info);
  const [wider, taller] = num > 0 && den > 0 ? [num / den, den / num] : [1, 1];
  return {
    width: Math.round(info.width * Math.max(1, wider)),
    height: Math.round(info.height * Math.max(1, taller)),
  };
}

/** Reads the planned clips of a video; decodes no further than the last one's end. */
export async function readClipsOf(
  path: string,
  { bytes, fps, width, height, starts }: VideoPlan,
  { source, cut, size, signal }: ReadClipOptions,
): Promise<ReadClip[]> {
  const clips = starts.map(() => ({ frames: [] as Uint8Array[], times: [] as number[] }));
  const end = starts.at(-1)! + spanOf(cut);
  for await (const frame of readFrames(path, { signal })) {
    const owner = starts.findLastIndex((start) => start <= frame.index);
    const step = owner < 0 ? -1 : frame.index - starts[owner]!;
    if (owner >= 0 && step % cut.stride === 0 && step < spanOf(cut)) {
      const { frames, times } = clips[owner]!;
      frames.push(fitFrame(frame.rgb, frame, size));
      times.push(frame.ptsSeconds);
    }
    if (frame.index + 1 >= end) break;
  }
  return clips.map(({ frames, times }, clip) => {
    if (frames.length < cut.frames)
      throw new DataError(`fewer frames can be decoded than its header says: re-encode it first`);
    const hash = createHash("sha256");
    for (const frame of frames) hash.update(frame);
    const [start, stop] = [times[0]!, times.at(-1)!].map((time) => Number(time.toFixed(6)));
    const span = { clip, clips: starts.length, start: start!, end: stop! };
    const shape = { fps: Number(fps.toFixed(3)), width, height };
    return { origin: { source, bytes, ...span, ...shape, sha256: hash.digest("hex") }, frames };
  });
}

/** Frames of a video whose container does not tell: all are decoded, small. */
async function countFrames(path: string, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of readFrames(path, { width: 16, height: 16, signal })) count++;
  return count;
}
