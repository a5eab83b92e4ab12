import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { removeLeftovers } from "../data/output-file.ts";
import { UserError } from "../engine/errors.ts";
import { isRecord, jsonOf } from "../engine/json.ts";
import { receiptPath } from "./report/receipt.ts";
import { realPath } from "./unread.ts";

/** Whether what lies where a result goes may be replaced. */
export interface Keeping {
  readonly overwrite: boolean;
  /** What to do where it may not, for the sentence. */
  readonly instead: string;
}

/** Throws a UserError where there is what a user may want to keep; an empty folder is nothing to keep. */
export function requireNew(path: string, { overwrite, instead }: Keeping): void {
  if (overwrite || !existsSync(path) || isEmptyFolder(path)) return;
  throw new UserError(`${path} exists: ${instead}`);
}

function isEmptyFolder(path: string): boolean {
  return statSync(path).isDirectory() && readdirSync(path).length === 0;
}

/** The same of what lies where the receipt of `output` goes, unless that is one. A folder is never replaced. */
export function requireNoNotes(output: string, { overwrite, instead }: Keeping): void {
  const path = receiptPath(output);
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    throw new UserError(`${path}, where the receipt goes, is a folder: give another output path`);
  }
  if (overwrite || isReceipt(path)) return;
  throw new UserError(`${path}, where the receipt goes, is something else: ${instead}`);
}

/** Whether a file beside `output` says that an edit has made it; a damaged one says nothing. */
export function isOwnResult(output: string): boolean {
  const path = receiptPath(output);
  return existsSync(output) && existsSync(path) && isReceipt(path);
}

function isReceipt(path: string): boolean {
  const found = jsonOf(readFileSync(path, "utf8"));
  return isRecord(found) && found["program"] === "open-eve";
}

function keepingBy(overwrite: boolean): Keeping {
  return { overwrite, instead: "give another output, or overwrite it" };
}

/** What edits of this process are writing. */
const claimed = new Set<string>();

/** Claims where an edit writes, as `claimFile` does, and where the receipt goes. */
export function claimOutput(output: string, overwrite: boolean): Disposable {
  requireNew(output, keepingBy(overwrite));
  requireNoNotes(output, keepingBy(overwrite));
  return claimFile(output, overwrite);
}

/**
 * Claims a file until it is disposed, and clears away what killed processes have left there half-written.
 *
 * Throws a UserError of one sentence where another edit of this process writes, and where a file is that must not be replaced.
 */
export function claimFile(output: string, overwrite: boolean): Disposable {
  requireNew(output, keepingBy(overwrite));
  const path = realPath(output);
  if (claimed.has(path)) {
    throw new UserError(`another edit is writing ${output}: wait for it, or give another output`);
  }
  if (existsSync(dirname(path))) removeLeftovers(path);
  claimed.add(path);
  return { [Symbol.dispose]: () => void claimed.delete(path) };
}
