import { existsSync } from "node:fs";
import type { LoraChoice } from "../editing/settings/model.ts";
import { numberOption, optionalNumber } from "./arguments.ts";

const STRENGTHS = { min: 0, max: 2 } as const;

/** The option that names LoRAs, one each time it is given. */
export const loraArg = {
  type: "string",
  valueHint: "path[=0..2]",
  description:
    "with --model open: a run of eve distill, or any LoRA file and how strong its look is; give it once for each of several, which add up",
} as const;

/** The option by which LoRA files are heard more or less that say nothing of it. */
export const loraStrengthArg = {
  type: "string",
  valueHint: "0..2",
  description: "how strong the looks of LoRA files without a =strength are (default: 1)",
} as const;

/** The LoRAs that a command line names, by one `--lora` each. */
export function lorasFrom(rawArgs: readonly string[]): readonly LoraChoice[] {
  const end = rawArgs.indexOf("--");
  const options = end < 0 ? rawArgs : rawArgs.slice(0, end);
  const values = options.flatMap((arg, index) => {
    if (arg === "--lora") return options[index + 1] ?? [];
    return arg.startsWith("--lora=") ? arg.slice("--lora=".length) : [];
  });
  return values.map(loraFrom);
}

/**
 * A path, or a path and behind its last `=` a strength: `look.safetensors=0.7`.
 *
 * What is there under the whole text is a path, and so is what no number ends. Where that is there without its end, though, a
 * number was meant: a UserError says so.
 */
function loraFrom(text: string): LoraChoice {
  const equals = text.lastIndexOf("=");
  if (equals <= 0 || existsSync(text)) return { path: text };
  const [path, end] = [text.slice(0, equals), text.slice(equals + 1)];
  const isNumber = end.trim() !== "" && !Number.isNaN(Number(end));
  if (!isNumber && !existsSync(path)) return { path: text };
  return { path, strength: numberOption(`--lora ${path}`, end, STRENGTHS) };
}

/** The LoRAs of an edit that is done again: those given now, else `before`, whose strengths a strength given now replaces. */
export function lorasAgain(
  given: readonly LoraChoice[],
  before: readonly LoraChoice[],
  loraStrength: number | undefined,
): readonly LoraChoice[] {
  if (given.length > 0) return given;
  return loraStrength === undefined ? before : before.map(({ path }) => ({ path }));
}

/** The strength that a command line asks for, if any. */
export function loraStrengthFrom(text: string | undefined): number | undefined {
  return optionalNumber("--lora-strength", text, STRENGTHS);
}
