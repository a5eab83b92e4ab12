import { dtypeBytes } from "../engine/dtype.ts";
import { useThreads } from "../engine/settings.ts";
import type { Parameters } from "../nn/module.ts";
import type { TrainConfig } from "./config.ts";
import { samplesAt, type Stage } from "./stage.ts";
import { countValues, requireProgress, startState, trainStep, type TrainState } from "./step.ts";

/** What a run will take, from a few steps really done. Sizes in bytes. */
export interface Estimate {
  readonly stage: string;
  readonly dataset: string;
  readonly trainableValues: number;
  readonly frozenValues: number;
  readonly weightBytes: number;
  readonly gradientBytes: number;
  readonly optimizerBytes: number;
  readonly emaBytes: number;
  /** All weights, averages and moments of one checkpoint. */
  readonly checkpointBytes: number;
  /** Growth of the process's peak memory during these steps: activations, gradients, caches. */
  readonly stepBytes: number;
  /** Peak memory of the process so far. */
  readonly peakBytes: number;
  /** The fastest of the steps, for the first ones also warm up; of several phases, their mean by how long each is. */
  readonly secondsPerStep: number;
  readonly samplesPerSecond: number;
  /** For all steps, without validation, samples and checkpoints. */
  readonly totalSeconds: number;
}

const MIN_STEPS = 2;
const MAX_STEPS = 8;
/** Seconds after which no further step is begun. */
const ENOUGH_SECONDS = 10;

/** Trains two to eight steps of each phase in memory and throws them away; writes no file. */
export async function estimate(stage: Stage, config: TrainConfig): Promise<Estimate> {
  useThreads(config.threads);
  const state = startState(stage, config);
  const before = process.memoryUsage.rss();
  let totalSeconds = 0;
  for (const { from, to } of phasesOf(stage, config)) {
    state.step = from;
    totalSeconds += (to - from) * (await fastestStep(stage, config, state));
  }
  const secondsPerStep = totalSeconds / config.steps;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const { optimizer, adversary } = state;
  const optimizerBytes = bytesIn(optimizer.moments()) + bytesIn(adversary?.moments() ?? new Map());
  const adversaryBytes = bytesIn(stage.adversaries?.trainable ?? new Map());
  const averagedBytes = bytesIn(stage.trainable);
  const trainableBytes = averagedBytes + adversaryBytes;
  return {
    stage: stage.name,
    dataset: stage.dataset,
    trainableValues: countValues(stage.trainable),
    frozenValues: countValues(stage.frozen),
    weightBytes: trainableBytes + bytesIn(stage.frozen),
    gradientBytes: trainableBytes,
    optimizerBytes,
    emaBytes: averagedBytes,
    checkpointBytes: trainableBytes + averagedBytes + optimizerBytes,
    stepBytes: Math.max(0, peakBytes - before),
    peakBytes,
    secondsPerStep,
    samplesPerSecond: samplesAt(stage, config, 0) / secondsPerStep,
    totalSeconds,
  };
}

/** The phases that a run of `config` comes to. */
function phasesOf({ phases = [0] }: Stage, { steps }: TrainConfig) {
  return phases.flatMap((from, index) => {
    const to = Math.min(phases[index + 1] ?? steps, steps);
    return to > from ? [{ from, to }] : [];
  });
}

/** Seconds of the fastest of some steps from the state's own on. */
async function fastestStep(stage: Stage, config: TrainConfig, state: TrainState): Promise<number> {
  const begin = performance.now();
  let fastest = Infinity;
  for (let step = 0; step < MAX_STEPS; step++) {
    const start = performance.now();
    if (step >= MIN_STEPS && start - begin > 1000 * ENOUGH_SECONDS) break;
    requireProgress(config, state, await trainStep(stage, config, state));
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
  }
  return fastest;
}

function bytesIn(weights: Parameters): number {
  return [...weights.values()].reduce(
    (sum, weight) => sum + weight.size * dtypeBytes(weight.dtype),
    0,
  );
}
