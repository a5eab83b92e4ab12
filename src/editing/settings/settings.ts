import { z } from "zod";
import { inferTask } from "../../data/world/language.ts";
import { TASKS, type Task } from "../../data/world/tasks.ts";
import { FULL_TEMPERATURE } from "../../diffusion/temperature.ts";
import { spacingOf, type Spacing } from "../../diffusion/timesteps.ts";
import { UserError } from "../../engine/errors.ts";
import { isRecord } from "../../engine/json.ts";
import type { EditingModel } from "./model.ts";
import {
  choice,
  expected,
  numberWithin,
  readInput,
  requireKnown,
  type Refusal,
} from "./read-input.ts";
import { ALL_FRAMES, parseSpan } from "./span.ts";
import { guidanceFor, type Strength, STRENGTHS } from "./strength.ts";

/** Longest instruction and caption, in characters. */
export const LONGEST_TEXT = 1000;
/** Frames that windows share where nobody says otherwise. */
export const DEFAULT_OVERLAP = 2;
/** Denoising steps of a model that asks for no other number. */
const DEFAULT_STEPS = 2;
/** Most instructions that may follow the first. */
const MOST_FURTHER = 7;

/** `independent`: every frame has noise of its own; `shared`: all frames start from frame 0's. */
export const NOISE_MODES = ["independent", "shared"] as const;
/** The name of a way to draw the noise of frames. */
export type NoiseMode = (typeof NOISE_MODES)[number];
/** The samplers that an edit can be drawn by. */
export const SAMPLERS = ["ddim", "dpm-solver"] as const;
/** The name of a sampler. */
export type Sampler = (typeof SAMPLERS)[number];
/** Which networks edit: both adapters aligned, both merely stacked, or the edit adapter on each frame alone. */
export const EDIT_METHODS = ["aligned", "stacked", "frame-by-frame"] as const;
/** The name of a method. */
export type EditMethod = (typeof EDIT_METHODS)[number];

/** Whether a method edits the frames of a window together: both adapters at work. */
export function isTogether(method: EditMethod | undefined): boolean {
  return method !== "frame-by-frame";
}

/** Whether an edited frame gets back the detail of its source. */
export const DETAIL_MODES = ["keep", "off"] as const;
/** The name of what is done about detail. */
export type DetailMode = (typeof DETAIL_MODES)[number];
/** Whether flicker is taken out of edited frames. */
export const DEFLICKER_MODES = ["on", "off"] as const;
/** The name of what is done about flicker. */
export type DeflickerMode = (typeof DEFLICKER_MODES)[number];

const tooLong: Refusal = {
  error: ({ input }) =>
    `expected at most ${LONGEST_TEXT} characters, got ${typeof input === "string" ? input.length : "more"}`,
};
const whole = (min: number, max: number) => {
  const error = expected(`a whole number from ${min} to ${max}`);
  return z.int(error).min(min, error).max(max, error);
};
const scale = numberWithin(0, 30);
const sentence = z
  .string(expected('a sentence such as "make the ball blue"'))
  .trim()
  .min(1, 'expected a sentence such as "make the ball blue", got nothing')
  .max(LONGEST_TEXT, tooLong);
const span = z.string(expected("a span such as 2s..6s or 48..96")).superRefine((text, context) => {
  const { error } = parseSpan(text);
  if (error !== undefined) context.addIssue(error);
});

/** What a user can say about an edit besides which video and which model, as given. */
export interface EditSettingsInput {
  /** What to do, e.g. "make the ball blue"; at most 1000 characters. */
  readonly instruction: string;
  /** Up to seven further instructions, each for the result of the one before it. */
  readonly further?: readonly string[] | undefined;
  /** What the result shows, e.g. "a blue ball in a meadow", at most 1000 characters; empty, the default: the instruction must do. */
  readonly caption?: string | undefined;
  /** Which task label the adapter reads; inferred from the instruction by default. Further instructions have their own. */
  readonly task?: Task | undefined;
  /** Which of the possible results; 0 by default. Given, it asks for temperature 1, where nothing else is said of that. */
  readonly seed?: number | undefined;
  /**
   * How much of the noise an edit starts from: 1, all of it, results as various as the model's; 0: none, one result for
   * all seeds, and frames that differ by their inputs alone. The model's own by default.
   */
  readonly temperature?: number | undefined;
  /** Denoising steps, 1 to 1000; the model's own number by default. */
  readonly steps?: number | undefined;
  /** Frames edited together, at most as many as the model sees at once, which is the default. */
  readonly window?: number | undefined;
  /** Frames that windows share; at least 1 where they are edited together. 2 by default. */
  readonly overlap?: number | undefined;
  /** `independent`, the default: every frame has noise of its own; `shared`: all frames start from frame 0's. */
  readonly noise?: NoiseMode | undefined;
  /** `ddim` by default. */
  readonly sampler?: Sampler | undefined;
  /** How much the edit may change: a rung of the ladder over the two guidance scales; `balanced` by default. */
  readonly strength?: Strength | undefined;
  /**
   * How closely to follow text and input frame, 0 to 30, in place of the strength's scales; 1 and 1: as the model is used
   * for the task.
   */
  readonly guidance?:
    | { readonly text?: number | undefined; readonly image?: number | undefined }
    | undefined;
  /**
   * `aligned`: both adapters as distillation has aligned them; `stacked`: without that; `frame-by-frame`: the edit
   * adapter alone. By default the first of these that the model has.
   */
  readonly method?: EditMethod | undefined;
  /** `keep`, the default: give back the source's detail where little changed; `off`: the model's own picture. */
  readonly detail?: DetailMode | undefined;
  /**
   * `on`: take what flickers out of the edit, where source and edit stand still; `off`: frames as they were drawn. On by
   * default where frames are edited together; frame by frame, each is left as a picture of its own.
   */
  readonly deflicker?: DeflickerMode | undefined;
  /**
   * Which frames to edit, `from..to`, the first included and the last not: numbers from 0, or seconds as in `2s..6s`.
   * Either end may be left out. All others are copied. By default all are edited.
   */
  readonly frames?: string | undefined;
  /**
   * Where to edit: a picture, a video, or a folder with a picture for each frame, of the video's own size. White is
   * edited, black keeps the source's pixels exactly. Empty, the default: everywhere.
   */
  readonly mask?: string | undefined;
  /** Pixels, 0 to 1000, over which the edit fades in, inside the mask's edge; 0 by default. */
  readonly feather?: number | undefined;
}

/** How `EditSettingsInput` is checked, and what is settled without a model. */
export const EditSettings = z.strictObject({
  instruction: sentence,
  further: z
    .array(sentence, expected("a list of sentences"))
    .max(MOST_FURTHER, { error: () => `expected at most ${MOST_FURTHER + 1} instructions` })
    .readonly()
    .default([]),
  caption: z.string(expected("a sentence")).trim().max(LONGEST_TEXT, tooLong).default(""),
  task: choice(TASKS).optional(),
  seed: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  temperature: numberWithin(0, 1).optional(),
  steps: whole(1, 1000).optional(),
  window: whole(1, 1024).optional(),
  overlap: whole(0, 1023).default(DEFAULT_OVERLAP),
  noise: choice(NOISE_MODES).default("independent"),
  sampler: choice(SAMPLERS).default("ddim"),
  strength: choice(STRENGTHS).default("balanced"),
  guidance: z
    .strictObject(
      { text: scale.optional(), image: scale.optional() },
      expected("scales such as { text: 1.5 }"),
    )
    .default({}),
  method: choice(EDIT_METHODS).optional(),
  detail: choice(DETAIL_MODES).default("keep"),
  deflicker: choice(DEFLICKER_MODES).optional(),
  frames: span.default(ALL_FRAMES),
  mask: z.string(expected("the path of a picture, a video or a folder")).default(""),
  feather: whole(0, 1000).default(0),
});
/** The settings with defaults, before the model and the clip are known. */
export type EditSettings = z.output<typeof EditSettings>;

/** The names of all settings. */
export const SETTING_NAMES: readonly string[] = Object.keys(EditSettings.shape);

/** Everything that decides what an edit looks like, besides input and weights: as given, or as it was settled. */
export type ResolvedSettings = {
  readonly [Name in keyof Omit<EditSettingsInput, "guidance">]-?: NonNullable<
    EditSettingsInput[Name]
  >;
} & {
  /** How closely text and input frame were followed; 1 and 1: as the model is used for the task. */
  readonly guidance: { readonly text: number; readonly image: number };
};

/** Checks settings; throws a UserError of one sentence for the first that is wrong. */
export function readSettings(input: unknown): EditSettings {
  if (isRecord(input)) requireKnown(input, SETTING_NAMES, "setting");
  const settings = readInput(EditSettings, input, "settings");
  const { window, overlap, method } = settings;
  if (window !== undefined) requireOverlap(overlap, window, method);
  return settings;
}

/** Settles what depends on the model. */
export function resolveSettings(
  settings: EditSettings,
  model: Pick<EditingModel, "name" | "window" | "hasVideoAdapter" | "hasAlignment" | "defaults">,
): ResolvedSettings {
  const method = methodFor(settings, model);
  const window = settings.window ?? model.window;
  if (isTogether(method) && window > model.window) {
    throw new UserError(
      `window: ${model.name} sees at most ${model.window} frames at once, got ${window}`,
    );
  }
  requireOverlap(settings.overlap, window, method);
  // In the schema's order, whatever was given: receipts of equal edits are equal.
  return {
    instruction: settings.instruction,
    further: settings.further,
    caption: settings.caption,
    task: settings.task ?? inferTask(settings.instruction),
    seed: settings.seed ?? 0,
    temperature: temperatureFor(settings, model),
    steps: stepsFor(settings, model),
    window,
    overlap: isTogether(method) ? settings.overlap : 0,
    noise: settings.noise,
    sampler: settings.sampler,
    strength: settings.strength,
    guidance: guidanceFor(settings.strength, settings.guidance, model.defaults?.guidance),
    method,
    detail: settings.detail,
    deflicker: settings.deflicker ?? (isTogether(method) ? "on" : "off"),
    frames: settings.frames,
    mask: settings.mask,
    feather: settings.feather,
  };
}

/** The steps asked for, else those in which the model is sampled. */
export function stepsFor(
  { steps }: Pick<EditSettings, "steps">,
  { defaults }: Pick<EditingModel, "defaults">,
): number {
  return steps ?? defaults?.steps ?? defaults?.times?.length ?? DEFAULT_STEPS;
}

/**
 * How an edit's times are spread: as the model's own at its own temperature. Without noise those may begin below the end of the
 * schedule; pure noise belongs at its end, and there an edit of another temperature begins.
 */
export function editSpacing(
  settings: Pick<ResolvedSettings, "steps" | "temperature">,
  { defaults }: Pick<EditingModel, "defaults">,
): Spacing {
  const isItsOwn = settings.temperature === (defaults?.temperature ?? FULL_TEMPERATURE);
  return isItsOwn ? spacingOf(settings.steps, defaults?.times) : "trailing";
}

/** Who asks for one of several results wants them to differ: at the temperature of many models they would not. */
export function temperatureFor(
  { temperature: asked, seed }: Partial<Pick<EditSettings, "temperature" | "seed">>,
  { defaults }: Pick<EditingModel, "defaults">,
): number {
  if (asked !== undefined) return asked;
  return seed === undefined ? (defaults?.temperature ?? FULL_TEMPERATURE) : FULL_TEMPERATURE;
}

/** The edits that the settings ask for, one for each instruction; the caption tells what the last one shows. */
export function chainOf(settings: ResolvedSettings): ResolvedSettings[] {
  const { instruction, further, caption, task } = settings;
  const all = [
    { instruction, task },
    ...further.map((text) => ({ instruction: text, task: inferTask(text) })),
  ];
  return all.map((own, index) => ({
    ...settings,
    ...own,
    further: [],
    caption: index === all.length - 1 ? caption : "",
  }));
}

/** An alignment that is asked for and missing is no failure: the adapters are stacked then. */
function methodFor(
  { method }: EditSettings,
  {
    name,
    hasVideoAdapter,
    hasAlignment,
  }: Pick<EditingModel, "name" | "hasVideoAdapter" | "hasAlignment">,
): ResolvedSettings["method"] {
  const best = hasVideoAdapter ? "stacked" : "frame-by-frame";
  if (method === undefined) return hasAlignment ? "aligned" : best;
  if (isTogether(method) && !hasVideoAdapter) {
    throw new UserError(
      `method: ${name} has no video adapter, so its frames can only be edited frame-by-frame`,
    );
  }
  return method === "aligned" && !hasAlignment ? "stacked" : method;
}

/** What to say where an edit is made by another method than the one that was asked for. */
export function methodWarning(
  asked: EditSettings["method"],
  { method }: Pick<ResolvedSettings, "method">,
  { name }: Pick<EditingModel, "name">,
): string | undefined {
  if (asked !== "aligned" || method === "aligned") return undefined;
  return `${name} has no alignment: its adapters are stacked instead`;
}

function requireOverlap(overlap: number, window: number, method: EditSettings["method"]): void {
  if (!isTogether(method) || (overlap >= 1 && overlap < window)) return;
  throw new UserError(
    `overlap: expected at least 1 and less than the window of ${window} frames, got ${overlap}`,
  );
}
