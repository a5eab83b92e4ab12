import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, UserError } from "../../engine/errors.ts";
import { parseTgveTable, TGVE_EDITS, type TgveEdit, type TgveVideo } from "./table.ts";

/** The benchmark's table, in its folder. */
const TABLE = "LOVEU-TGVE-2023_Dataset.csv";

/** TGVE as it lies on disk: its table, and the frames of its videos. */
export interface TgveDataset {
  readonly root: string;
  readonly videos: readonly TgveVideo[];
}

/** Reads the table of the benchmark that lies unpacked in `root`. */
export async function readTgveDataset(root: string): Promise<TgveDataset> {
  const path = join(root, TABLE);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(
      `${path} cannot be read: give the folder that the TGVE archive was unpacked to.`,
      { cause },
    );
  });
  const videos = parseTgveTable(text, path);
  if (videos.length === 0) throw new DataError(`${path} lists no videos`);
  return { root, videos };
}

/** The paths of a video's own frames, in their order. */
export async function inputFrames(
  { root }: TgveDataset,
  { set, name }: TgveVideo,
): Promise<string[]> {
  const folder = join(root, set, "480p_frames", name);
  const frames = await jpegsIn(folder);
  if (frames === undefined) {
    throw new UserError(`${folder} does not exist: it holds the frames of a video of TGVE.`);
  }
  return frames;
}

/** Where a submission keeps the frames of one edit. */
export function editFolder(
  submission: string,
  { set, name }: Pick<TgveVideo, "set" | "name">,
  edit: TgveEdit,
): string {
  return join(submission, set, name, edit);
}

/** The paths of one edit's frames, in their order; nothing where the submission lacks it. */
export function editedFrames(
  submission: string,
  video: TgveVideo,
  edit: TgveEdit,
): Promise<string[] | undefined> {
  return jpegsIn(editFolder(submission, video, edit));
}

/** How many edits of the benchmark a submission has. */
export async function countEdits({ videos }: TgveDataset, submission: string): Promise<number> {
  const places = videos.flatMap((video) => TGVE_EDITS.map((edit) => ({ video, edit })));
  const found = await Promise.all(
    places.map(({ video, edit }) => editedFrames(submission, video, edit)),
  );
  return found.filter((frames) => frames !== undefined).length;
}

/** The `.jpg` files of a folder by name; nothing where there is no such folder. */
async function jpegsIn(folder: string): Promise<string[] | undefined> {
  const files = await readdir(folder).catch(() => undefined);
  if (files === undefined) return undefined;
  const frames = files.filter((file) => file.endsWith(".jpg")).toSorted();
  if (frames.length === 0) throw new DataError(`${folder} holds no .jpg frames`);
  return frames.map((file) => join(folder, file));
}
