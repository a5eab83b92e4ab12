import { z } from "zod";
import { chooseDevice } from "../engine/device.ts";
import { ConfigError, UserError } from "../engine/errors.ts";
import type { Rng } from "../engine/random.ts";
import type { Pixels, Tensor } from "../engine/tensor.ts";
import type { Parameters } from "../nn/module.ts";
import { partSize, TrainConfig, type TrainConfigInput } from "./config.ts";

/** Named scalar terms of a loss, by the paper's names where it has them. */
export type Losses = Readonly<Record<string, Tensor>>;

/** A picture or a clip that shows how far a stage is. */
export type Sample =
  | {
      /** Rows of equally large pictures on one sheet; written as PNG. */
      readonly type: "sheet";
      readonly name: string;
      readonly rows: readonly (readonly Pixels<"3 h w">[])[];
      /** A line of text over each row. */
      readonly labels?: readonly string[];
    }
  | {
      /** A clip; written as a video file. */
      readonly type: "clip";
      readonly name: string;
      readonly frames: Pixels<"f 3 h w">;
      readonly fps: number;
    };

/** Weights that learn against the stage's own, by an Adam of their own, from the same backward pass. */
export interface Adversaries {
  /** Float32 leaves by name. */
  readonly trainable: Parameters;
  readonly learningRate: number;
  readonly betas: readonly [number, number];
}

/**
 * What is trained: the weights, the data, the losses. Everything else is the loop's (`train.ts`).
 *
 * Steps count from 0 here. `nextBatch` and `losses` are pure in (seed, step, part): a resumed run
 * repeats exactly what an uninterrupted one does.
 */
export interface Stage<Batch = unknown> {
  readonly name: string;
  /** What the data is, for the receipt: e.g. `generated world, 16384 pictures of the train split, 128x128`. */
  readonly dataset: string;
  /** Float32 leaves by name; the optimizer writes to these tensors in place. */
  readonly trainable: Parameters;
  /** Factor of the learning rate for weights that learn faster or slower than the others, by name. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Weights that must be bit-identical at the end. */
  readonly frozen: Parameters;
  /** The critics, where there are any: losses give them their gradients beside those of `trainable`. */
  readonly adversaries?: Adversaries | null;
  /** Factor of each named loss in the sum; 1 where a name is absent. */
  readonly lossWeights: Readonly<Record<string, number>>;
  /** Steps from which on another kind of step is done, rising; absent: all are alike. An estimate measures each kind. */
  readonly phases?: readonly number[];
  /**
   * The data of one forward pass; `part` counts the passes that one step accumulates.
   *
   * Tensors made by a synchronous `nextBatch` are freed after the pass. An asynchronous one gives
   * plain data (typed arrays), and `losses` makes the tensors: no scope can span an `await`.
   */
  nextBatch(step: number, part: number): Batch | Promise<Batch>;
  /**
   * How many samples a part shows, where they are not `batch / accumulate`. Each part counts in the step by them, and one
   * that shows none is left out.
   */
  samplesIn?(step: number, part: number): number;
  /** The terms for one batch; synchronous, inside a scope and, by config, in bfloat16 autocast. */
  losses(batch: Batch, rng: Rng): Losses;
  /** Called when a step has moved the weights, before they are averaged; not where it was skipped. */
  updated?(): void;
  /**
   * How large the gradient of each term was where the stage looks at it, in the backward pass just done; empty where it
   * did not look. Weights of the losses are in it, and the share of an accumulated part.
   */
  takeGradients?(): Readonly<Record<string, number>>;
  /** Pictures and clips, drawn while the EMA weights are in place. */
  samples?(): Promise<readonly Sample[]>;
  /** Numbers on the validation split, computed while the EMA weights are in place. */
  validate?(): Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
}

/** How many samples each part of a step shows. */
export function samplesByPart(
  { samplesIn }: Pick<Stage, "samplesIn">,
  config: TrainConfig,
  step: number,
): number[] {
  return Array.from(
    { length: config.accumulate },
    (_, part) => samplesIn?.(step, part) ?? partSize(config),
  );
}

/** How many samples a step shows. */
export function samplesAt(
  stage: Pick<Stage, "samplesIn">,
  config: TrainConfig,
  step: number,
): number {
  return samplesByPart(stage, config, step).reduce((sum, count) => sum + count, 0);
}

/** What `StageEntry.open` may use besides its config. */
export interface StageContext {
  /** Stops a long preparation (building a cache) when it next says how far it is. */
  readonly signal: AbortSignal;
  /** Says how far a long preparation is, where what is made so far is kept. */
  readonly progress: (phase: string, done: number, all: number) => void;
}

/** One stage of a preset: its settings, and how the stage is made from them. */
export interface StageEntry {
  readonly description: string;
  /** Settings that differ from the defaults; `stage` holds the stage's own. */
  readonly config: TrainConfigInput;
  /** The schema of `config.stage`; with it, defaults are resolved and overrides checked before anything is opened. */
  readonly settings?: z.ZodType<Record<string, unknown>>;
  /** Builds networks and data; imports what needs the engine only here. */
  readonly open: (config: TrainConfig, context: StageContext) => Stage | Promise<Stage>;
}

/** A model's whole training: its stages by name, in the order in which they are trained. */
export interface Preset {
  readonly name: string;
  readonly description: string;
  readonly stages: Readonly<Record<string, StageEntry>>;
}

/** The entry of `preset` called `name`, or a sentence that lists what there is. */
export function stageEntry(preset: Preset, name: string): StageEntry {
  const entry = Object.hasOwn(preset.stages, name) ? preset.stages[name] : undefined;
  if (entry) return entry;
  const names = Object.keys(preset.stages).join(", ");
  throw new UserError(`preset ${preset.name} has no stage "${name}": it has ${names}`);
}

/**
 * Chooses the device that `config` asks for, and builds the stage there.
 *
 * @throws the signal's reason where it asks to stop: after a piece of a preparation, which a next run finds made.
 */
export async function openStage(
  entry: StageEntry,
  config: TrainConfig,
  context: StageContext,
): Promise<Stage> {
  chooseDevice(config.device);
  const progress: StageContext["progress"] = (...made) => {
    context.progress(...made);
    context.signal.throwIfAborted();
  };
  return await entry.open(config, { ...context, progress });
}

/** The complete settings of a stage: `input` (by default the entry's own) with every default filled in. */
export function resolveConfig(entry: StageEntry, input: unknown = entry.config): TrainConfig {
  const config = parsed(TrainConfig, input, "");
  if (!entry.settings) return config;
  const stage = parsed(entry.settings, config.stage, "stage.");
  return { ...config, stage: parsed(z.record(z.string(), z.json()), stage, "stage.") };
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  prefix: string,
): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    ({ path, message }) => `${prefix}${path.join(".")}: ${message}`,
  );
  throw new ConfigError(`the settings do not fit: ${faults.join("; ")}`);
}
