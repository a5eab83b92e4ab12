import { ConfigError, UserError } from "../../engine/errors.ts";
import { isRecord } from "../../engine/json.ts";
import type { TrainConfig } from "../../training/config.ts";
import { resolveConfig, type StageEntry } from "../../training/stage.ts";
import { suggestion } from "../arguments.ts";

/** One `key=value` of `--set`: a dotted path into the settings and the text for it. */
export interface Override {
  readonly path: string;
  readonly text: string;
}

/**
 * Reads every `--set` of a command line: `--set a=1 --set b.c=x`, or `--set a=1,b.c=x`.
 *
 * A comma separates only where a name and `=` follow it, so that lists (`betas=[0.9,0.99]`) stay whole.
 */
export function readOverrides(rawArgs: readonly string[]): Override[] {
  const values = rawArgs.flatMap((arg, index) => {
    if (arg === "--set") return [rawArgs[index + 1] ?? ""];
    return arg.startsWith("--set=") ? [arg.slice("--set=".length)] : [];
  });
  return values.flatMap((value) => value.split(/,(?=[A-Za-z][\w.]*=)/)).map(readOverride);
}

function readOverride(assignment: string): Override {
  const equals = assignment.indexOf("=");
  if (equals <= 0) throw new UserError(`--set: expected key=value, got "${assignment}"`);
  return { path: assignment.slice(0, equals).trim(), text: assignment.slice(equals + 1).trim() };
}

/** The settings of `entry` with `overrides` laid over them, each read as the type it replaces or as another that fits. */
export function overriddenConfig(entry: StageEntry, overrides: readonly Override[]): TrainConfig {
  const changed = overrides.reduce<Record<string, unknown>>(
    (config, override) => replaced(config, override.path.split("."), override, entry),
    resolveConfig(entry),
  );
  return resolveConfig(entry, changed);
}

function replaced(
  config: Record<string, unknown>,
  path: readonly string[],
  override: Override,
  entry: StageEntry,
): Record<string, unknown> {
  const [key = "", ...rest] = path;
  const isNested = path.length < override.path.split(".").length;
  const isFree = isNested && entry.settings === undefined;
  if (!Object.hasOwn(config, key) && !isFree) throw unknownKey(override, Object.keys(config), path);
  const before = config[key];
  const isTaken = (value: unknown): boolean => fits(entry, override.path.split("."), value);
  if (rest.length === 0) return { ...config, [key]: valueLike(before, override, isTaken) };
  if (!isRecord(before)) throw unknownKey(override, Object.keys(config), path);
  return { ...config, [key]: replaced(before, rest, override, entry) };
}

function unknownKey(
  { path: given }: Override,
  known: readonly string[],
  rest: readonly string[],
): UserError {
  const prefix = given.split(".").slice(0, -rest.length);
  const names = known.map((name) => [...prefix, name].join("."));
  const near = suggestion(given, names) || `; there are ${names.join(", ")}`;
  return new UserError(`--set: no setting is called ${given}${near}`);
}

/** Whether the settings of `entry` may have `value` at `path`, all others as they are. */
function fits(entry: StageEntry, path: readonly string[], value: unknown): boolean {
  const changed = (config: unknown, [key = "", ...rest]: readonly string[]): unknown => ({
    ...(isRecord(config) && config),
    [key]: rest.length === 0 ? value : changed(isRecord(config) && config[key], rest),
  });
  try {
    resolveConfig(entry, changed(resolveConfig(entry), path));
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** Reads the text as the type of the value it replaces; as JSON or a plain word where that is what the setting takes. */
function valueLike(
  before: unknown,
  { path, text }: Override,
  isTaken: (value: unknown) => boolean,
): unknown {
  const json = jsonOrText(text);
  if (json === null && isTaken(null)) return null;
  if (typeof before === "string") return isTaken(text) || !isTaken(json) ? text : json;
  if (before !== null && typeof json === typeof before) return json;
  if (typeof before === "number" && text !== "" && Number.isFinite(Number(text)))
    return Number(text);
  const other = [json, text].find(isTaken);
  if (other !== undefined) return other;
  if (before === undefined || before === null) return json; // the schema says what it would take
  throw wrongType(path, likeBefore(before), text);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function likeBefore(before: unknown): string {
  switch (typeof before) {
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    default:
      return `JSON like ${JSON.stringify(before)}`;
  }
}

function wrongType(path: string, expected: string, text: string): UserError {
  return new UserError(`--set ${path}: expected ${expected}, got "${text}"`);
}
