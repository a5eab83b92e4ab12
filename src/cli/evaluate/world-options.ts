import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EditingModel } from "../../editing/settings/model.ts";
import { UserError } from "../../engine/errors.ts";
import { plainName, type MethodName } from "../../evaluation/methods/method-names.ts";
import type { DrawSettings, EvaluationOptions } from "../../evaluation/methods/options.ts";
import type { Measurement } from "../../evaluation/world/world-evaluation.ts";
import type { PartsElsewhere } from "../../eve/model/model-folder.ts";
import { listOf, numberOption, oneOf, optionalNumber } from "../arguments.ts";
import { deviceArg } from "../device-option.ts";
import { jobsArg } from "../jobs-option.ts";

/** How clips of the world are edited: the options of every verb that edits some. */
export const drawingArgs = {
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
  frames: { type: "string", default: "16", valueHint: "n", description: "length of each clip" },
  noise: {
    type: "string",
    default: "both",
    valueHint: "mode",
    description: "methods with independent noise for each frame, shared noise, or both",
  },
  sampler: {
    type: "string",
    default: "ddim",
    valueHint: "name",
    description: "ddim or dpm-solver",
  },
  temperature: {
    type: "string",
    valueHint: "t",
    description: "from 0, no noise, to 1, all of it (default: the model's)",
  },
  "text-guidance": {
    type: "string",
    default: "1",
    valueHint: "scale",
    description: "how closely to follow the words; 1: as usual with the model for each task",
  },
  "image-guidance": {
    type: "string",
    default: "1",
    valueHint: "scale",
    description: "how closely to follow the input frame; 1: as usual",
  },
  detail: {
    type: "string",
    default: "keep",
    valueHint: "name",
    description: "keep the input's detail where little changed, as eve edit does, or off",
  },
  deflicker: {
    type: "string",
    valueHint: "name",
    description:
      "on: steady what stands still, or off (default: on, except for the edit adapter frame by frame)",
  },
  caption: {
    type: "string",
    default: "output",
    valueHint: "what",
    description: "output: tell the model the output caption; none: the instruction alone",
  },
  seed: { type: "string", default: "0", valueHint: "n", description: "seed of all noise" },
  device: deviceArg,
  json: { type: "boolean", description: "print one JSON object per event; the last is the result" },
} as const;

/** The same with which clips: so many of each task. */
export const clipArgs = {
  ...drawingArgs,
  count: { type: "string", default: "20", valueHint: "n", description: "clips of each task" },
  tasks: {
    type: "string",
    valueHint: "list",
    description: "tasks, separated by commas (default: all seven)",
  },
} as const;

/** The option of the verbs that draw with one number of steps. */
export const stepsArg = {
  type: "string",
  valueHint: "n",
  description: "denoising steps (default: the model's)",
} as const;

/** The options of `evaluate world`. */
export const worldArgs = {
  ...clipArgs,
  steps: stepsArg,
  jobs: jobsArg,
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
  sheets: {
    type: "string",
    valueHint: "dir",
    description: "write a contact sheet of each task there: input, truth, edited",
  },
} as const;

/** Options as text; those without a default may be missing. */
type Texts<Args> = {
  readonly [Name in keyof Args as Args[Name] extends { default: string } ? Name : never]: string;
} & {
  readonly [
    Name in keyof Args as Args[Name] extends { default: string } | { type: "boolean" }
      ? never
      : Name
  ]?: string | undefined;
};
/** The options of `drawingArgs` as text. */
type DrawingArguments = Texts<typeof drawingArgs>;
/** The options of `clipArgs` as text. */
export type ClipArguments = Texts<typeof clipArgs>;
/** The options of `evaluate world` as text. */
export type WorldArguments = Texts<typeof worldArgs>;

/** The alignment that the options name. */
export function elsewhere({ alignment }: Pick<DrawingArguments, "alignment">): PartsElsewhere {
  if (alignment === undefined) return {};
  if (existsSync(join(alignment, "config.json"))) return { alignment };
  throw new UserError(
    `--alignment: expected an alignment in ${alignment}, found no config.json there`,
  );
}

/** How to draw, as it was asked for: where no number of steps is, it is the model's. */
type AskedDraw = Omit<DrawSettings, "steps"> & { readonly steps: number | undefined };

/** The options of `evaluate world` before the model is there. */
export type AskedOptions = Omit<EvaluationOptions, "draw"> & { readonly draw: AskedDraw };

/** What the options of `clipArgs` say; methods and steps are each verb's own. */
interface ClipOptions extends Omit<EvaluationOptions, "methods" | "draw"> {
  readonly draw: Omit<DrawSettings, "steps">;
}

/** Reads the options of `drawingArgs`; each that is wrong gives one sentence. */
export async function drawingOptions(
  given: DrawingArguments,
): Promise<Omit<ClipOptions, "tasks" | "count">> {
  const { DEFLICKER_MODES, DETAIL_MODES, SAMPLERS } =
    await import("../../editing/settings/settings.ts");
  const scale = (flag: "text-guidance" | "image-guidance"): number =>
    numberOption(`--${flag}`, given[flag], { min: 0, max: 30 });
  return {
    split: oneOf("--split", given.split, ["test", "validation"] as const),
    frames: numberOption("--frames", given.frames, { min: 2, max: 600, integer: true }),
    isCaptionGiven: oneOf("--caption", given.caption, ["output", "none"] as const) === "output",
    seed: numberOption("--seed", given.seed, {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      integer: true,
    }),
    draw: {
      sampler: oneOf("--sampler", given.sampler, SAMPLERS),
      temperature: optionalNumber("--temperature", given.temperature, { min: 0, max: 1 }),
      guidance: { text: scale("text-guidance"), image: scale("image-guidance") },
      detail: oneOf("--detail", given.detail, DETAIL_MODES),
      ...(given.deflicker !== undefined && {
        deflicker: oneOf("--deflicker", given.deflicker, DEFLICKER_MODES),
      }),
    },
  };
}

/** Reads the options of `clipArgs` likewise. */
export async function clipOptions(given: ClipArguments): Promise<ClipOptions> {
  const { TASKS } = await import("../../data/world/tasks.ts");
  return {
    ...(await drawingOptions(given)),
    tasks: listOf("--tasks", given.tasks, TASKS),
    count: numberOption("--count", given.count, { min: 1, max: 10_000, integer: true }),
  };
}

/** Reads the options of `evaluate world`; each that is wrong gives one sentence. */
export async function worldOptions(
  given: WorldArguments,
): Promise<{ options: AskedOptions; wanted: Measurement[] }> {
  const { METHOD_NAMES } = await import("../../evaluation/methods/method-names.ts");
  const { MEASUREMENTS } = await import("../../evaluation/world/world-evaluation.ts");
  const { draw, ...rest } = await clipOptions(given);
  const options = {
    ...rest,
    methods: await chosenMethods(given, METHOD_NAMES),
    draw: { ...draw, steps: stepsAsked(given.steps) },
  };
  return { options, wanted: listOf("--only", given.only, MEASUREMENTS) };
}

const stepLimits = { min: 1, max: 1000, integer: true };

/** A number of denoising steps, of the option `--steps`. */
export function stepCount(text: string): number {
  return numberOption("--steps", text, stepLimits);
}

/** The number of denoising steps of `--steps`, where it is given. */
export function stepsAsked(text: string | undefined): number | undefined {
  return optionalNumber("--steps", text, stepLimits);
}

/** The options with the steps that were asked for, or those in which `model` is sampled. */
export async function forModel<Asked extends { readonly draw: AskedDraw }>(
  asked: Asked,
  model: Pick<EditingModel, "defaults">,
): Promise<Omit<Asked, "draw"> & { readonly draw: DrawSettings }> {
  const { stepsFor } = await import("../../editing/settings/settings.ts");
  return { ...asked, draw: { ...asked.draw, steps: stepsFor(asked.draw, model) } };
}

/** Those of `names` that draw the noise that `--noise` asks for, or none. */
export async function withNoise(names: readonly MethodName[], mode: string): Promise<MethodName[]> {
  const { NOISE_MODES } = await import("../../editing/settings/settings.ts");
  const { METHODS } = await import("../../evaluation/methods/methods.ts");
  const wanted = oneOf("--noise", mode, [...NOISE_MODES, "both"] as const);
  return names.filter((name) => wanted === "both" || [wanted, null].includes(METHODS[name].noise));
}

/** The methods that the options ask for; none that is named may be left out for its noise. */
async function chosenMethods(
  given: WorldArguments,
  known: readonly MethodName[],
): Promise<MethodName[]> {
  const asked = methodsOf(given, known);
  const methods = await withNoise(asked, given.noise);
  const leftOut = asked.filter((name) => !methods.includes(name));
  if (given.methods === undefined || leftOut.length === 0) return methods;
  throw new UserError(
    `--noise ${given.noise} leaves out ${leftOut.join(", ")} of --methods: name methods of that noise ` +
      `(those with shared noise end in -shared), or leave --noise away`,
  );
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
  return known.filter((name) => named.has(plainName(name)) || named.has(name));
}
