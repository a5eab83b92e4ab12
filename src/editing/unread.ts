import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../engine/errors.ts";

/** Throws a UserError where two results would be written to one file. */
export function requireDifferent(written: readonly (string | undefined)[]): void {
  const files = written.flatMap((path) => (path === undefined ? [] : realPath(path)));
  if (new Set(files).size === files.length) return;
  throw new UserError("two results would be written to one file: give each a name of its own");
}

/** Throws a UserError where a result would be written over what the edit reads: a file, or one in a folder that it reads. */
export function requireUnread(
  written: readonly (string | undefined)[],
  read: readonly string[],
): void {
  const sources = read.filter((path) => path !== "" && existsSync(path)).map(realPath);
  const lost = written.find((path) => path !== undefined && isAmong(realPath(path), sources));
  if (lost !== undefined) throw new UserError(`${lost} is read by the edit: give another name`);
}

function isAmong(path: string, sources: readonly string[]): boolean {
  return sources.some(
    (source) => path === source || (dirname(path) === source && existsSync(path)),
  );
}

/** The path by its own name, whatever links lead to it; also of a file that is not there yet. */
export function realPath(path: string): string {
  const full = resolve(path);
  if (existsSync(full)) return realpathSync(full);
  const folder = dirname(full);
  return existsSync(folder) ? join(realpathSync(folder), basename(full)) : full;
}
