import { readFileSync } from "node:fs";
import { DataError } from "../engine/errors.ts";

/** The text of a file, without a byte-order mark; a DataError where it is no UTF-8. */
export function readText(path: string): string {
  return textOf(readFileSync(path), path);
}

/** As `readText`, of bytes that `path` names. */
export function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path} is no text in UTF-8: save it in that encoding`, { cause });
  }
}
