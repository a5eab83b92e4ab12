import { readFileSync, statSync } from "node:fs";
import { DataError, UserError } from "../engine/errors.ts";

/** The bytes of a file; a UserError where a folder has its name. */
export function readBytes(path: string): Buffer {
  if (statSync(path).isDirectory()) throw new UserError(`${path} is a folder: name a file`);
  return readFileSync(path);
}

/** The text of a file, without a byte-order mark; a DataError where it is no UTF-8. */
export function readText(path: string): string {
  return textOf(readBytes(path), path);
}

/** As `readText`, of bytes that `path` names. */
export function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path} is no text in UTF-8: save it in that encoding`, { cause });
  }
}
