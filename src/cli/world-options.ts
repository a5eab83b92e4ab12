import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../engine/errors.ts";
import type { PartsElsewhere } from "../eve/model-folder.ts";
import type { EvaluationOptions } from "../evaluation/options.ts";
import type { Measurement } from "../evaluation/world-evaluation.ts";
import { numberOption, oneOf } from "./arguments.ts";

/** The options of `evaluate world`; its sibling verbs share some. */
export const worldArgs = {
  model: {
    type: "string",
    default: "models/tiny",
    valueHint: "dir",
    description: "the model's folder",
  },
  alignment: {
    type: "string",
    valueHint: "dir",
    description: "an alignment of its adapters from another folder (default: the model's own)",
  },
  split: {
    type: "string",
    default: "test",
    valueHint: "name",
    description: "test, or validation to choose settings on",
  },
  count: { type: "string", default: "20", valueHint: "n", description: "clips of each task" },
  frames: { type: "string", default: "16", valueHint: "n", description: "length of each clip" },
  tasks: {
    type: "string",
    valueHint: "list",
    description: "tasks, separated by commas (default: all seven)",
  },
  methods: {
    type: "string",
    valueHint: "list",
    description: "ways to edit, separated by commas (default: all)",
  },
  against: {
    type: "string",
    valueHint: "list",
    description: "measure the aligned editor beside these, e.g. stacked,frame-by-frame,copy",
  },
  only: {
    type: "string",
    valueHint: "list",
    description: "measure only these: autoencoder, single, video, clips",
  },
  noise: {
    type: "string",
    default: "both",
    valueHint: "mode",
    description: "methods with independent noise for each frame, shared noise, or both",
  },
  steps: { type: "string", default: "2", valueHint: "n", description: "denoising steps" },
  sampler: {
    type: "string",
    default: "ddim",
    valueHint: "name",
    description: "ddim or dpm-solver",
  },
  "text-guidance": {
    type: "string",
    default: "1",
    valueHint: "scale",
    description: "how closely to follow the words; 1 is plain",
  },
  "image-guidance": {
    type: "string",
    default: "1",
    valueHint: "scale",
    description: "how closely to follow the input frame; 1 is plain",
  },
  detail: {
    type: "string",
    default: "keep",
    valueHint: "name",
    description: "keep the input's detail where little changed, as eve edit does, or off",
  },
  caption: {
    type: "string",
    default: "output",
    valueHint: "what",
    description: "output: tell the model the output caption; none: the instruction alone",
  },
  seed: { type: "string", default: "0", valueHint: "n", description: "of all noise" },
  sheets: {
    type: "string",
    valueHint: "dir",
    description: "write a contact sheet of each task there: input, truth, edited",
  },
  json: { type: "boolean", description: "print one JSON object per event; the last is the result" },
} as const;

/** The options of `evaluate world` as text. */
export type WorldArguments = {
  readonly [Name in Exclude<keyof typeof worldArgs, "json" | OptionalName>]: string;
} & { readonly [Name in OptionalName]?: string | undefined };
type OptionalName = "tasks" | "methods" | "against" | "alignment" | "only" | "sheets";

/** The alignment that the options name. */
export function elsewhere({ alignment }: Pick<WorldArguments, "alignment">): PartsElsewhere {
  if (alignment === undefined) return {};
  if (existsSync(join(alignment, "config.json"))) return { alignment };
  throw new UserError(
    `--alignment: expected an alignment in ${alignment}, found no config.json there`,
  );
}

/** Reads the options; each that is wrong gives one sentence. */
export async function worldOptions(
  given: WorldArguments,
): Promise<{ options: EvaluationOptions; wanted: Measurement[] }> {
  const { TASKS } = await import("../data/world/tasks.ts");
  const { DETAIL_MODES, NOISE_MODES, SAMPLERS } = await import("../editing/settings.ts");
  const { METHOD_NAMES } = await import("../evaluation/method-names.ts");
  const { METHODS } = await import("../evaluation/methods.ts");
  const { MEASUREMENTS } = await import("../evaluation/world-evaluation.ts");
  const noise = oneOf("--noise", given.noise, [...NOISE_MODES, "both"] as const);
  const hasNoise = (own: string | null): boolean =>
    own === null || noise === "both" || own === noise;
  const scale = (flag: "text-guidance" | "image-guidance"): number =>
    numberOption(`--${flag}`, given[flag], { min: 0, max: 30 });
  const options: EvaluationOptions = {
    split: oneOf("--split", given.split, ["test", "validation"] as const),
    tasks: listOf("--tasks", given.tasks, TASKS),
    methods: methodsOf(given, METHOD_NAMES).filter((name) => hasNoise(METHODS[name].noise)),
    count: numberOption("--count", given.count, { min: 1, max: 10_000, integer: true }),
    frames: numberOption("--frames", given.frames, { min: 2, max: 600, integer: true }),
    isCaptionGiven: oneOf("--caption", given.caption, ["output", "none"] as const) === "output",
    seed: numberOption("--seed", given.seed, {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      integer: true,
    }),
    draw: {
      steps: numberOption("--steps", given.steps, { min: 1, max: 1000, integer: true }),
      sampler: oneOf("--sampler", given.sampler, SAMPLERS),
      guidance: { text: scale("text-guidance"), image: scale("image-guidance") },
      detail: oneOf("--detail", given.detail, DETAIL_MODES),
    },
  };
  return { options, wanted: listOf("--only", given.only, MEASUREMENTS) };
}

/** The methods by name, or the aligned one and those that it is set against; these with both kinds of noise. */
function methodsOf<Name extends string>(
  { methods, against }: Pick<WorldArguments, "methods" | "against">,
  known: readonly Name[],
): Name[] {
  if (against === undefined) return listOf("--methods", methods, known);
  if (methods !== undefined)
    throw new UserError("--methods and --against exclude each other: give one");
  const named = new Set<string>(["aligned", ...listOf("--against", against, known)]);
  return known.filter((name) => named.has(name.replace(/-shared$/, "")) || named.has(name));
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
