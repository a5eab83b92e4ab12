import { standardColour } from "./colour.ts";
import type { VideoInfo } from "./video-info.ts";

/** What pictures that are edited as a video tell of themselves. */
export type PictureFacts = Pick<
  VideoInfo,
  | "name"
  | "path"
  | "width"
  | "height"
  | "frames"
  | "durationSeconds"
  | "averageFps"
  | "frameRate"
  | "variableFrameRate"
  | "pictures"
  | "timeBase"
  | "hasAlpha"
>;

/** Pictures described as a video: upright, of square pixels with 8 bits, and with nothing beside them. */
export function pictureInfo<Facts extends PictureFacts>(facts: Facts): Facts & VideoInfo {
  return {
    ...facts,
    codedWidth: facts.width,
    codedHeight: facts.height,
    rotation: 0,
    mirrored: false,
    isInterlaced: false,
    displayMatrix: null,
    startSeconds: 0,
    sampleAspectRatio: { num: 1, den: 1 },
    colour: standardColour,
    hasAudio: false,
    audioCodecs: [],
    codec: "pictures",
    container: "pictures",
    bitDepth: 8,
    hdr: null,
    subtitleCodecs: [],
    others: [],
    chapters: [],
    contentCredentials: null,
  };
}
