import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import {
  claimSettings,
  dataFiles,
  type ClipRecord,
  type ClipSettings,
} from "../../src/data/clips/dataset.ts";
import { writeJsonLines } from "../../src/data/clips/json-lines.ts";

/** Settings of clips that were never made. */
export const CLIP_SETTINGS: ClipSettings = {
  format: 1,
  model: "small",
  autoencoder: "abc",
  frames: 4,
  size: 32,
  stride: 1,
  clipsPerVideo: 1,
};

/** Records of clips with these captions, each of a video of its own. */
export function clipRecords(captions: readonly string[]): ClipRecord[] {
  return captions.map((caption, index) => ({
    index,
    source: `../videos/${index}.mp4`,
    bytes: 1000,
    clip: 0,
    clips: 1,
    start: 0,
    end: 0.12,
    fps: 25,
    width: 64,
    height: 48,
    sha256: createHash("sha256").update(`clip ${index}`).digest("hex"),
    shard: `0000000-${captions.length}`,
    row: index,
    caption,
  }));
}

/** Writes a data set of clips with these captions and without latents or pictures into `folder`. */
export function writeDataSet(folder: string, captions: readonly string[]): ClipRecord[] {
  mkdirSync(folder, { recursive: true });
  claimSettings(folder, CLIP_SETTINGS);
  const clips = clipRecords(captions);
  writeJsonLines(dataFiles(folder).clips, clips);
  writeFileSync(dataFiles(folder).skipped, "");
  return clips;
}
