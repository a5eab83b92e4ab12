import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { AV_FRAME_DATA_DISPLAYMATRIX } from "node-av/constants";
import {
  Dictionary,
  type FormatContext,
  Frame,
  InputFormat,
  Packet,
  type Stream,
} from "node-av/lib";
import { z } from "zod";
import { UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { openDecoder } from "./decoder.ts";

/** Pictures that are read as a video: one file, or a folder of them by their names. */
export interface PictureSource {
  readonly files: readonly string[];
  /** What FFmpeg's demuxer of pictures is given: a path, or a pattern. */
  readonly url: string;
  readonly pattern: "none" | "glob";
  /** Pictures a second. */
  readonly rate: number;
  /** Whether nothing says at what times the pictures are shown. */
  readonly isUntimed: boolean;
}

/** Pictures a second where nothing says how many. */
const USUAL_RATE = 25;

/** Whether a path is named as a picture that can be read. */
export function isPictureFile(path: string): boolean {
  return /\.(png|jpe?g|webp)$/i.test(path);
}

/** The pictures in a folder, by their names with numbers in them counted as such. */
export async function picturesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => isPictureFile(name) && !name.startsWith("."))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => join(folder, name));
}

/**
 * The pictures at a path; undefined where it is a file of another kind, or nothing.
 *
 * Throws a UserError of one sentence for a folder without pictures, or whose pictures FFmpeg would not read in order.
 */
export async function pictureSourceAt(path: string): Promise<PictureSource | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isDirectory()) {
    if (!status?.isFile() || !isPictureFile(path)) return undefined;
    return { files: [path], url: resolve(path), pattern: "none", ...untimed };
  }
  const files = await picturesIn(path);
  const [first] = files;
  if (first === undefined)
    throw new UserError(`${path} holds no picture: give a video, or a folder of PNG or JPEG.`);
  const ending = extname(first);
  const other = files.find((file) => extname(file) !== ending);
  if (other !== undefined) {
    throw new UserError(
      `${path} holds pictures of two endings (${basename(first)}, ${basename(other)}): give those of one.`,
    );
  }
  const asRead = files.toSorted((a, b) => (a < b ? -1 : 1));
  const displaced = files.find((file, index) => file !== asRead[index]);
  if (displaced !== undefined) {
    throw new UserError(
      `The pictures in ${path} are not in order by their names (${basename(displaced)}): number them with leading zeros.`,
    );
  }
  const folder = resolve(path).replaceAll(/[\\[\]{}*?,]/g, String.raw`\$&`);
  const rate = await statedRate(path, files.length);
  const times = rate === undefined ? untimed : { rate, isUntimed: false };
  return { files, url: join(folder, `*${ending}`), pattern: "glob", ...times };
}

/** Opens pictures with FFmpeg; its error where that is negative. */
export async function openPictures(
  context: FormatContext,
  { url, pattern, rate }: Omit<PictureSource, "files" | "isUntimed">,
): Promise<number> {
  using options = Dictionary.fromObject({
    protocol_whitelist: "file",
    pattern_type: pattern,
    framerate: String(rate),
  });
  return await context.openInput(url, InputFormat.findInputFormat("image2"), options);
}

/** How the first picture says that it is to be turned (36 bytes), as those of telephones do; null if it says nothing. */
export async function pictureMatrix(
  context: FormatContext,
  video: Stream,
  name: string,
): Promise<Uint8Array | null> {
  using decoder = await openDecoder(video, name, { threads: 1 });
  using packet = new Packet();
  packet.alloc();
  using frame = new Frame();
  frame.alloc();
  const steps = [
    () => context.readFrame(packet),
    () => decoder.sendPacket(packet),
    () => decoder.sendPacket(null),
    () => decoder.receiveFrame(frame),
  ];
  for (const step of steps) if ((await step()) < 0) return null; // reading the pictures says why
  const matrix = frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX);
  return matrix && Uint8Array.from(matrix);
}

const untimed = { rate: USUAL_RATE, isUntimed: true };

/** What `writePictures` notes beside pictures. */
const Times = z.looseObject({ frames: z.array(z.looseObject({ lasts: z.number().positive() })) });

/** Pictures a second on average, as `frames.json` beside them says; undefined where it says nothing of them. */
async function statedRate(folder: string, count: number): Promise<number | undefined> {
  const text = await readFile(join(folder, "frames.json"), "utf8").catch(() => "");
  const times = Times.safeParse(jsonOf(text)).data?.frames;
  if (times?.length !== count) return undefined;
  const total = times.reduce((sum, { lasts }) => sum + lasts, 0);
  return Math.round((1000 * count) / total) / 1000;
}
