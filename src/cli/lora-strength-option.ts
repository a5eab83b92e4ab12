import { optionalNumber } from "./arguments.ts";

/** The option by which a LoRA file is heard more or less. */
export const loraStrengthArg = {
  type: "string",
  valueHint: "0..2",
  description: "how strong the look of a LoRA file is (default: 1)",
} as const;

/** The strength that a command line asks for, if any. */
export function loraStrengthFrom(text: string | undefined): number | undefined {
  return optionalNumber("--lora-strength", text, { min: 0, max: 2 });
}
