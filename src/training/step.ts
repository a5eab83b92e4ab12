import { DataError, invariant } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import { differentiate } from "../engine/checkpoint.ts";
import { tensorScope } from "../engine/scope.ts";
import { autocast } from "../engine/settings.ts";
import type { Float, Tensor } from "../engine/tensor.ts";
import type { Parameters } from "../nn/module.ts";
import { Batches } from "./batches.ts";
import type { TrainConfig } from "./config.ts";
import { Ema } from "./ema.ts";
import { Muon } from "./muon.ts";
import { AdamW, type Optimizer } from "./optimizer.ts";
import { learningRateAt } from "./schedule.ts";
import { samplesAt, samplesByPart, type Losses, type Stage } from "./stage.ts";

/** Everything of a run that changes from step to step, beside the weights themselves. */
export interface TrainState {
  readonly optimizer: Optimizer;
  /** The critics' optimizer, where the stage has any. */
  readonly adversary: Optimizer | null;
  readonly ema: Ema;
  readonly batches: Batches;
  /** Steps done. */
  step: number;
  /** Steps since the last good one that had no finite loss or gradient. */
  skippedInARow: number;
  /** All such steps. */
  skipped: number;
  /** Wall time of training, over all sessions. */
  seconds: number;
}

/** What one step computed. */
export type StepResult =
  | {
      readonly type: "updated";
      readonly losses: Readonly<Record<string, number>>;
      readonly total: number;
      readonly gradNorm: number;
      /** Norm of each term's gradient, where the stage measured it in this step. */
      readonly termGradients: Readonly<Record<string, number>>;
      readonly lr: number;
    }
  | { readonly type: "skipped"; readonly reason: string };

/** Number of values in all of `weights`. */
export function countValues(weights: Parameters): number {
  return [...weights.values()].reduce((sum, weight) => sum + weight.size, 0);
}

/** Fresh state at step 0; makes the trainable weights leaves and the frozen ones constants. */
export function startState(stage: Stage, config: TrainConfig): TrainState {
  for (const weight of stage.frozen.values()) weight.setRequiresGrad(false);
  for (const weight of stage.trainable.values()) weight.setRequiresGrad(true);
  for (const weight of stage.adversaries?.trainable.values() ?? []) weight.setRequiresGrad(true);
  return {
    optimizer: optimizerOf(stage, config),
    adversary: adversaryOf(stage, config),
    ema: new Ema(stage.trainable, config.ema),
    batches: new Batches(stage, config),
    step: 0,
    skippedInARow: 0,
    skipped: 0,
    seconds: 0,
  };
}

function optimizerOf({ trainable, rates = {} }: Stage, config: TrainConfig): Optimizer {
  switch (config.optimizer) {
    case "adamw":
      return new AdamW(trainable, { ...config, rates });
    case "muon":
      return new Muon(trainable, { ...config, rates });
  }
}

/** Decay would pull critics to indifference: they have none. */
function adversaryOf({ adversaries }: Stage, { epsilon }: TrainConfig): Optimizer | null {
  if (!adversaries) return null;
  const { trainable, betas } = adversaries;
  return new AdamW(trainable, { betas, epsilon, weightDecay: 0 });
}

/**
 * One optimizer step: all parts forward and backward, clipping, the update, the moving average.
 *
 * A step whose loss or gradient is not finite changes no weight, moment or average.
 */
export async function trainStep(
  stage: Stage,
  config: TrainConfig,
  state: TrainState,
): Promise<StepResult> {
  const { optimizer, adversary, ema, step } = state;
  const parts: PartLosses[] = [];
  const watched: Readonly<Record<string, number>>[] = [];
  clearGradients(state);
  for (const { part, weight } of partsOf(stage, config, step)) {
    parts.push({ weight, losses: await differentiatePart(stage, config, state, { part, weight }) });
    watched.push(stage.takeGradients?.() ?? {});
  }
  const losses = meanByName(parts, config.accumulate);
  const total = Object.entries(losses).reduce(
    (sum, [name, loss]) => sum + weightOf(stage, name) * loss,
    0,
  );
  const gradNorm = Number.isFinite(total) ? optimizer.clipGradients(config.clip) : Number.NaN;
  const adversaryNorm = adversary?.clipGradients(config.clip) ?? 0;
  state.step++;
  if (!Number.isFinite(gradNorm + adversaryNorm)) return skip(state, losses);
  const lr = learningRateAt(config, step);
  optimizer.update(lr);
  if (stage.adversaries) adversary?.update(stage.adversaries.learningRate);
  stage.updated?.();
  ema.update(optimizer.updates);
  clearGradients(state);
  state.skippedInARow = 0;
  return { type: "updated", losses, total, gradNorm, termGradients: normByName(watched), lr };
}

/** A forward pass, and how much it counts beside the others of its step: 1 where all show as many samples. */
interface Part {
  readonly part: number;
  readonly weight: number;
}

/** The losses of a part. */
interface PartLosses extends Pick<Part, "weight"> {
  readonly losses: Readonly<Record<string, number>>;
}

/** The parts of a step that show anything. */
function partsOf(stage: Stage, config: TrainConfig, step: number): Part[] {
  const counts = samplesByPart(stage, config, step);
  const all = samplesAt(stage, config, step);
  return counts
    .map((count, part) => ({ part, weight: (count * config.accumulate) / all }))
    .filter(({ weight }) => weight > 0);
}

function clearGradients({ optimizer, adversary }: TrainState): void {
  optimizer.clearGradients();
  adversary?.clearGradients();
}

function skip(state: TrainState, losses: Readonly<Record<string, number>>): StepResult {
  clearGradients(state);
  state.skipped++;
  state.skippedInARow++;
  const wrong = Object.keys(losses).filter((name) => !Number.isFinite(losses[name]));
  const reason = wrong.length > 0 ? `${wrong.join(", ")} not finite` : "gradient not finite";
  return { type: "skipped", reason };
}

/** Throws a DataError where `result` is the last skipped step in a row that the settings bear. */
export function requireProgress(
  { skipLimit, precision }: TrainConfig,
  { step, skippedInARow }: TrainState,
  result: StepResult,
): void {
  if (result.type === "updated" || skippedInARow < skipLimit) return;
  throw new DataError(
    `training stopped at step ${step}: ${skippedInARow} steps in a row had no finite loss and gradient ` +
      `(${result.reason}); ${otherSettings(precision)}`,
  );
}

/** What to do where numbers are not finite: a run goes on with its own settings alone. */
export function otherSettings(precision: TrainConfig["precision"]): string {
  const exact = precision === "float32" ? "" : ", or with precision=float32";
  return `start anew in another --out with a lower learningRate or clip${exact}`;
}

async function differentiatePart(
  stage: Stage,
  config: TrainConfig,
  { step, batches }: TrainState,
  { part, weight }: Part,
): Promise<Record<string, number>> {
  const rng = Rng.seed(config.seed).split("step").split(step).split(part);
  using made = batches.take(step, part);
  const batch = made.value instanceof Promise ? await made.value : made.value;
  using _ = tensorScope();
  let losses: Losses = {};
  differentiate(() => {
    losses = inFloat32(autocast(config.precision, () => stage.losses(batch, rng)));
    return weightedSum(losses, stage).div(config.accumulate / weight);
  });
  // Values are read last: reading waits for a GPU, which has both passes to work on by then
  batches.prepareAfter(step, part);
  return Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, loss.item()]));
}

/** Sums of bfloat16 terms would lose the small ones. */
function inFloat32(losses: Losses): Losses {
  return Object.fromEntries(
    Object.entries(losses).map(([name, loss]) => [name, loss.to("float32")]),
  );
}

function weightedSum(losses: Losses, stage: Stage): Float<""> {
  const terms = Object.entries(losses).map(([name, loss]): Tensor =>
    loss.mul(weightOf(stage, name)),
  );
  invariant(terms.length > 0, `stage ${stage.name} returned no loss`);
  return terms.reduce((sum, term) => sum.add(term));
}

function weightOf(stage: Stage, name: string): number {
  return stage.lossWeights[name] ?? 1;
}

/** The norm of all parts' gradients together: each part's samples are its own, weighed as in the whole batch. */
function normByName(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(parts[0] ?? {});
  const norm = (name: string): number =>
    Math.hypot(...parts.map((part) => part[name] ?? Number.NaN));
  return Object.fromEntries(names.map((name) => [name, norm(name)]));
}

/** The mean of each term over all parts; one that a part does not have counts nothing there. */
function meanByName(parts: readonly PartLosses[], count: number): Record<string, number> {
  const names = new Set(parts.flatMap(({ losses }) => Object.keys(losses)));
  const mean = (name: string): number =>
    parts.reduce((sum, { losses, weight }) => sum + (losses[name] ?? 0) * weight, 0) / count;
  return Object.fromEntries([...names].map((name) => [name, mean(name)]));
}
