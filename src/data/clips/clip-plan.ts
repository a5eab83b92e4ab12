/** How clips are cut from a video. */
export interface Cut {
  /** Frames of a clip. */
  readonly frames: number;
  /** Frames of the video from one frame of a clip to the next: 1 takes them all. */
  readonly stride: number;
  /** Clips of one video, where it is long enough: they never overlap. */
  readonly clipsPerVideo: number;
}

/** Frames of a video that one clip spans. */
export function spanOf({ frames, stride }: Pick<Cut, "frames" | "stride">): number {
  return (frames - 1) * stride + 1;
}

/**
 * The first frame of each clip of a video with `length` frames: each in the middle of its equal share of the video.
 *
 * As many as asked for, or as many as fit without overlap; none where the video is shorter than one.
 */
export function clipStarts(length: number, cut: Cut): number[] {
  const span = spanOf(cut);
  const count = Math.min(cut.clipsPerVideo, Math.floor(length / span));
  return Array.from({ length: count }, (_, clip) => {
    const [from, to] = [clip, clip + 1].map((share) => Math.floor((share * length) / count));
    return from! + ((to! - from! - span) >> 1);
  });
}
