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

/**
 * A size of a network: channels, features, heads, frames. More are a slip, whose product with others no tensor could hold
 * before any weights could contradict it.
 */
export const networkSize = z.int().positive().max(65_536);

/** Channels of each level of a network, finest first. Every further level halves height and width. */
export const levelChannels = z.array(networkSize).min(1).max(16);

/** Side of the squares of pixels or latents that become channels or a token. */
export const patchSide = z.int().positive().max(256);

/** A schema's own check: refuses a config with the sentence that `faultOf` finds, if any. */
export function refuseFor<Config>(faultOf: (config: Config) => string | undefined) {
  return (config: Config, context: z.RefinementCtx<Config>): void => {
    const fault = faultOf(config);
    if (fault !== undefined) context.addIssue(fault);
  };
}

/**
 * What is wrong where one number of a config does not divide by another, such as channels by heads: one sentence, or nothing.
 *
 * `place` stands before their names: where in a file they are, such as `vision.`.
 */
export function divisionFault<Key extends string>(
  config: Readonly<Record<Key, number>>,
  whole: Key,
  part: Key,
  place = "",
): string | undefined {
  const [size, parts] = [config[whole], config[part]];
  if (size % parts === 0) return undefined;
  return `expected ${place}${whole} divisible by ${place}${part}, got ${size} and ${parts}`;
}

/** The first thing that is wrong with a file's content, by its name in it where it has one: `rank: Too small: …`. */
export function firstFault({ issues: [first] }: z.ZodError): string {
  const { path = [], message = "" } = first ?? {};
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
