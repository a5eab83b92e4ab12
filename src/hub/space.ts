import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { byteSize } from "../engine/byte-size.ts";
import { UserError } from "../engine/errors.ts";

/** Refuses to begin what the disk has no room for. */
export async function checkSpace(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(await existing(folder));
  const free = bavail * bsize;
  if (neededBytes <= free) return;
  throw new UserError(
    `${byteSize(neededBytes)} are to come, ${folder} has room for ${byteSize(free)}: free some, or set HF_HUB_CACHE to a folder on a larger disk`,
  );
}

/** The folder, or the nearest one above it that exists. */
async function existing(folder: string): Promise<string> {
  const isThere = await statfs(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : existing(dirname(folder));
}
