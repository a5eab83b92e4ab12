import { z } from "zod";
import { UserError } from "../../engine/errors.ts";
import { isRecord, jsonText } from "../../engine/json.ts";

/** What a schema says where a value is refused. */
export interface Refusal {
  readonly error: (issue: { readonly input?: unknown }) => string;
}

/** e.g. `expected a number from 0 to 1, got 2` */
export function expected(what: string): Refusal {
  return { error: ({ input }) => `expected ${what}, got ${shown(input)}` };
}

/** One of several names. */
export function choice<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, expected(`one of ${names.join(", ")}`));
}

/** A number within bounds, both of which may be. */
export function numberWithin(min: number, max: number) {
  const error = expected(`a number from ${min} to ${max}`);
  return z.number(error).min(min, error).max(max, error);
}

/** Checks what a user gave; throws a UserError of one sentence for the first thing that is wrong, by its name or as `whole`. */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  whole: string,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join(".") || whole;
  throw new UserError(`${name}: ${issue?.message ?? "not as documented"}`);
}

/** Throws a UserError for a name that is none of `known`, and for what has no names. */
export function requireKnown(given: unknown, known: readonly string[], what: string): void {
  if (!isRecord(given)) throw new UserError(`expected ${what}s as an object, got ${shown(given)}`);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UserError(`${unknown}: no such ${what}, expected one of ${known.join(", ")}`);
}

function shown(input: unknown): string {
  const text = input === undefined ? "nothing" : jsonText(input);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
