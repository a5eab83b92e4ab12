import { createHash } from "node:crypto";
import { z } from "zod";
import { isRecord } from "../engine/json.ts";

/** Settings of one training run: what the loop needs, and under `stage` what the stage needs. */
export const TrainConfig = z
  .strictObject({
    /** Root of all randomness: weights, data order, noise. */
    seed: z.int().nonnegative().default(0),
    /** Optimizer steps of the whole run. */
    steps: z.int().positive(),
    /** Samples per step, over all accumulated parts. */
    batch: z.int().positive(),
    /** Forward passes per step; each sees `batch / accumulate` samples. */
    accumulate: z.int().positive().default(1),
    /** What moves the weights; `muon` moves matrices with both sides of 32 or more, and leaves the rest to AdamW. */
    optimizer: z.enum(["adamw", "muon"]).default("adamw"),
    /** Peak learning rate; one for both optimizers. */
    learningRate: z.number().positive(),
    /** Steps of linear warm-up. */
    warmup: z.int().nonnegative().default(0),
    schedule: z.enum(["constant", "cosine"]).default("constant"),
    /** Where `cosine` ends, as a fraction of `learningRate`. */
    finalRate: z.number().min(0).max(1).default(0),
    /** Decoupled decay of weights with two or more axes; biases and gains are left alone. */
    weightDecay: z.number().nonnegative().default(0.01),
    /** AdamW's. */
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.99]),
    /** AdamW's. */
    epsilon: z.number().positive().default(1e-8),
    /** Largest global gradient norm; 0 leaves gradients as they are. */
    clip: z.number().nonnegative().default(1),
    /**
     * Decay of the moving average of the weights. After n steps it is `(1 + n) / (10 + n)` at most, so that a greater one comes
     * to nothing in a short run: 0.89 at step 72, 0.99 from step 890 on, 0.999 from step 8990 on.
     */
    ema: z.number().min(0).lt(1).default(0.999),
    /** Convolutions and matrix products of the forward pass; master weights are float32 always. */
    precision: z.enum(["float32", "bfloat16"]).default("bfloat16"),
    /** Non-finite steps in a row after which the run stops. */
    skipLimit: z.int().positive().default(10),
    /** Where to compute; `auto` takes a CUDA device where there is one. */
    device: z.enum(["auto", "cpu", "cuda"]).default("auto"),
    /** Threads of one operator; 0 takes what `OMP_NUM_THREADS` says, or every core. */
    threads: z.int().nonnegative().default(0),
    /** Steps between checkpoints; 0 leaves it to the clock. */
    checkpointEvery: z.int().nonnegative().default(0),
    /** Minutes between checkpoints; 0 leaves it to the steps. */
    checkpointEveryMinutes: z.number().nonnegative().default(5),
    /** Checkpoints kept. */
    keep: z.int().positive().default(2),
    /** Steps between sheets of samples; 0 draws them at the end only. */
    sampleEvery: z.int().nonnegative().default(0),
    /** Steps between validations; 0 validates at the end only. */
    validateEvery: z.int().nonnegative().default(0),
    /** Steps between lines of `metrics.jsonl`. */
    logEvery: z.int().positive().default(1),
    /** The stage's own settings; it checks them itself. */
    stage: z.record(z.string(), z.json()).default({}),
  })
  .refine(({ batch, accumulate }) => batch % accumulate === 0, {
    message: "batch must be a multiple of accumulate",
    path: ["accumulate"],
  });
export type TrainConfig = z.infer<typeof TrainConfig>;
/** Settings as they are written down: those with a default may be absent. */
export type TrainConfigInput = z.input<typeof TrainConfig>;

/** How many steps a run was asked for, from a step on. */
export const AskedSteps = z.strictObject({ from: z.int(), steps: z.int() });
export type AskedSteps = z.infer<typeof AskedSteps>;

/**
 * Settings that may differ between a run and its continuation, by their dotted paths: they change no step, but for `steps`
 * itself. What lies in the folders that a stage names is guarded by the hash of the frozen weights.
 *
 * A rate that falls and phases that begin at a share of the steps go by the number that is asked for at the time. So a run
 * that is continued with more steps is not the run of as many in one go; its receipt says so (`asked`).
 */
const FREE: ReadonlySet<string> = new Set([
  "steps",
  "skipLimit",
  "device",
  "threads",
  "checkpointEvery",
  "checkpointEveryMinutes",
  "keep",
  "sampleEvery",
  "validateEvery",
  "logEvery",
  "stage.cache",
  "stage.model",
  "stage.recompute",
  "stage.watchEvery",
] satisfies (keyof TrainConfig | `stage.${string}`)[]);

/**
 * Settings that came later, by their dotted paths, with what older runs did: left out of the hash, so that their
 * checkpoints still resume.
 */
const LATER: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["optimizer", "adamw"],
  ["stage.sharedNoise", 0],
  ["stage.inUse", 0],
  ["stage.inUseError", "squared"],
  ["stage.taskOdds", {}],
  ["stage.captionPower", 0],
  ["stage.keptWeight", 0],
  ["stage.largestShare", 8],
  ["stage.inUseLearned", "all"],
  ["stage.videoStrength", 1],
  ["stage.strengthRate", 0],
  ["stage.temperature", 1],
  ["stage.samples.temperature", 1],
  ["stage.samples.times", null],
  ["stage.kBin.from", null],
]);

/** Samples of one forward pass. */
export function partSize({ batch, accumulate }: TrainConfig): number {
  return batch / accumulate;
}

/**
 * The running numbers of the samples of one forward pass, counted from the start of the run.
 *
 * Splitting a step into more parts shows the same samples. Noise, times and whatever else is drawn is each part's own.
 */
export function sampleNumbers(config: TrainConfig, step: number, part: number): number[] {
  const count = partSize(config);
  const first = step * config.batch + part * count;
  return Array.from({ length: count }, (_, i) => first + i);
}

/** SHA-256 of everything that decides what a step computes, beside the number of steps that the run was asked for. */
export function configHash(config: TrainConfig): string {
  return createHash("sha256")
    .update(canonicalJson(decisive(config)))
    .digest("hex");
}

/** The values below `path` that decide what a step computes. */
function decisive(value: Readonly<Record<string, unknown>>, path = ""): Record<string, unknown> {
  const kept = Object.entries(value).flatMap(([key, child]) => {
    const at = path ? `${path}.${key}` : key;
    if (FREE.has(at) || isAsBefore(at, child)) return [];
    return [[key, isRecord(child) ? decisive(child, at) : child] as const];
  });
  return Object.fromEntries(kept);
}

/** Whether the setting at `path` came later, and says what runs did before it. */
function isAsBefore(path: string, value: unknown): boolean {
  return LATER.has(path) && canonicalJson(value) === canonicalJson(LATER.get(path));
}

/** Dotted paths at which two configs differ in what a step computes, with both values. */
export function decisiveDifferences(before: TrainConfig, now: TrainConfig): string[] {
  const old = leaves(decisive(before));
  const fresh = leaves(decisive(now));
  const paths = [...new Set([...old.keys(), ...fresh.keys()])];
  const told = (values: ReadonlyMap<string, string>, path: string): string =>
    values.get(path) ?? JSON.stringify(LATER.get(path)) ?? "absent";
  return paths
    .filter((path) => old.get(path) !== fresh.get(path))
    .map((path) => `${path} ${told(old, path)} became ${told(fresh, path)}`);
}

/** Every innermost value as JSON by its dotted path. */
function leaves(value: unknown, path = "", found = new Map<string, string>()): Map<string, string> {
  if (isRecord(value)) {
    for (const [key, child] of Object.entries(value)) {
      leaves(child, path ? `${path}.${key}` : key, found);
    }
  } else found.set(path, JSON.stringify(value));
  return found;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, child: unknown) =>
    isRecord(child) ? Object.fromEntries(Object.entries(child).toSorted(byKey)) : child,
  );
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
