import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, parse, resolve } from "node:path";
import { DataError, UserError } from "../../engine/errors.ts";
import { readBytes } from "./boxes.ts";
import { shownAspect } from "./orientation.ts";
import { isSameFile, requireSpace, temporaryName } from "../output-file.ts";
import { PictureFiles, type PictureKind, type PictureText } from "./picture-file.ts";
import type { VideoInfo } from "./video-info.ts";
import { seconds } from "./time-base.ts";
import type { WrittenFrame, WriteOptions, WrittenVideo } from "./writer.ts";

/**
 * How a folder of pictures is laid out.
 *
 * `png`: `000001.png` and on, with the times of all pictures in `frames.json` and `frames.ffconcat`, which FFmpeg
 * reads as a video. `tgve`: `00000.jpg` and on and nothing else, as the TGVE benchmark wants submissions.
 */
export const PICTURE_LAYOUTS = ["png", "tgve"] as const;
/** The name of a layout. */
export type PictureLayout = (typeof PICTURE_LAYOUTS)[number];

const layouts: Readonly<
  Record<PictureLayout, { kind: PictureKind; name: (index: number) => string; times: boolean }>
> = {
  png: { kind: "png", name: (index) => `${String(index + 1).padStart(6, "0")}.png`, times: true },
  tgve: { kind: "jpg", name: (index) => `${String(index).padStart(5, "0")}.jpg`, times: false },
};

/** Whether an output path names a folder: it ends with a slash. */
export function isPictureFolder(output: string): boolean {
  return /[\\/]$/.test(output);
}

/** Where TGVE's evaluation looks for an edit: `<root>/<set>/<video>/<task>/`. */
export function tgveFolder(root: string, set: string, video: string, task: string): string {
  return `${join(root, set, parse(video).name, task)}/`;
}

/**
 * Throws a UserError of one sentence if a folder of pictures cannot be written: a file of that name is there, a
 * folder that holds anything but pictures of an earlier edit, or the folder `input` itself, where that is one.
 */
export async function requirePictureFolder(output: string, input: string | null): Promise<void> {
  const names = await readdir(output).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new UserError(`${output} is not a folder: choose another output path.`, { cause: error });
  });
  if (input !== null && (await isSameFile(output, input)))
    throw new UserError(`The output ${output} is the input itself: choose another name.`);
  const foreign = names.find(
    (name) => !/^(\d{5}\.jpg|\d{6}\.png|frames\.(json|ffconcat))$/.test(name),
  );
  if (foreign === undefined) return;
  throw new UserError(
    `The folder ${output} holds ${foreign}, which is no picture of an edit: choose an empty or a new one.`,
  );
}

/** Writes edited pictures as numbered files into a folder, which appears when all are there. */
export async function writePictures(
  source: VideoInfo,
  output: string,
  frames: AsyncIterable<WrittenFrame>,
  layout: PictureLayout,
  options: WriteOptions = {},
): Promise<WrittenVideo> {
  await requirePictureFolder(output, source.path);
  const folder = resolve(output);
  const firstCreated = await mkdir(dirname(folder), { recursive: true });
  const temporary = temporaryName(folder);
  try {
    await mkdir(temporary);
    const count = await requireSpace(output, () =>
      writeAll({ source, folder: temporary, layout, options }, frames),
    );
    await verifyFolder(temporary, layout, count);
    await replaceFolder(temporary, folder);
    return { path: output, frames: count, audioStreams: 0, notices: [] };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (firstCreated !== undefined) await removeEmpty(dirname(folder), firstCreated);
    throw error;
  }
}

interface Job {
  readonly source: VideoInfo;
  readonly folder: string;
  readonly layout: PictureLayout;
  readonly options: WriteOptions;
}

async function writeAll(
  { source, folder, layout, options }: Job,
  frames: AsyncIterable<WrittenFrame>,
): Promise<number> {
  const { kind, name, times } = layouts[layout];
  const { metadata, digitalSourceType, signal } = options;
  const text: PictureText = { comment: metadata?.["comment"], digitalSourceType };
  using files = await PictureFiles.open(kind, source, shownAspect(source));
  const listed: { file: string; pts: string; duration: string; seconds: number; lasts: number }[] =
    [];
  for await (const { rgb, pts, duration } of frames) {
    signal?.throwIfAborted();
    const file = name(listed.length);
    await writeFile(join(folder, file), await files.encode(rgb, text));
    listed.push({
      file,
      pts: String(pts),
      duration: String(duration),
      seconds: seconds(pts, source.timeBase),
      lasts: seconds(duration, source.timeBase),
    });
  }
  signal?.throwIfAborted();
  if (listed.length === 0) throw new DataError(`${source.name} gave no picture to write.`);
  if (times) {
    const { timeBase } = source;
    await writeFile(
      join(folder, "frames.json"),
      `${JSON.stringify({ timeBase, frames: listed }, null, 1)}\n`,
    );
    const lines = listed.map(({ file, lasts }) => `file ${file}\nduration ${lasts.toFixed(6)}\n`);
    await writeFile(join(folder, "frames.ffconcat"), `ffconcat version 1.0\n${lines.join("")}`);
  }
  return listed.length;
}

/** Throws a DataError unless there are as many pictures as were edited, each complete. */
async function verifyFolder(folder: string, layout: PictureLayout, count: number): Promise<void> {
  const { kind, name } = layouts[layout];
  const last = kind === "png" ? "49454e44ae426082" : "ffd9";
  for (let index = 0; index < count; index++) {
    await using file = await open(join(folder, name(index)));
    const { size } = await file.stat();
    const end = await readBytes(file, Math.max(0, size - last.length / 2), last.length / 2);
    if (end.toString("hex") === last) continue;
    throw new DataError(
      `Picture ${name(index)} was not written whole: check the disk and edit again.`,
    );
  }
}

/** Puts a finished folder in the place of an earlier one, which goes last. */
async function replaceFolder(finished: string, folder: string): Promise<void> {
  // no temporary name: nobody may sweep away what is put back where this fails
  const old = join(dirname(folder), `.${basename(folder)}.before-${randomUUID().slice(0, 8)}`);
  const isThere = await rename(folder, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
  try {
    await rename(finished, folder);
  } catch (error) {
    if (isThere) await rename(old, folder);
    throw error;
  }
  if (isThere) await rm(old, { recursive: true });
}

/** Removes `folder` and those above it up to `last`, as long as they are empty: another edit may write beside this one. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let path = folder; path.startsWith(last); path = dirname(path)) {
    const isRemoved = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}
