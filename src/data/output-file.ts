import { randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { access, constants as mode, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { DataError, UserError } from "../engine/errors.ts";
import { isAlive } from "../engine/process.ts";

/**
 * Throws a UserError of one sentence if `output` cannot be written: its folder is missing or
 * read-only, it is a directory, or it is the file `input` itself, by whatever name or link.
 */
export async function requireWritable(output: string, input?: string): Promise<void> {
  const folder = dirname(resolve(output));
  const folderStatus = await stat(folder).catch(() => undefined);
  if (!folderStatus) throw new UserError(`The folder ${folder} does not exist: create it first.`);
  if (!folderStatus.isDirectory()) {
    throw new UserError(`${folder} is not a folder: choose another output path.`);
  }
  const existing = await stat(output).catch(() => undefined);
  if (existing?.isDirectory()) {
    throw new UserError(`The output ${output} is a directory: give a file name.`);
  }
  if (input !== undefined && (await isSameFile(output, input))) {
    throw new UserError(`The output ${output} is the input itself: choose another name.`);
  }
  await access(folder, mode.W_OK).catch((error: unknown) => {
    throw new UserError(`Cannot write into ${folder}: permission denied.`, { cause: error });
  });
}

/**
 * Runs `write` on a temporary name beside `output` and renames the file when `write` is done.
 *
 * Whatever goes wrong, no temporary file stays and what was at `output` before is untouched.
 */
export async function writeAtomically<Result>(
  output: string,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const temporary = temporaryName(output);
  try {
    const result = await requireSpace(output, () => write(temporary));
    await rename(temporary, output);
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A name beside `output`, with its extension, that nothing else has. */
export function temporaryName(output: string): string {
  const unique = `${process.pid}-${randomUUID().slice(0, 8)}`;
  return join(dirname(output), `${temporaryStart(output)}${unique}${extname(output)}`);
}

function temporaryStart(output: string): string {
  return `.${basename(output, extname(output))}.partial-`;
}

/** Removes the half-written files and folders that killed processes have left beside `output`. */
export function removeLeftovers(output: string): void {
  const start = temporaryStart(output);
  const folder = dirname(output);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(start) || !name.endsWith(extname(output))) continue;
    const pid = Number.parseInt(name.slice(start.length), 10);
    if (!isAlive(pid)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Runs `write`; throws a DataError that names `output` where the disk has no space for it. */
export async function requireSpace<Result>(
  output: string,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
    throw new DataError(
      `There is no space left for ${output}: free some, or write into another folder.`,
      { cause: error },
    );
  }
}

/** Whether two paths lead to one file or folder, by whatever name or link. */
export async function isSameFile(left: string, right: string): Promise<boolean> {
  const canonical = (path: string) => realpath(path).catch(() => resolve(path));
  const [leftPath, rightPath] = await Promise.all([canonical(left), canonical(right)]);
  if (leftPath === rightPath) return true;
  const inode = (path: string) => stat(path, { bigint: true }).catch(() => undefined);
  const [leftStatus, rightStatus] = await Promise.all([inode(left), inode(right)]);
  if (!leftStatus || !rightStatus) return false;
  return leftStatus.ino === rightStatus.ino && leftStatus.dev === rightStatus.dev;
}
