import { readFileSync } from "node:fs";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";

/** The JSON in a file of a public folder, checked by `schema`. */
export function readJson<T>(path: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(path, readText(path)));
  if (!parsed.success) throw new DataError(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new DataError(`${path}: expected a readable file, got none`, { cause });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: expected JSON, got a file that is not`, { cause });
  }
}
