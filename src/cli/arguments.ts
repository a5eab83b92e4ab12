import type { ArgDef, ArgsDef } from "citty";
import { UserError } from "../engine/errors.ts";

/**
 * Refuses what a command's definition does not know, which citty would silently ignore.
 *
 * Unknown options, options without their value, values outside an enumeration, and missing or
 * surplus positional arguments each give one sentence that names the nearest thing that exists.
 * A last positional argument whose value hint ends with "…" takes all that follow.
 */
export function checkArguments(rawArgs: readonly string[], args: ArgsDef): void {
  const options = optionsByFlag(args);
  const positionals: string[] = [];
  for (let i = 0; i < rawArgs.length; i++) {
    const arg = rawArgs[i]!;
    if (arg === "--") {
      positionals.push(...rawArgs.slice(i + 1));
      break;
    }
    if (!isFlag(arg)) positionals.push(positional(arg));
    else if (consumesNext(arg, rawArgs[i + 1], options)) i++;
  }
  checkRequired(rawArgs, options);
  checkPositionals(positionals, args);
}

/** What stands for the value of an option that was given without one. */
export const NO_VALUE = "default";

/**
 * The arguments with `--name=default` for every option that may stand without a value and does.
 *
 * Such options have a value hint in brackets; their values are numbers or times: `48`, `2s`.
 */
export function withOptionalValues(rawArgs: readonly string[], args: ArgsDef): string[] {
  const end = rawArgs.includes("--") ? rawArgs.indexOf("--") : rawArgs.length;
  return rawArgs.map((arg, index) => {
    const def = index < end && arg.startsWith("--") ? args[arg.slice(2)] : undefined;
    if (def?.valueHint?.startsWith("[") !== true) return arg;
    const next = rawArgs[index + 1];
    return next !== undefined && /^\d+(\.\d+)?s?$/.test(next) ? arg : `${arg}=${NO_VALUE}`;
  });
}

type Options = ReadonlyMap<string, { readonly name: string; readonly def: ArgDef }>;

function optionsByFlag(args: ArgsDef): Options {
  const flags = new Map<string, { name: string; def: ArgDef }>();
  for (const [name, def] of Object.entries(args)) {
    if (def.type === "positional") continue;
    flags.set(`--${name}`, { name, def });
    if (def.type === "boolean") flags.set(`--no-${name}`, { name, def });
    for (const alias of "alias" in def ? [def.alias ?? []].flat() : []) {
      flags.set(alias.length === 1 ? `-${alias}` : `--${alias}`, { name, def });
    }
  }
  return flags;
}

/** What stands by itself; of what begins with a dash, citty knows options alone. */
function positional(arg: string): string {
  if (arg === "-" || !arg.startsWith("-")) return arg;
  throw new UserError(`unknown option ${arg}; a file of that name is given as ./${arg}`);
}

/** `-` alone and negative numbers are values. */
function isFlag(arg: string): boolean {
  return /^-[^\d.]/.test(arg);
}

/** Checks one flag; true if the argument after it is its value. */
function consumesNext(arg: string, next: string | undefined, options: Options): boolean {
  const equals = arg.indexOf("=");
  const flag = equals < 0 ? arg : arg.slice(0, equals);
  const option = options.get(flag);
  if (option === undefined) {
    throw new UserError(`unknown option ${flag}${suggestion(flag, [...options.keys()])}`);
  }
  if (option.def.type === "boolean") {
    if (equals >= 0) throw new UserError(`${flag} takes no value, got ${arg}`);
    return false;
  }
  const value = equals < 0 ? next : arg.slice(equals + 1);
  if (value === undefined || value === "" || (equals < 0 && isFlag(value))) {
    throw new UserError(`${flag} needs a value: ${flag} <${option.def.valueHint ?? option.name}>`);
  }
  if (option.def.type === "enum") oneOf(flag, value, option.def.options ?? []);
  return equals < 0;
}

function checkRequired(rawArgs: readonly string[], options: Options): void {
  const given = new Set(rawArgs.map((arg) => options.get(arg.replace(/=.*$/s, ""))?.name));
  for (const [flag, { name, def }] of options) {
    if (def.required === true && def.default === undefined && !given.has(name)) {
      throw new UserError(`${flag} is missing: ${flag} <${def.valueHint ?? name}>`);
    }
  }
}

function checkPositionals(given: readonly string[], args: ArgsDef): void {
  const defined = Object.entries(args).filter(([, def]) => def.type === "positional");
  const missing = defined
    .slice(given.length)
    .find(([, def]) => def.required !== false && def.default === undefined);
  if (missing) {
    const [name, { description }] = missing;
    throw new UserError(`missing <${name}>${description ? `: ${description}` : ""}`);
  }
  const surplus = given[defined.length];
  const takesMore = defined.at(-1)?.[1].valueHint?.endsWith("…") === true;
  if (surplus !== undefined && !takesMore) {
    throw new UserError(
      `unexpected argument "${shorten(surplus)}"; text with spaces goes in quotes, options start with --`,
    );
  }
}

/** `value`, if it is one of `known`; otherwise a sentence that lists them and names the nearest. */
export function oneOf<T extends string>(what: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UserError(
    `${what}: expected one of ${known.join(", ")}, got "${shorten(value)}"${suggestion(value, known)}`,
  );
}

/** A list of names separated by commas, in the order in which they are known; all where none is given. */
export function listOf<Name extends string>(
  flag: string,
  text: string | undefined,
  known: readonly Name[],
): Name[] {
  if (text === undefined) return [...known];
  const names = new Set(text.split(",").map((name) => oneOf(flag, name.trim(), known)));
  return known.filter((name) => names.has(name));
}

/** What an option's number may be. */
interface NumberLimits {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/** The same as `numberOption` where the option is given. */
export function optionalNumber(
  flag: string,
  text: string | boolean | undefined,
  limits: NumberLimits,
): number | undefined {
  return typeof text === "string" ? numberOption(flag, text, limits) : undefined;
}

/** An option's text as a number within `[min, max]`. */
export function numberOption(
  flag: string,
  text: string,
  { min = -Infinity, max = Infinity, integer = false }: NumberLimits,
): number {
  const value = Number(text);
  const isNumber =
    text.trim() !== "" && Number.isFinite(value) && !(integer && !Number.isInteger(value));
  if (isNumber && value >= min && value <= max) return value;
  const kind = integer ? "a whole number" : "a number";
  const range = [min > -Infinity && `at least ${min}`, max < Infinity && `at most ${max}`];
  const expected = [kind, ...range.filter((part) => part !== false)].join(", ");
  throw new UserError(`${flag}: expected ${expected}, got "${shorten(text)}"`);
}

/** `; did you mean …?` for the nearest of `known`, or nothing where none is near. */
export function suggestion(given: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(given.slice(0, 64), name) }))
    .filter(({ name, distance }) => distance <= Math.floor(name.length / 3))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return near ? `; did you mean ${near.name}?` : "";
}

/** How many characters to insert, delete, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1]!;
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(replaced, swapped, above[j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
