import type { ColourTags } from "./colour.ts";
import type { Orientation } from "./orientation.ts";
import type { SourceContents } from "./source-contents.ts";
import type { TimeBase } from "./time-base.ts";

/** What a video file holds, as far as its container and its first pictures tell. */
export interface VideoInfo extends SourceContents {
  /** What sentences call it: the path of a file. */
  readonly name: string;
  /** Where it lies; null where a program gives its frames. */
  readonly path: string | null;
  /** Pixels as shown, after rotation. */
  readonly width: number;
  readonly height: number;
  /** Pixels as stored, before rotation. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Degrees clockwise that a player turns the stored picture by. */
  readonly rotation: Orientation["rotation"];
  /** Whether a player also mirrors it, left to right, before turning it. */
  readonly mirrored: boolean;
  /** Whether its first pictures are woven of two fields. */
  readonly isInterlaced: boolean;
  /** The container's display matrix as it is (36 bytes), `null` without one. */
  readonly displayMatrix: Uint8Array | null;
  /** Pictures shown; `null` where only decoding would tell (VP8 with hidden frames). */
  readonly frames: number | null;
  /** From the first picture to the end of the last; 0 if the container does not tell. */
  readonly durationSeconds: number;
  /** When the first picture is shown, in seconds of the file's clock. */
  readonly startSeconds: number;
  /** Pictures over duration. */
  readonly averageFps: number;
  /** The frame rate the container states, exact: `num / den` pictures a second. */
  readonly frameRate: TimeBase;
  /** Whether the pictures last differently long; `undefined` if the container has no timestamps. */
  readonly variableFrameRate: boolean | undefined;
  /** Whether these are pictures, no video file, and whether anything says at what times they are shown. */
  readonly pictures: "timed" | "untimed" | null;
  /** The unit of the video stream's timestamps. */
  readonly timeBase: TimeBase;
  /** Pixel width over pixel height, `0/1` if unknown. */
  readonly sampleAspectRatio: TimeBase;
  readonly colour: ColourTags;
  readonly hasAudio: boolean;
  /** FFmpeg's name of each audio stream's codec. */
  readonly audioCodecs: readonly string[];
  /** FFmpeg's names: `h264`, `vp9`; `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`. */
  readonly codec: string;
  readonly container: string;
}
