import { z } from "zod";
import { CODECS, QUALITIES } from "../data/video/codecs.ts";
import { type FrameSource, isIterable, kindOf } from "../data/video/frame-source.ts";
import type { OutputChoice } from "../data/video/outputs.ts";
import { PICTURE_LAYOUTS } from "../data/video/picture-folder.ts";
import type { VideoSource } from "../data/video/video-source.ts";
import { DEVICE_CHOICES, type DeviceChoice } from "../engine/device-choices.ts";
import { UserError } from "../engine/errors.ts";
import { isRecord } from "../engine/json.ts";
import type { EditProgress } from "./report/progress.ts";
import type { WatchOptions } from "./run-edit.ts";
import type { LoraChoice } from "./settings/model.ts";
import { choice, expected, numberWithin, readInput, requireKnown } from "./settings/read-input.ts";
import { type EditSettingsInput, SETTING_NAMES } from "./settings/settings.ts";

/** Which model to load, and where it computes. */
export interface LoadOptions {
  /** A model folder; the shipped one by default. */
  readonly model?: string | undefined;
  /** `auto`, the default, is the first CUDA device where there is one, else the CPU. Holds for the whole process. */
  readonly device?: DeviceChoice | undefined;
  /** Stops the loading between its parts. */
  readonly signal?: AbortSignal | undefined;
  /** Hears when the loading begins. */
  readonly onProgress?: ((event: EditProgress) => void) | undefined;
}

/** How to edit one video. */
export interface EditOptions extends WatchOptions, Partial<Omit<EditSettingsInput, "instruction">> {
  /** The file to write, or a folder of pictures where it ends with `/`; without one frames are only handed out. */
  readonly output?: string | undefined;
  /** Where to show input and result together: a page for browsers as .html, a sheet as .png, a video otherwise. */
  readonly compare?: string | undefined;
  /** Whether what lies at `output`, where its receipt goes, and at `compare` may be replaced; default false. */
  readonly overwrite?: boolean | undefined;
  /** How the output is stored, as far as its name does not say. */
  readonly encoding?: OutputChoice | undefined;
  /** What the receipt calls the video; its path by default, `frames` where the program gives them. */
  readonly videoName?: string | undefined;
  /** Stops the edit within one denoising step. */
  readonly signal?: AbortSignal | undefined;
}

/** How to edit one frame of a video. */
export interface PreviewOptions extends Partial<Omit<EditSettingsInput, "instruction" | "frames">> {
  /** Which frame: a number from 0, or seconds as in `2s`; by default the one in the middle, or the first where nobody knows how many there are. */
  readonly at?: string | undefined;
  /** Stops the preview within one denoising step. */
  readonly signal?: AbortSignal | undefined;
  /** Gets a sentence for each thing to know, as a word that the model never learned. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** How an edit that is to be estimated would be made. */
export interface EstimateOptions extends Omit<
  EditOptions,
  keyof WatchOptions | "videoName" | "overwrite" | "compare"
> {
  /** Gets a sentence for each thing to know, as a word that the model never learned. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const file = (what: string) => {
  const error = expected(what);
  return z.string(error).min(1, error);
};
const flag = z.boolean(expected("true or false")).optional();
const listener = z
  .custom((given) => typeof given === "function", expected("a function"))
  .optional();
const signal = z.instanceof(AbortSignal, expected("an AbortSignal")).optional();

const VideoPath = file("the path of a video");
const Frames = z.object({
  video: z.object({
    frames: z.custom((given) => typeof given === "function" || isIterable(given), {
      error: ({ input }) =>
        `expected an array of frames, a generator, another iterable, or a function that returns one, got ${kindOf(input)}`,
    }),
    framesPerSecond: numberWithin(0.01, 1000).optional(),
    count: z.int(expected("a whole number of frames")).positive().optional(),
  } satisfies Shape<FrameSource>),
});
const numberOrName = expected(`one of ${QUALITIES.join(", ")} or the codec's number (CRF)`);
const Encoding = z.strictObject(
  {
    codec: choice(CODECS).optional(),
    quality: z.union([z.enum(QUALITIES), z.number()], numberOrName).optional(),
    pictures: choice(PICTURE_LAYOUTS).optional(),
  } satisfies Shape<OutputChoice>,
  expected('an object such as { quality: "best" }'),
);
const Load = z.strictObject({
  model: file("the path of a model folder").optional(),
  device: choice(DEVICE_CHOICES).optional(),
  signal,
  onProgress: listener,
} satisfies Shape<LoadOptions>);

const written = {
  output: file("the path of a file, or of a folder with a / at its end").optional(),
  encoding: Encoding.optional(),
};
const Edit = z.object({
  ...written,
  compare: file("the path of a file").optional(),
  videoName: z.string(expected("a name")).optional(),
  overwrite: flag,
  signal,
  onFrame: listener,
  onChanges: listener,
  resume: z
    .literal(
      [true, false, "where it is the same"],
      expected('true, false or "where it is the same"'),
    )
    .optional(),
  keepWork: flag,
} satisfies Shape<EditOptions>);
const Estimate = z.object({
  ...written,
  signal,
  onWarning: listener,
} satisfies Shape<EstimateOptions>);
const Preview = z.object({
  at: file('a moment such as "2s", or a frame\'s number').optional(),
  signal,
  onWarning: listener,
} satisfies Shape<PreviewOptions>);

/** A schema for some of the options. */
type Shape<Options> = { readonly [Name in keyof Options]?: z.ZodType };

const loraPath = "the path of a run or a LoRA file";
const OneOfLoras = z.preprocess(
  (given) => (typeof given === "string" ? { path: given } : given),
  z.strictObject(
    { path: file(loraPath), strength: numberWithin(0, 2).optional() } satisfies Shape<LoraChoice>,
    expected('a path, or an object such as { path: "look.safetensors", strength: 0.7 }'),
  ),
);
const LoadOpen = Load.omit({ model: true }).extend({
  folders: z.record(z.string(), z.unknown(), expected("an object of folders")).optional(),
  lora: file(`${loraPath}, or a list of such`).optional(),
  loraStrength: numberWithin(0, 2).optional(),
  size: z.int(expected("a whole number of pixels")).positive().optional(),
});

const LoadOpenWithLoras = LoadOpen.extend({ lora: z.array(OneOfLoras) });

/** Throws a UserError of one sentence where the open model is not to be loaded as asked. */
export function requireLoadOpenOptions(options: unknown): void {
  requireKnown(options, Object.keys(LoadOpen.shape), "option");
  const hasList = isRecord(options) && Array.isArray(options["lora"]);
  readInput(hasList ? LoadOpenWithLoras : LoadOpen, options, "options");
}

/** Throws a UserError of one sentence where a model is not to be loaded as asked. */
export function requireLoadOptions(options: LoadOptions): void {
  requireKnown(options, Object.keys(Load.shape), "option");
  readInput(Load, options, "options");
}

/** The same of the options of an edit, an estimate or a preview; settings are checked with the video. */
export function requireOptions(
  kind: "edit" | "estimate" | "preview",
  video: VideoSource,
  options: EditOptions | EstimateOptions | PreviewOptions,
): void {
  const schema = { edit: Edit, estimate: Estimate, preview: Preview }[kind];
  const settings = SETTING_NAMES.filter(
    (name) => name !== "instruction" && !(kind === "preview" && name === "frames"),
  );
  requireVideo(video);
  requireKnown(options, [...Object.keys(schema.shape), ...settings], "option");
  readInput(schema, options, "options");
}

/** The same of what is to be edited. */
function requireVideo(video: VideoSource): void {
  if (typeof video === "string") return void readInput(VideoPath, video, "video");
  const given: unknown = video;
  if (!isRecord(given) || ArrayBuffer.isView(given) || isIterable(given)) {
    throw new UserError(
      `video: expected the path of a video, or frames as { frames, framesPerSecond }, got ${kindOf(given)}`,
    );
  }
  requireKnown(given, Object.keys(Frames.shape.video.shape), "part of a video");
  readInput(Frames, { video: given }, "video");
}
