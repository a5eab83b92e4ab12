import { readdir, stat } from "node:fs/promises";
import { extname, join, parse, resolve } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { isPictureFile, isTimesFile } from "../video/picture-source.ts";
import { isDataSet } from "./dataset.ts";

/** Endings by which a video is told from other files in a folder; a file named outright may have any. */
const VIDEO_ENDINGS: ReadonlySet<string> = new Set(
  [
    "mp4",
    "m4v",
    "mov",
    "mkv",
    "webm",
    "avi",
    "gif",
    "mpg",
    "mpeg",
    "ts",
    "mts",
    "wmv",
    "flv",
    "3gp",
    "ogv",
    "m2ts",
    "mxf",
    "vob",
    "f4v",
    "asf",
  ].map((ending) => `.${ending}`),
);

/** Endings of captions, which lie beside videos. */
const CAPTION_ENDINGS: ReadonlySet<string> = new Set([".txt", ".csv", ".jsonl"]);

/** What is found where videos are looked for. */
export interface FoundVideos {
  /** Files, and folders of pictures. */
  readonly videos: readonly string[];
  /** Files in the folders that are no videos by their names, without those that may be captions. */
  readonly passedOver: readonly string[];
}

/**
 * The videos that `paths` name: files as they are, folders searched through, in the order of their names. A folder that
 * holds pictures and nothing else but their times and captions is one video.
 *
 * Hidden files and folders and data sets that were made of videos are left out, and links to folders are not followed. A
 * video named twice comes once. Throws a UserError for a path that does not exist, and where there is no video at all.
 */
export async function findVideos(paths: readonly string[]): Promise<FoundVideos> {
  const found = new Search();
  for (const path of paths) {
    const status = await stat(path).catch((cause: unknown) => {
      throw new UserError(`there is no file or folder ${path}: check the path`, { cause });
    });
    if (!status.isDirectory()) found.take(path);
    else if (!isDataSet(path)) await found.searchThrough(path);
  }
  const { videos, passedOver } = found;
  if (videos.length > 0) return { videos, passedOver };
  throw new UserError(
    `${paths.join(", ")} has no video: give a folder with files such as mp4, mov, webm, mkv, avi or gif, or with the pictures of one video and nothing else`,
  );
}

/** A search, and what it has found so far. */
class Search {
  /** By their absolute paths. */
  readonly #videos = new Map<string, string>();
  readonly #passedOver = new Map<string, string>();

  get videos(): string[] {
    return [...this.#videos.values()];
  }

  get passedOver(): string[] {
    return [...this.#passedOver].flatMap(([key, path]) => (this.#videos.has(key) ? [] : [path]));
  }

  take(path: string): void {
    const key = resolve(path);
    if (!this.#videos.has(key)) this.#videos.set(key, path);
  }

  async searchThrough(folder: string): Promise<void> {
    const entries = await entriesOf(folder);
    if (isVideoOfPictures(entries)) return this.take(folder);
    for (const { path, isFolder } of entries) {
      if (isFolder) await this.searchThrough(path);
      else if (VIDEO_ENDINGS.has(endingOf(path))) this.take(path);
      else if (!CAPTION_ENDINGS.has(endingOf(path))) this.#passedOver.set(resolve(path), path);
    }
  }
}

/** A file or a folder that is not left out of a search. */
interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
}

async function entriesOf(folder: string): Promise<Entry[]> {
  const found: Entry[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const isFolder = entry.isDirectory();
    const isLeftOut = isFolder
      ? isDataSet(path)
      : entry.isSymbolicLink() && (await leadsToFolder(path));
    if (!entry.name.startsWith(".") && !isLeftOut) found.push({ path, isFolder });
  }
  return found;
}

/**
 * Whether what lies in a folder are pictures and what belongs to them: their times, and captions.
 *
 * Texts with the names of single pictures say that these are no video.
 */
function isVideoOfPictures(entries: readonly Entry[]): boolean {
  const pictures = new Set(
    entries.filter(({ path }) => isPictureFile(path)).map(({ path }) => parse(path).name),
  );
  const isPart = ({ path, isFolder }: Entry): boolean => {
    if (isFolder) return false;
    const { base, name } = parse(path);
    const isCaption = CAPTION_ENDINGS.has(endingOf(path)) && !pictures.has(name);
    return isPictureFile(path) || isTimesFile(base) || isCaption;
  };
  return pictures.size > 0 && entries.every(isPart);
}

async function leadsToFolder(link: string): Promise<boolean> {
  return (await stat(link).catch(() => null))?.isDirectory() ?? false;
}

function endingOf(path: string): string {
  return extname(path).toLowerCase();
}
