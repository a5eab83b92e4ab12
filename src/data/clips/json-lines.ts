import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { replaceFile } from "../../engine/replace-file.ts";

/**
 * The records of a file with one JSON object a line; none where there is no file.
 *
 * A last line without its end is what a killed process left, and is dropped. Throws a DataError that names the line
 * for anything else that is no such record.
 */
export function readJsonLines<T>(path: string, schema: z.ZodType<T>): T[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.flatMap((line, index) => {
    if (line.trim() === "") return [];
    const parsed = schema.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    const { path: key = [], message = "" } = parsed.error.issues[0] ?? {};
    const what = key.length === 0 ? message : `${key.join(".")}: ${message}`;
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
