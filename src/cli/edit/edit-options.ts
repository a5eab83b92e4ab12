import type { Receipt } from "../../editing/report/receipt.ts";
import { UserError } from "../../engine/errors.ts";
import { numberOption, optionalNumber } from "../arguments.ts";
import { deviceArg } from "../device-option.ts";
import { loraArg, loraStrengthArg } from "../lora-options.ts";

const where = "Where to";
const what = "What to change, and what to keep";
const first = "Look before you wait";
const long = "Long clips";
const how = "How";

/** What `eve edit` takes; `group` is the heading of its help. */
export const args = {
  video: {
    type: "positional",
    required: false,
    description: "the video to edit, a picture or a folder of them, - for stdin",
  },
  instruction: {
    type: "positional",
    required: false,
    description: 'what to change, e.g. "make the ball blue"',
  },
  further: {
    type: "positional",
    required: false,
    valueHint: "…",
    description: "further instructions, each for the result of the one before it",
  },
  out: {
    type: "string",
    group: where,
    alias: "o",
    valueHint: "file",
    description:
      "where to write: a video, a picture, a folder/ of them, - for stdout (default: <video>-edited.mp4 here)",
  },
  codec: {
    type: "string",
    group: where,
    valueHint: "name",
    description: "h264, hevc, av1, vp9, prores or ffv1 (default: the container's)",
  },
  quality: {
    type: "string",
    group: where,
    valueHint: "name",
    description: "draft, good, best, lossless, or the codec's CRF (default: good)",
  },
  tgve: {
    type: "string",
    group: where,
    valueHint: "set",
    description: "write pictures as TGVE wants them: <out>/<set>/<video>/<task>/00000.jpg",
  },
  force: { type: "boolean", group: where, description: "overwrite what exists" },
  compare: {
    type: "string",
    group: where,
    valueHint: "file",
    description:
      "also input and result together: a .html page to look closely, a .mp4 (or other video), or a .png sheet",
  },
  "change-map": {
    type: "string",
    group: where,
    valueHint: "file.png",
    description: "also a picture of where how much changed",
  },
  json: { type: "boolean", group: where, description: "print one JSON object per event" },
  strength: {
    type: "string",
    group: what,
    valueHint: "name",
    description: "keep, balanced or bold: how much may change (default: balanced)",
  },
  mask: {
    type: "string",
    group: what,
    valueHint: "file",
    description: "edit only where this picture, video or folder of pictures is white",
  },
  feather: {
    type: "string",
    group: what,
    valueHint: "px",
    description: "let the edit fade in over so many pixels inside the mask (default: 0)",
  },
  frames: {
    type: "string",
    group: what,
    valueHint: "from..to",
    description: "edit only these: 2s..6s, 48..96 (the last not included), 10.., ..4s",
  },
  caption: {
    type: "string",
    group: what,
    valueHint: "text",
    description: 'what the result shows, e.g. "a blue ball in a meadow"; optional',
  },
  task: {
    type: "string",
    group: what,
    valueHint: "name",
    description:
      "style, background, object, multiple, add, remove or texture (default: from the instruction)",
  },
  seed: {
    type: "string",
    group: what,
    valueHint: "n",
    description:
      "which of the possible results to draw; temperature is then 1 unless you say otherwise",
  },
  temperature: {
    type: "string",
    group: what,
    valueHint: "t",
    description: "from 0, the steadiest result, to 1, one of many (default: the model's)",
  },
  preview: {
    type: "string",
    group: first,
    valueHint: "[time]",
    description: "edit one frame, at 2s or number 48 (default: the middle), and write a .png",
  },
  "dry-run": {
    type: "boolean",
    group: first,
    description: "say how long it will take and how much memory; edit nothing",
  },
  seeds: {
    type: "string",
    group: first,
    valueHint: "1,2,3",
    description: "a result for each seed, and a sheet of all of them",
  },
  resume: {
    type: "boolean",
    group: long,
    description: "continue a stopped edit to the same file at its last finished window",
  },
  window: {
    type: "string",
    group: long,
    valueHint: "n",
    description: "frames edited together (default: the model's)",
  },
  overlap: {
    type: "string",
    group: long,
    valueHint: "n",
    description: "frames that two windows share (default: 2)",
  },
  model: {
    type: "string",
    group: how,
    valueHint: "dir",
    description: "model folder, or open: the public weights (default: models/tiny)",
  },
  lora: { ...loraArg, group: how },
  "lora-strength": { ...loraStrengthArg, group: how },
  device: { ...deviceArg, group: how },
  receipt: {
    type: "string",
    group: how,
    valueHint: "file",
    description: "repeat the edit that a receipt describes; options given here override it",
  },
  steps: {
    type: "string",
    group: how,
    valueHint: "n",
    description: "denoising steps (default: the model's)",
  },
  "guidance-text": {
    type: "string",
    group: how,
    valueHint: "scale",
    description: "how closely to follow the words, in place of the strength's",
  },
  "guidance-image": {
    type: "string",
    group: how,
    valueHint: "scale",
    description: "how closely to follow the input, in place of the strength's",
  },
  method: {
    type: "string",
    group: how,
    valueHint: "name",
    description: "aligned, stacked or frame-by-frame (default: the first that the model has)",
  },
  stacked: {
    type: "boolean",
    group: how,
    description: "the same as --method stacked: the adapters as they were before their alignment",
  },
  noise: {
    type: "string",
    group: how,
    valueHint: "name",
    description:
      "noise of the frames, if there is any: independent or shared (default: independent)",
  },
  sampler: {
    type: "string",
    group: how,
    valueHint: "name",
    description: "ddim or dpm-solver (default: ddim)",
  },
  detail: {
    type: "string",
    group: how,
    valueHint: "name",
    description: "keep the input's detail where little changed, or off (default: keep)",
  },
  deflicker: {
    type: "string",
    group: how,
    valueHint: "name",
    description:
      "on: steady what stands still, or off (default: on, except for --method frame-by-frame)",
  },
} as const;

/** Options as the parser hands them over. */
export type GivenOptions = {
  readonly [Name in keyof typeof args]?: string | boolean | undefined;
} & {
  /** All positional arguments. */
  readonly _?: readonly string[];
};

/** The edit's settings: what the options say, else what the receipt says; checked elsewhere. */
export function settingsFrom(
  given: GivenOptions,
  receipt?: Pick<Receipt, "settings">,
): Readonly<Record<string, unknown>> {
  const { instruction, caption, task, strength, noise, sampler, detail, deflicker, mask, frames } =
    given;
  const chosen = {
    instruction,
    further: instruction === undefined ? undefined : furtherInstructions(given),
    caption,
    task,
    method: chosenMethod(given),
    strength,
    noise,
    sampler,
    detail,
    deflicker,
    mask,
    frames,
    feather: wholeNumber("--feather", given.feather),
    seed: wholeNumber("--seed", given.seed),
    temperature: optionalNumber("--temperature", given.temperature, { min: 0, max: 1 }),
    steps: wholeNumber("--steps", given.steps),
    window: wholeNumber("--window", given.window),
    overlap: wholeNumber("--overlap", given.overlap),
    guidance: guidanceScales(given, receipt),
  };
  const said = Object.entries(chosen).filter(([, value]) => value !== undefined);
  return { ...repeated(given, receipt), ...Object.fromEntries(said) };
}

/** The instructions behind the first. Throws a UserError where one is a word alone: somebody forgot the quotes. */
function furtherInstructions({ _: all = [] }: GivenOptions): readonly string[] {
  const [, opening = "", ...further] = all;
  const word = further.find((text) => !/\s/.test(text.trim()));
  if (word === undefined) return further;
  const meant = [opening, ...further].join(" ");
  throw new UserError(
    `expected each instruction in quotes, such as "${meant.slice(0, 80)}", got the word "${word.slice(0, 40)}" alone`,
  );
}

/**
 * A receipt's settings. Another seed asks for another result, which the receipt's temperature need not have; another
 * instruction is of another task, and shows something else.
 */
function repeated(
  { seed, seeds, instruction }: GivenOptions,
  receipt: Pick<Receipt, "settings"> | undefined,
): Partial<Receipt["settings"]> {
  if (!receipt) return {};
  const { temperature, task, caption, ...others } = receipt.settings;
  return {
    ...others,
    ...(seed === undefined && seeds === undefined && { temperature }),
    ...((instruction === undefined || instruction === others.instruction) && { task, caption }),
  };
}

/** The seeds of `--seeds`, or none where it is not given. */
export function seedsFrom(given: string | boolean | undefined): number[] {
  if (typeof given !== "string") return [];
  const seeds = given
    .split(",")
    .map((text) => numberOption("--seeds", text, { integer: true, min: 0 }));
  if (new Set(seeds).size === seeds.length) return seeds;
  throw new UserError(`--seeds: expected different numbers, got ${given.slice(0, 60)}`);
}

/** `--stacked` is a short name of one method; beside another it is a contradiction. */
function chosenMethod({ method, stacked }: GivenOptions): string | boolean | undefined {
  if (stacked !== true) return method;
  if (method === undefined || method === "stacked") return "stacked";
  throw new UserError(`--stacked and --method ${String(method)} exclude each other: give one`);
}

function wholeNumber(flag: string, text: string | boolean | undefined): number | undefined {
  return optionalNumber(flag, text, { integer: true });
}

/** Scales that are given; a strength that is given takes the place of a receipt's. */
function guidanceScales(
  given: GivenOptions,
  receipt: Pick<Receipt, "settings"> | undefined,
): Record<string, number | undefined> | undefined {
  const scale = (flag: "guidance-text" | "guidance-image") =>
    optionalNumber(`--${flag}`, given[flag], { min: 0, max: 30 });
  const chosen = { text: scale("guidance-text"), image: scale("guidance-image") };
  const said = Object.entries(chosen).filter(([, value]) => value !== undefined);
  if (said.length === 0 && given.strength === undefined) return undefined;
  const before = given.strength === undefined ? receipt?.settings.guidance : undefined;
  return Object.fromEntries([...Object.entries(before ?? {}), ...said]);
}
