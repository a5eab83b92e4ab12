import { existsSync } from "node:fs";
import type { Receipt } from "../editing/receipt.ts";
import { UserError } from "../engine/errors.ts";
import { numberOption } from "./arguments.ts";

/** What `eve edit` takes. */
export const args = {
  video: { type: "positional", required: false, description: "the video to edit, - for stdin" },
  instruction: {
    type: "positional",
    required: false,
    description: 'what to change, e.g. "make the ball blue"',
  },
  out: {
    type: "string",
    alias: "o",
    valueHint: "file",
    description:
      "where to write: a video, a folder/ of pictures, - for stdout (default: <video>-edited.mp4 here)",
  },
  codec: {
    type: "string",
    valueHint: "name",
    description: "h264, hevc, av1, vp9, prores or ffv1 (default: the container's)",
  },
  quality: {
    type: "string",
    valueHint: "name",
    description: "draft, good, best, lossless, or the codec's CRF (default: good)",
  },
  tgve: {
    type: "string",
    valueHint: "set",
    description: "write pictures as TGVE wants them: <out>/<set>/<video>/<task>/00000.jpg",
  },
  force: { type: "boolean", description: "overwrite the output if it exists" },
  model: { type: "string", valueHint: "dir", description: "model folder (default: models/tiny)" },
  caption: { type: "string", valueHint: "text", description: "what the result shows; optional" },
  seed: {
    type: "string",
    valueHint: "n",
    description: "which of the possible results (default: 0)",
  },
  steps: { type: "string", valueHint: "n", description: "denoising steps (default: 2)" },
  task: {
    type: "string",
    valueHint: "name",
    description:
      "style, background, object, multiple, add, remove or texture (default: from the instruction)",
  },
  method: {
    type: "string",
    valueHint: "name",
    description: "aligned, stacked or frame-by-frame (default: the first that the model has)",
  },
  stacked: {
    type: "boolean",
    description: "the same as --method stacked: the adapters as they were before their alignment",
  },
  window: {
    type: "string",
    valueHint: "n",
    description: "frames edited together (default: the model's)",
  },
  overlap: { type: "string", valueHint: "n", description: "frames windows share (default: 2)" },
  noise: {
    type: "string",
    valueHint: "name",
    description: "independent or shared between frames (default: independent)",
  },
  sampler: { type: "string", valueHint: "name", description: "ddim or dpm-solver (default: ddim)" },
  guidance: {
    type: "string",
    valueHint: "text[,image]",
    description: "how closely to follow the words, and the input (default: 1,1)",
  },
  detail: {
    type: "string",
    valueHint: "name",
    description: "keep the input's detail where little changed, or off (default: keep)",
  },
  receipt: {
    type: "string",
    valueHint: "file",
    description: "repeat the edit that a receipt describes; options given here override it",
  },
  compare: {
    type: "string",
    valueHint: "file.png",
    description: "also draw frames of input and result above each other",
  },
  json: { type: "boolean", description: "print one JSON object per event" },
} as const;

/** Options as the parser hands them over. */
export type GivenOptions = {
  readonly [Name in keyof typeof args]?: string | boolean | undefined;
};

/** The edit's settings: what the options say, else what the receipt says; checked elsewhere. */
export function settingsFrom(
  given: GivenOptions,
  receipt?: Pick<Receipt, "settings">,
): Readonly<Record<string, unknown>> {
  const { instruction, caption, task, noise, sampler, detail } = given;
  const chosen = {
    instruction,
    caption,
    task,
    method: chosenMethod(given),
    noise,
    sampler,
    detail,
    seed: wholeNumber("--seed", given.seed),
    steps: wholeNumber("--steps", given.steps),
    window: wholeNumber("--window", given.window),
    overlap: wholeNumber("--overlap", given.overlap),
    guidance: guidanceScales(given.guidance),
  };
  const said = Object.entries(chosen).filter(([, value]) => value !== undefined);
  return { ...receipt?.settings, ...Object.fromEntries(said) };
}

/** Refuses to overwrite what a user may want to keep. */
export function requireNew(output: string, isForced: boolean): void {
  if (isForced || !existsSync(output)) return;
  throw new UserError(`${output} exists: give another name with -o, or --force to replace it`);
}

/** `--stacked` is a short name of one method; beside another it is a contradiction. */
function chosenMethod({ method, stacked }: GivenOptions): string | boolean | undefined {
  if (stacked !== true) return method;
  if (method === undefined || method === "stacked") return "stacked";
  throw new UserError(`--stacked and --method ${String(method)} exclude each other: give one`);
}

function wholeNumber(flag: string, text: string | boolean | undefined): number | undefined {
  return typeof text === "string" ? numberOption(flag, text, { integer: true }) : undefined;
}

/** `7.5` or `7.5,1.5`: how closely to follow the words, and the input. */
function guidanceScales(given: string | boolean | undefined) {
  if (typeof given !== "string") return undefined;
  const [text = "", image = "1", ...rest] = given.split(",");
  if (rest.length > 0) {
    throw new UserError(
      `--guidance: expected <text> or <text>,<image>, got "${given.slice(0, 60)}"`,
    );
  }
  const scale = (part: string) => numberOption("--guidance", part, { min: 0, max: 30 });
  return { text: scale(text), image: scale(image) };
}
