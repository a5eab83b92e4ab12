import type { FrameSource } from "./frame-source.ts";
import { type GivenFrames, withFrames } from "./given-frames.ts";
import { probeVideo } from "./probe.ts";
import type { VideoInfo } from "./video-info.ts";
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

/** Does `work` with a source, and closes it behind that, as `withFrames` does. */
export async function withSource<Result>(
  video: VideoSource,
  work: (source: OpenSource) => Promise<Result>,
): Promise<Result> {
  return typeof video === "string" ? await work(videoFile(video)) : await withFrames(video, work);
}
