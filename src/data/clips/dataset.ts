import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { replaceFile } from "../../engine/replace-file.ts";
import { readJsonLines } from "./json-lines.ts";

/** How the clips of a data set were made; all of it decides what its latents are. */
export const ClipSettings = z.strictObject({
  /** Version of the folder's layout. */
  format: z.literal(1),
  /** Whose autoencoder made the latents: the model's name. */
  model: z.string(),
  /** Identifies the encoder that made the latents. */
  autoencoder: z.string(),
  /** Frames of a clip. */
  frames: z.int().positive(),
  /** Side of the square that frames are fitted into, in pixels. */
  size: z.int().positive(),
  /** Frames of the video from one frame of a clip to the next. */
  stride: z.int().positive(),
  clipsPerVideo: z.int().positive(),
});
export type ClipSettings = z.infer<typeof ClipSettings>;

/** Where a clip comes from: what is kept beside its latents. */
export const ClipOrigin = z.strictObject({
  /** The video, relative to the data set's folder, with forward slashes; a folder of pictures ends with one. */
  source: z.string(),
  /** Size of the video's file, or of its pictures' files together, by which a changed one is noticed. */
  bytes: z.int().nonnegative(),
  /** The clip's number among those of its video, from 0, and how many were planned. */
  clip: z.int().nonnegative(),
  clips: z.int().positive(),
  /** From the first frame's time to the last one's, in seconds of the video. */
  start: z.number(),
  end: z.number(),
  /** Frames a second of the video. */
  fps: z.number().nonnegative(),
  /** Size of the video's frames as shown, in square pixels. */
  width: z.int().positive(),
  height: z.int().positive(),
  /** Of the fitted frames' bytes. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** What the autoencoder computed in; absent where a clip was made before that was noted. */
  precision: z.enum(["float32", "bfloat16"]).optional(),
});
export type ClipOrigin = z.infer<typeof ClipOrigin>;

/** One line of `clips.jsonl`. */
export const ClipRecord = z.strictObject({
  /** The clip's number in the data set, from 0. */
  index: z.int().nonnegative(),
  ...ClipOrigin.shape,
  /** Where its latents lie: the shard's file without its ending, and the row in it. */
  shard: z.string(),
  row: z.int().nonnegative(),
  /** What the clip shows; empty where nobody has said. */
  caption: z.string(),
});
export type ClipRecord = z.infer<typeof ClipRecord>;

/** A video, or one clip of it, that was left out, and why. */
export const SkippedVideo = z.strictObject({ source: z.string(), reason: z.string() });
export type SkippedVideo = z.infer<typeof SkippedVideo>;

/** The files of a data set, by what they hold. */
export function dataFiles(folder: string) {
  const file = (name: string): string => join(folder, name);
  return {
    settings: file("dataset.json"),
    latents: file("latents"),
    waiting: file("waiting"),
    strips: file("strips"),
    clips: file("clips.jsonl"),
    skipped: file("skipped.jsonl"),
    sheet: file("contact-sheet.png"),
    instructions: file("instructions.jsonl"),
    rejected: file("rejected.jsonl"),
    page: file("page.html"),
    lock: file("lock"),
  } as const;
}

/** The picture of a clip's frames side by side. */
export function stripPath(folder: string, index: number): string {
  return join(dataFiles(folder).strips, `${String(index).padStart(7, "0")}.jpg`);
}

/** Whether `folder` is a data set: what is in it was made of videos. */
export function isDataSet(folder: string): boolean {
  const { settings: path } = dataFiles(folder);
  return existsSync(path) && ClipSettings.safeParse(jsonOf(readFileSync(path, "utf8"))).success;
}

/** How a clip is called in messages and on pages: `videos/fox.mp4`, from the second on with its number. */
export function clipName({ source, clip }: Pick<ClipOrigin, "source" | "clip">): string {
  return clip === 0 ? source : `${source}#${clip + 1}`;
}

/** The settings of the data set in `folder`, or null where there is none. */
export function readSettings(folder: string): ClipSettings | null {
  const { settings: path } = dataFiles(folder);
  if (!existsSync(path)) return null;
  try {
    return ClipSettings.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new DataError(`${path} does not describe clips that this version knows`, { cause });
  }
}

/** The clips of a data set; a UserError where `folder` holds none. */
export function readClips(folder: string): { settings: ClipSettings; clips: ClipRecord[] } {
  const settings = readSettings(folder);
  const clips = settings ? readJsonLines(dataFiles(folder).clips, ClipRecord) : [];
  if (settings && clips.length > 0) return { settings, clips };
  throw new UserError(
    `expected prepared clips in ${folder}, found none: make them with "./eve data prepare <folder of videos> --out ${folder}"`,
  );
}

/**
 * Makes `folder`'s settings be `wanted`; they are written where there were none.
 *
 * Throws a UserError where other settings made what is there, or where it holds something else.
 */
export function claimSettings(folder: string, wanted: ClipSettings): void {
  checkSettings(folder, wanted);
  replaceFile(dataFiles(folder).settings, `${JSON.stringify(wanted, null, 2)}\n`);
}

/** As `claimSettings`, but writes nothing. */
export function checkSettings(folder: string, wanted: ClipSettings): void {
  const found = readSettings(folder);
  if (found === null) {
    const foreign = existsSync(folder) ? readdirSync(folder).filter(isForeign) : [];
    if (foreign.length === 0) return;
    throw new UserError(
      `${folder} holds other files (${foreign.slice(0, 3).join(", ")}) and no prepared clips: give an empty or a new folder`,
    );
  }
  const before = new Map<string, string | number>(Object.entries(found));
  const changes = Object.entries(wanted)
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => `${name} ${before.get(name)}, now asked for ${value}`);
  const { latents, waiting } = dataFiles(folder);
  if (changes.length === 0 || ![latents, waiting].some((path) => existsSync(path))) return;
  throw new UserError(
    `the clips in ${folder} were made with ${changes.join("; ")}: give the same settings, or another --out`,
  );
}

/** The lock of a running command is no content. */
function isForeign(name: string): boolean {
  return !name.startsWith("lock");
}
