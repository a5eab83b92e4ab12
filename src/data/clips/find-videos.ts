import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { UserError } from "../../engine/errors.ts";

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
  readonly videos: readonly string[];
  /** Files in the folders that are no videos by their names, without those that may be captions. */
  readonly passedOver: readonly string[];
}

/**
 * The video files that `paths` name: files as they are, folders searched through, in the order of their names.
 *
 * Hidden files and folders are left out, and links to folders are not followed. A file named twice comes once. Throws
 * a UserError for a path that does not exist, and where there is no video at all.
 */
export async function findVideos(paths: readonly string[]): Promise<FoundVideos> {
  const found = new Set<string>();
  const passedOver = new Set<string>();
  for (const path of paths) {
    const status = await stat(path).catch((cause: unknown) => {
      throw new UserError(`there is no file or folder ${path}: check the path`, { cause });
    });
    for (const file of status.isDirectory() ? await filesIn(path) : [path]) {
      const isVideo = file === path || VIDEO_ENDINGS.has(endingOf(file));
      if (isVideo) found.add(file);
      else if (!CAPTION_ENDINGS.has(endingOf(file))) passedOver.add(file);
    }
  }
  if (found.size > 0) return { videos: [...found], passedOver: [...passedOver] };
  throw new UserError(
    `${paths.join(", ")} has no video: give a folder with files such as mp4, mov, webm, mkv, avi or gif`,
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) found.push(...(await filesIn(path)));
    else if (!entry.isSymbolicLink() || !(await isFolder(path))) found.push(path);
  }
  return found;
}

/** Whether a link leads to a folder. */
async function isFolder(link: string): Promise<boolean> {
  return (await stat(link).catch(() => null))?.isDirectory() ?? false;
}

function endingOf(path: string): string {
  return extname(path).toLowerCase();
}
