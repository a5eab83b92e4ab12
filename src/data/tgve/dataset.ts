import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, UserError } from "../../engine/errors.ts";
import { textOf } from "../read-text.ts";
import { withInstructions } from "./instructions.ts";
import { parsePlusTable, PLUS_COLUMNS, type PlusColumns } from "./plus-table.ts";
import { parseTgveTable, type TgveEdit, type TgveVideo } from "./table.ts";

/** The benchmark's table, in its folder. */
const TABLE = "LOVEU-TGVE-2023_Dataset.csv";

/** TGVE as it lies on disk: the edits that it asks for, and the frames of its videos. */
export interface TgveDataset {
  readonly root: string;
  readonly videos: readonly TgveVideo[];
}

/** Which edits of TGVE's videos are meant. */
export interface TgveChoice {
  /** A file of TGVE+, whose edits take the place of those of TGVE's table: JSON lines. */
  readonly plus?: string | undefined;
  /** What columns of that file are called that have other names than `PLUS_COLUMNS`. */
  readonly columns?: Partial<PlusColumns> | undefined;
  /** A file with instructions for the edits of TGVE's table. */
  readonly instructions?: string | undefined;
}

/** Reads which edits the benchmark asks for; its archive lies unpacked in `root`. */
export async function readTgveDataset(
  root: string,
  { plus, columns, instructions }: TgveChoice = {},
): Promise<TgveDataset> {
  if (plus !== undefined && instructions !== undefined)
    throw new UserError("TGVE+ has instructions of its own: leave the file of instructions out");
  const path = plus ?? join(root, TABLE);
  const read = async (file: string, what: string): Promise<Buffer> =>
    await readFile(file).catch((cause: unknown) => {
      throw new UserError(`${file} cannot be read: give ${what}.`, { cause });
    });
  const bytes = await read(
    path,
    plus === undefined
      ? "the folder that the TGVE archive was unpacked to"
      : "the table of TGVE+ as JSON lines",
  );
  if (plus !== undefined) requireNoParquet(bytes, plus);
  const text = textOf(bytes, path);
  const videos =
    plus === undefined
      ? parseTgveTable(text, path)
      : parsePlusTable(text, path, { ...PLUS_COLUMNS, ...columns });
  if (videos.length === 0) throw new DataError(`${path} lists no videos`);
  if (instructions === undefined) return { root, videos };
  const told = textOf(await read(instructions, "a JSON file of instructions"), instructions);
  return { root, videos: withInstructions(videos, told, instructions) };
}

/** Parquet, as TGVE+ is published, begins with these letters. */
function requireNoParquet(bytes: Buffer, path: string): void {
  if (bytes.subarray(0, 4).toString("latin1") !== "PAR1") return;
  throw new UserError(
    `${path} is Parquet: turn it into JSON lines first, such as by python3 -c 'import sys, pandas; pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient="records", lines=True)' ${path} tgve-plus.jsonl`,
  );
}

/** Where the frames of a video lie. */
function framesFolder({ root }: TgveDataset, { set, name }: TgveVideo): string {
  return join(root, set, "480p_frames", name);
}

/** The paths of a video's own frames, in their order. */
export async function inputFrames(dataset: TgveDataset, video: TgveVideo): Promise<string[]> {
  const folder = framesFolder(dataset, video);
  const frames = await jpegsIn(folder);
  if (frames === undefined) {
    throw new UserError(`${folder} does not exist: it holds the frames of a video of TGVE.`);
  }
  return frames;
}

/**
 * What of a video is there to be edited: the folder of its frames, where that is missing the video file.
 *
 * Throws a UserError where neither is there.
 */
export function inputOf(dataset: TgveDataset, video: TgveVideo): string {
  const frames = framesFolder(dataset, video);
  const file = join(dataset.root, video.set, "480p_videos", `${video.name}.mp4`);
  const found = [frames, file].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UserError(
    `neither ${frames} nor ${file} exists: give the folder that the TGVE archive was unpacked to.`,
  );
}

/** Where a submission keeps the frames of one edit, in its folder. */
export function editPath({ set, name }: Pick<TgveVideo, "set" | "name">, edit: TgveEdit): string {
  return join(set, name, edit.folder);
}

/** The paths of one edit's frames, in their order; nothing where the submission lacks it. */
export function editedFrames(
  submission: string,
  video: TgveVideo,
  edit: TgveEdit,
): Promise<string[] | undefined> {
  return jpegsIn(join(submission, editPath(video, edit)));
}

/** The folders of those edits of the benchmark that a submission lacks. */
export async function missingEdits({ videos }: TgveDataset, submission: string): Promise<string[]> {
  const places = videos.flatMap((video) => video.edits.map((edit) => ({ video, edit })));
  const found = await Promise.all(
    places.map(async ({ video, edit }) => await editedFrames(submission, video, edit)),
  );
  return places
    .filter((_, index) => found[index] === undefined)
    .map(({ video, edit }) => join(submission, editPath(video, edit)));
}

/** The `.jpg` files of a folder by name; nothing where there is no such folder. */
async function jpegsIn(folder: string): Promise<string[] | undefined> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new UserError(`${folder} cannot be read: expected a folder of frames.`, { cause: error });
  });
  if (files === undefined) return undefined;
  const frames = files.filter((file) => file.endsWith(".jpg")).toSorted();
  if (frames.length === 0) {
    const got = files.length === 0 ? "nothing" : files.toSorted().slice(0, 3).join(", ");
    throw new DataError(`${folder}: expected frames named 00000.jpg and on, got ${got}`);
  }
  return frames.map((file) => join(folder, file));
}
