import { inspect } from "node:util";

/** A text's JSON value; undefined where it is none, as in a file that is being written. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether `value` is an object of named values, as JSON has them. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as JSON, for a sentence; as Node shows it where JSON has no words for it: numbers without end, what is nested too deeply. */
export function jsonText(value: unknown): string {
  if (typeof value === "number") return String(value);
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return inspect(value, { depth: 0, breakLength: Infinity });
  }
}
