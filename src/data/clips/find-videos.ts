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
  ].map((ending) => `.${ending}`),
);

/**
 * The video files that `paths` name: files as they are, folders searched through, in the order of their names.
 *
 * Hidden files and folders are left out, and links to folders are not followed. A file named twice comes once. Throws
 * a UserError for a path that does not exist, and where there is no video at all.
 */
export async function findVideos(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const status = await stat(path).catch((cause: unknown) => {
      throw new UserError(`there is no file or folder ${path}: check the path`, { cause });
    });
    const videos = status.isDirectory() ? await videosIn(path) : [path];
    for (const video of videos) found.add(video);
  }
  if (found.size > 0) return [...found];
  throw new UserError(
    `${paths.join(", ")} has no video: give a folder with files such as mp4, mov, webm, mkv, avi or gif`,
  );
}

async function videosIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) found.push(...(await videosIn(path)));
    else if (VIDEO_ENDINGS.has(extname(entry.name).toLowerCase())) found.push(path);
  }
  return found;
}
