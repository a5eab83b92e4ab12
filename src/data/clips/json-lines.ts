import { appendFileSync, existsSync } from "node:fs";
import { z } from "zod";
import { firstFault } from "../../engine/config.ts";
import { DataError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { replaceFile } from "../../engine/replace-file.ts";
import { readBytes, textOf } from "../read-text.ts";

/**
 * The records of a file with one JSON object a line; none where there is no file.
 *
 * Throws a DataError that names the line for anything that is no such record.
 */
export function readJsonLines<T>(path: string, schema: z.ZodType<T>): T[] {
  return existsSync(path) ? recordsOf(readBytes(path), path, schema) : [];
}

/**
 * As `readJsonLines`, of a file that grew by `appendJsonLine`.
 *
 * A last line that has no end and is no JSON is what a killed process left, and is dropped; one that somebody wrote
 * without its end is a record.
 */
export function readGrownJsonLines<T>(path: string, schema: z.ZodType<T>): T[] {
  return existsSync(path) ? recordsOf(withoutTornLine(readBytes(path)), path, schema) : [];
}

function withoutTornLine(bytes: Buffer): Buffer {
  const start = bytes.lastIndexOf("\n") + 1;
  const last = new TextDecoder().decode(bytes.subarray(start));
  return jsonOf(last) === undefined ? bytes.subarray(0, start) : bytes;
}

function recordsOf<T>(bytes: Buffer, path: string, schema: z.ZodType<T>): T[] {
  return textOf(bytes, path)
    .split("\n")
    .flatMap((line, index) => {
      if (line.trim() === "") return [];
      const json = jsonOf(line);
      const parsed = schema.safeParse(json);
      if (parsed.success) return [parsed.data];
      const what = json === undefined ? "it is no JSON" : firstFault(parsed.error);
      throw new DataError(`${path}, line ${index + 1}: ${what}; correct or delete that line`);
    });
}

/** Writes all records; readers see the old file or the new one, never a part. */
export function writeJsonLines(path: string, records: readonly unknown[]): void {
  replaceFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

/** Adds one record by one write: a process killed meanwhile leaves it whole or without its end. */
export function appendJsonLine(path: string, record: unknown): void {
  appendFileSync(path, `${JSON.stringify(record)}\n`);
}
