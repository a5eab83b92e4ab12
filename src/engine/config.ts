import { z } from "zod";
import { ConfigError } from "./errors.ts";

/** A config by its schema, defaults filled in; throws a ConfigError that begins with `what` and lists all that is wrong. */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${what}: ${z.prettifyError(parsed.error)}`);
}

/**
 * Refuses settings that ask for another value than the one built here (`fixed`); keys that are left out are fine.
 *
 * A switch may be off as false or as null.
 */
export function refuseOtherSettings(
  given: Readonly<Record<string, unknown>>,
  fixed: Readonly<Record<string, unknown>>,
  what = "config.json",
): void {
  for (const [key, expected] of Object.entries(fixed)) {
    const value = given[key] ?? expected;
    if (textOf(value) !== textOf(expected) && (value || expected))
      throw new ConfigError(`expected ${key} ${textOf(expected)} in ${what}, got ${textOf(value)}`);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** How many layers a network has; more are a slip, which would fill the memory before any weights could contradict it. */
export const layerCount = z.int().positive().max(1000);

/** The first thing that is wrong with a file's content, by its name in it where it has one: `rank: Too small: …`. */
export function firstFault({ issues: [first] }: z.ZodError): string {
  const { path = [], message = "" } = first ?? {};
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
