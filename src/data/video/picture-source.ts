import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { readPicture, type ReadPicture } from "../image/read-picture.ts";
import { seconds, type TimeBase } from "./time-base.ts";

/** When a picture is shown, in ticks. */
interface Shown {
  readonly pts: bigint;
  readonly duration: bigint;
}

/** Pictures that are read as a video: one file, or a folder of them by their names. */
export interface PictureSource {
  readonly files: readonly string[];
  readonly timeBase: TimeBase;
  readonly shown: readonly Shown[];
  /** Whether nothing says at what times the pictures are shown. */
  readonly isUntimed: boolean;
}

/** Where nothing says how long pictures are shown: 25 a second. */
export const USUAL_TIME_BASE: TimeBase = { num: 1, den: 25 };

/** The file beside pictures in which an edit notes at what times they are shown. */
const TIMES_FILE = "frames.json";

/** Whether a path is named as a picture that can be read. */
export function isPictureFile(path: string): boolean {
  return /\.(png|jpe?g|webp)$/i.test(path);
}

/** The pictures in a folder, by their names with numbers in them counted as such. */
export async function picturesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .filter(isPictureFile)
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => join(folder, name));
}

/** Whether a file beside pictures is one in which an edit notes their times, for itself or for FFmpeg. */
export function isTimesFile(name: string): boolean {
  return name === TIMES_FILE || name === "frames.ffconcat";
}

/** Bytes of all files that a folder of pictures is read from, that with their times among them. */
export async function pictureBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of [...(await picturesIn(folder)), join(folder, TIMES_FILE)])
    bytes += (await stat(file).catch(() => null))?.size ?? 0;
  return bytes;
}

/**
 * The pictures at a path, a still one by what is in it; undefined where it is a file of another kind, or nothing.
 *
 * Throws a UserError of one sentence for a folder without pictures.
 */
export async function pictureSourceAt(path: string): Promise<PictureSource | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isDirectory())
    return status?.isFile() === true && (await isStill(path)) ? untimed([path]) : undefined;
  const files = await picturesIn(path);
  if (files.length === 0)
    throw new UserError(`${path} holds no picture: give a video, or a folder of PNG or JPEG.`);
  return (await timedAs(path, files)) ?? untimed(files);
}

/** Reads the pictures of a source one by one; throws a DataError that names one of another size than the first. */
export async function* readPictures({
  files,
}: Pick<PictureSource, "files">): AsyncGenerator<ReadPicture, void, undefined> {
  let first: ReadPicture | undefined;
  for (const file of files) {
    const picture = await readPicture(file);
    first ??= picture;
    if (picture.width !== first.width || picture.height !== first.height) {
      throw new DataError(
        `${basename(file)} is ${picture.width} × ${picture.height} as it is shown, and ${basename(files[0]!)} is ${first.width} × ${first.height}: bring the pictures to one size.`,
      );
    }
    yield picture;
  }
}

/** Pictures a second, on average, exactly where all are shown as long. */
export function pictureRate({ timeBase, shown }: PictureSource): TimeBase {
  const { duration } = shown[0]!;
  if (shown.every((one) => one.duration === duration)) {
    return { num: timeBase.den, den: timeBase.num * Number(duration) };
  }
  const total = shown.reduce((sum, one) => sum + seconds(one.duration, timeBase), 0);
  return { num: Math.round((1000 * shown.length) / total), den: 1000 };
}

function untimed(files: readonly string[]): PictureSource {
  const shown = files.map((_, index) => ({ pts: BigInt(index), duration: 1n }));
  return { files, timeBase: USUAL_TIME_BASE, shown, isUntimed: true };
}

const Ticks = z
  .string()
  .regex(/^-?\d{1,18}$/)
  .transform(BigInt);

/** What `writePictures` notes beside pictures. */
const Times = z.looseObject({
  timeBase: z.looseObject({ num: z.int().positive(), den: z.int().positive() }),
  frames: z.array(
    z.looseObject({ file: z.string(), pts: Ticks, duration: Ticks.refine((ticks) => ticks > 0n) }),
  ),
});

/** The pictures with the times that `frames.json` beside them notes; undefined where it notes none of just these. */
async function timedAs(
  folder: string,
  files: readonly string[],
): Promise<PictureSource | undefined> {
  const text = await readFile(join(folder, TIMES_FILE), "utf8").catch(() => "");
  const times = Times.safeParse(jsonOf(text)).data;
  if (!times || times.frames.length !== files.length) return undefined;
  if (!files.every((file, index) => basename(file) === times.frames[index]!.file)) return undefined;
  const { num, den } = times.timeBase;
  return { files, timeBase: { num, den }, shown: times.frames, isUntimed: false };
}

/** Whether a file holds one picture: a JPEG, or a PNG or WebP that does not move. */
async function isStill(path: string): Promise<boolean> {
  await using file = await open(path).catch(() => null); // whoever opens it as a video says why not
  if (!file) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.subarray(0, 3).toString("hex") === "ffd8ff") return true;
  const isPng = head.subarray(0, 8).toString("hex") === "89504e470d0a1a0a";
  if (isPng) return !head.includes("acTL");
  const isWebp =
    head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 12) === "WEBP";
  const moves = head.toString("latin1", 12, 16) === "VP8X" && (head[20]! & 0x02) !== 0;
  return isWebp && !moves;
}
