import { z } from "zod";
import { inferTask } from "../../data/world/language.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { FULL_TEMPERATURE } from "../../diffusion/temperature.ts";
import { spacingOf, type Spacing } from "../../diffusion/timesteps.ts";
import { UserError } from "../../engine/errors.ts";
import type { EditingModel } from "./model.ts";
import { ALL_FRAMES, parseSpan } from "./span.ts";
import { guidanceFor, STRENGTHS } from "./strength.ts";

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
export type NoiseMode = (typeof NOISE_MODES)[number];
export const SAMPLERS = ["ddim", "dpm-solver"] as const;
export const EDIT_METHODS = ["aligned", "stacked", "frame-by-frame"] as const;

/** Whether a method edits the frames of a window together: both adapters at work. */
export function isTogether(method: (typeof EDIT_METHODS)[number] | undefined): boolean {
  return method !== "frame-by-frame";
}

export const DETAIL_MODES = ["keep", "off"] as const;
export const DEFLICKER_MODES = ["on", "off"] as const;

const tooLong: Refusal = {
  error: ({ input }) =>
    `expected at most ${LONGEST_TEXT} characters, got ${typeof input === "string" ? input.length : "more"}`,
};
const whole = (min: number, max: number) => {
  const error = expected(`a whole number from ${min} to ${max}`);
  return z.int(error).min(min, error).max(max, error);
};
const choice = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.enum(names, expected(`one of ${names.join(", ")}`));
const isScale = expected("a number from 0 to 30");
const scale = z.number(isScale).min(0, isScale).max(30, isScale);
const isTemperature = expected("a number from 0 to 1");
const temperature = z.number(isTemperature).min(0, isTemperature).max(1, isTemperature);
const sentence = z
  .string(expected('a sentence such as "make the ball blue"'))
  .trim()
  .min(1, 'expected a sentence such as "make the ball blue", got nothing')
  .max(LONGEST_TEXT, tooLong);
const span = z.string(expected("a span such as 2s..6s or 48..96")).superRefine((text, context) => {
  const { error } = parseSpan(text);
  if (error !== undefined) context.addIssue(error);
});

/** What a user can say about an edit besides which video and which model. */
export const EditSettings = z.strictObject({
  instruction: sentence,
  /** Further instructions, each for the result of the one before it. */
  further: z
    .array(sentence)
    .max(MOST_FURTHER, { error: () => `expected at most ${MOST_FURTHER + 1} instructions` })
    .default([]),
  /** What the result shows, e.g. "a blue ball in a meadow"; empty: the instruction must do. */
  caption: z.string(expected("a sentence")).trim().max(LONGEST_TEXT, tooLong).default(""),
  /** Which task label the adapter reads; inferred from the instruction by default. Further instructions have their own. */
  task: choice(TASKS).optional(),
  /** Which of the possible results; 0 by default. Given, it asks for temperature 1, where nothing else is said of that. */
  seed: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  /**
   * How much of the noise an edit starts from: 1, all of it, results as various as the model's; 0: none, one result for
   * all seeds, and frames that differ by their inputs alone. The model's own by default.
   */
  temperature: temperature.optional(),
  /** Denoising steps; the model's own number by default. */
  steps: whole(1, 1000).optional(),
  /** Frames edited together; the model's own number by default. */
  window: whole(1, 1024).optional(),
  /** Frames that windows share; at least 1 where they are edited together. */
  overlap: whole(0, 1023).default(DEFAULT_OVERLAP),
  noise: choice(NOISE_MODES).default("independent"),
  sampler: choice(SAMPLERS).default("ddim"),
  /** How much the edit may change: a rung of the ladder over the two guidance scales. */
  strength: choice(STRENGTHS).default("balanced"),
  /** How closely to follow text and input frame, in place of the strength's scales; 1 and 1: as the model is used for the task. */
  guidance: z.strictObject({ text: scale.optional(), image: scale.optional() }).default({}),
  /**
   * `aligned`: both adapters as distillation has aligned them; `stacked`: without that; `frame-by-frame`: the edit
   * adapter alone. By default the first of these that the model has.
   */
  method: choice(EDIT_METHODS).optional(),
  /** `keep`: give back the source's detail where little changed; `off`: the model's own picture. */
  detail: choice(DETAIL_MODES).default("keep"),
  /**
   * `on`: take what flickers out of the edit, where source and edit stand still; `off`: frames as they were drawn. On by
   * default where frames are edited together; frame by frame, each is left as a picture of its own.
   */
  deflicker: choice(DEFLICKER_MODES).optional(),
  /**
   * Which frames to edit, `from..to`, the first included and the last not: numbers from 0, or seconds as in `2s..6s`.
   * Either end may be left out. All others are copied.
   */
  frames: span.default(ALL_FRAMES),
  /**
   * Where to edit: a picture, a video, or a folder with a picture for each frame, of the video's own size. White is
   * edited, black keeps the source's pixels exactly. Empty: everywhere.
   */
  mask: z.string(expected("the path of a picture, a video or a folder")).default(""),
  /** Pixels over which the edit fades in, inside the mask's edge. */
  feather: whole(0, 1000).default(0),
});
/** The settings as given, before defaults. */
export type EditSettingsInput = z.input<typeof EditSettings>;
/** The settings with defaults, before the model and the clip are known. */
export type EditSettings = z.output<typeof EditSettings>;

/** Everything that decides what an edit looks like, besides input and weights. */
export type ResolvedSettings = {
  readonly [Name in keyof Omit<EditSettings, "guidance">]-?: NonNullable<EditSettings[Name]>;
} & { readonly guidance: { readonly text: number; readonly image: number } };

/** Checks settings; throws a UserError of one sentence for the first that is wrong. */
export function readSettings(input: unknown): EditSettings {
  const parsed = EditSettings.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = issue?.path[0] ?? "settings";
    throw new UserError(`${String(name)}: ${issue?.message ?? "not as documented"}`);
  }
  const { window, overlap } = parsed.data;
  if (window !== undefined) requireOverlap(overlap, window, parsed.data.method);
  return parsed.data;
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

interface Refusal {
  readonly error: (issue: { readonly input?: unknown }) => string;
}

function expected(what: string): Refusal {
  return { error: ({ input }) => `expected ${what}, got ${shown(input)}` };
}

function shown(input: unknown): string {
  const text = input === undefined ? "nothing" : (JSON.stringify(input) ?? typeof input);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
