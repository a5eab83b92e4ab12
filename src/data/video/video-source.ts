import type { FrameSource } from "./frame-source.ts";
import { GivenFrames } from "./given-frames.ts";
import { probeVideo, type VideoInfo } from "./probe.ts";
import { type DecodedFrame, readFrames } from "./reader.ts";

/** What can be edited: the path of a video, of a picture or of a folder of pictures, or frames that a program gives. */
export type VideoSource = string | FrameSource;

/** A file, or a folder of pictures, as something to edit. */
class VideoFile {
  readonly type = "file";
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** As `probeVideo`. */
  probe(): Promise<VideoInfo> {
    return probeVideo(this.path);
  }

  /** As `readFrames`. */
  frames(signal?: AbortSignal): AsyncIterable<DecodedFrame> {
    return readFrames(this.path, signal ? { signal } : {});
  }
}

/** A source to read from: `probe` tells what it holds, then `frames` gives its frames. */
export type OpenSource = VideoFile | GivenFrames;

/** The file at a path, to read from; opens nothing yet. */
export function videoFile(path: string): OpenSource {
  return new VideoFile(path);
}

/**
 * Does `work` with a source, and closes it behind that.
 *
 * A program whose frames cannot be closed is told so, unless the work has failed before.
 */
export async function withSource<Result>(
  video: VideoSource,
  work: (source: OpenSource) => Promise<Result>,
): Promise<Result> {
  if (typeof video === "string") return await work(videoFile(video));
  const frames = new GivenFrames(video);
  let result: Result;
  try {
    result = await work(frames);
  } catch (error) {
    await frames[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
  await frames[Symbol.asyncDispose]();
  return result;
}
