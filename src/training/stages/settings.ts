import { z } from "zod";
import { TASKS } from "../../data/world/tasks.ts";

/** Settings of the autoencoder stage. */
export const AutoencoderSettings = z.strictObject({
  /** Side of the pictures, in pixels. */
  size: z.int().positive().default(128),
  /** Different pictures to train on. */
  pictures: z.int().positive().default(16384),
  /** Side of the random crops that most steps see; whole pictures follow, a batch of as many pixels. */
  crop: z.int().positive().default(64),
  /** Share of the steps after which whole pictures are shown. */
  wholeFrom: z.number().min(0).max(1).default(0.7),
  /** Folder for rendered pictures. */
  cache: z.string().default("runs/cache"),
});
export type AutoencoderSettings = z.infer<typeof AutoencoderSettings>;

/** Edits of single frames as a model's edit adapter draws them, to learn by what it does in use. */
const DRAWN_EDITS = {
  /** The model folder whose edit adapter draws. */
  model: z.string().default("models/tiny"),
  /** Edited frames to validate by. */
  held: z.int().positive().default(112),
  /** The number of the first triplet: past those that the edit adapter learned by, it draws as for a user. */
  from: z.int().nonnegative().default(131_072),
  /** Folder for pictures and latents. */
  cache: z.string().default("runs/cache"),
} as const;

/** Settings of the decoder stage; the decoder that learns on is the model's. */
export const DecoderSettings = z.strictObject({
  ...DRAWN_EDITS,
  /** Edited frames to train on. */
  items: z.int().positive().default(32_768),
  /** Share of the pictures that are decoded from what the edit adapter draws; the others from what the encoder sees. */
  drawn: z.number().min(0).max(1).default(0.5),
});
export type DecoderSettings = z.infer<typeof DecoderSettings>;

/** Settings of the stage that trains the gates of detail. */
export const DetailGatesSettings = z.strictObject({
  ...DRAWN_EDITS,
  /** Edited frames to train on. */
  items: z.int().positive().default(8192),
  /**
   * How much the error of a pixel that the edit should change counts, beside that of one it should keep. At 1 the gates bring
   * the source back wherever an edit is unsure.
   */
  changeWeight: z.number().positive().default(2.5),
});
export type DetailGatesSettings = z.infer<typeof DetailGatesSettings>;

/** Settings of the text-encoder stage. */
export const TextEncoderSettings = z.strictObject({
  /** Temperature of the choice among the batch. */
  temperature: z.number().positive().default(0.1),
});

/** Settings that every stage on latents shares; the backbone has no others. */
export const LatentSettings = z.strictObject({
  /** The model folder whose finished parts are used. */
  model: z.string().default("models/tiny"),
  /** Items of training data: triplets, or clips for the video adapter. */
  items: z.int().positive().default(14_336),
  /** How often a caption is left out. */
  dropCaption: z.number().min(0).max(1).default(0.1),
  /** How much more often late (noisy) times are shown: their density grows as `t^(noiseBias − 1)`. */
  noiseBias: z.number().positive().default(1),
  /** Whether to start from the weights that the model folder has of this part. */
  warmStart: z.boolean().default(false),
  /** Folder for pictures and latents. */
  cache: z.string().default("runs/cache"),
});
export type LatentSettings = z.infer<typeof LatentSettings>;

/** Settings of the edit adapter. */
export const EditAdapterSettings = LatentSettings.extend({
  /** How often the instruction is left out. */
  dropInstruction: z.number().min(0).max(1).default(0.05),
  /** How often the input picture is left out. */
  dropPicture: z.number().min(0).max(1).default(0.05),
  /**
   * How much more the loss counts what an edit changes: each place weighs `1 + changeWeight·d/mean(d)`, with `d` the
   * distance of the edited latent from the input's, scaled to a mean of one. 0 counts all places alike.
   */
  changeWeight: z.number().nonnegative().default(0),
  /**
   * How much more it counts what an edit keeps, in the same way: of a picture whose background changes, the small thing
   * before it. Evaluation asks for the mean error of what is kept, however small.
   */
  keptWeight: z.number().nonnegative().default(0),
  /**
   * Most that a place counts for what an edit changes there, or keeps, in means of its picture. With a `changeWeight` of 2 and a
   * `keptWeight` of 3, 11 of 256 places (a bow tie) that change alike, the rest not at all, have 16 % of their picture's weight
   * at 8, and 34 % from 24 on.
   */
  largestShare: z.number().positive().default(8),
  /**
   * Share of each batch that is learned as in use: through the times and from the noise that the model is sampled with, each
   * step behind the first from what the adapter itself made of the one before. The rest learns as ever.
   *
   * Deviation: not in the paper. A sampler without noise asks for what noised edits do not show.
   */
  inUse: z.number().min(0).max(1).default(0),
  /**
   * What of an error in use counts: its square, whose least is the mean of all that might be right, or its size, whose least
   * is their median: an edit that decides. Evaluation counts sizes.
   */
  inUseError: z.enum(["squared", "absolute"]).default("squared"),
  /**
   * Which of those steps a batch teaches: all, or one drawn at random, the first ones more often, to which those before it only
   * lead. The first decides most of an edit.
   */
  inUseLearned: z.enum(["all", "one"]).default("all"),
  /** How often each task is shown beside the others; tasks without a number count 1. Default: all items alike. */
  taskOdds: z.partialRecord(z.enum(TASKS), z.number().nonnegative()).default({}),
  /**
   * How much more often, within its task, a picture with a long caption is shown: by the number of words, to this power.
   * Crowded scenes take many words, and it is in them that an edit has to find its thing. Default: all alike.
   */
  captionPower: z.number().nonnegative().default(0),
});
export type EditAdapterSettings = z.infer<typeof EditAdapterSettings>;

/** Settings of the video adapter. */
export const VideoAdapterSettings = LatentSettings.extend({
  /** How often the first frame is left out. */
  dropPicture: z.number().min(0).max(1).default(0.05),
  /**
   * Share of the clips whose frames are noised alike: the adapter then knows clips that are drawn from one noise.
   * Deviation: the paper does not say how frames are noised.
   */
  sharedNoise: z.number().min(0).max(1).default(0),
});
export type VideoAdapterSettings = z.infer<typeof VideoAdapterSettings>;
