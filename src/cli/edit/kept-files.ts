import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { receiptPath } from "../../editing/report/receipt.ts";
import { UserError } from "../../engine/errors.ts";
import { isRecord, jsonOf } from "../../engine/json.ts";

/** Refuses to overwrite what a user may want to keep; an empty folder is nothing to keep. */
export function requireNew(path: string, isForced: boolean, flag = "-o"): void {
  if (isForced || !existsSync(path) || isEmptyFolder(path)) return;
  throw new UserError(`${path} exists: give another name with ${flag}, or --force to replace it`);
}

function isEmptyFolder(path: string): boolean {
  return statSync(path).isDirectory() && readdirSync(path).length === 0;
}

/** The same of what lies where the receipt of `output` goes, unless that is one. */
export function requireNoNotes(output: string, isForced: boolean): void {
  const path = receiptPath(output);
  if (isForced || output === "-" || !existsSync(path) || isReceipt(path)) return;
  throw new UserError(
    `${path}, where the receipt goes, is something else: give another name with -o, or --force to replace it`,
  );
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
