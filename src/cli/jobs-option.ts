import { optionalNumber } from "./arguments.ts";

/** The option of the verbs that edit many clips. */
export const jobsArg = {
  type: "string",
  valueHint: "n",
  description:
    "processes that edit clips side by side (default: one for each core, or a GPU's one)",
} as const;

/** How many processes `--jobs` asks for, where it is given. */
export function jobsAsked(text: string | undefined): number | undefined {
  return optionalNumber("--jobs", text, { min: 1, max: 1024, integer: true });
}
