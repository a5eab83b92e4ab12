import { mkdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { DataError, UserError } from "../engine/errors.ts";
import { replaceFile } from "../engine/replace-file.ts";
import { saveSafetensors } from "../engine/safetensors.ts";
import { setTunedConvolutions, useThreads } from "../engine/settings.ts";
import type { DamagedCheckpoint, RunIdentity } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import type { TrainEvent } from "./events.ts";
import { FrozenGuard } from "./frozen.ts";
import { Pace } from "./pace.ts";
import { receiptOf } from "./receipt.ts";
import type { Run } from "./run.ts";
import { samplesAt } from "./stage.ts";
import { writeSampleFiles } from "./sample-files.ts";
import {
  countValues,
  otherSettings,
  requireProgress,
  startState,
  trainStep,
  type StepResult,
  type TrainState,
} from "./step.ts";

/**
 * The whole training loop of every stage. Whoever iterates it decides what to print, plot or stop on.
 *
 * It continues from the newest readable checkpoint of the run's directory, if there is one, and writes the
 * logs there; what they hold of an event is on disk before the event is given out.
 */
export async function* train(run: Run): AsyncGenerator<TrainEvent, void, void> {
  useThreads(run.config.threads);
  setTunedConvolutions(true);
  const state = startState(run.stage, run.config);
  using _ = state.batches;
  const guard = new FrozenGuard(run.stage.frozen);
  const { configHash } = run.directory;
  const identity = { seed: run.config.seed, configHash, frozenHash: guard.hash };
  const damaged: DamagedCheckpoint[] = [];
  run.directory.checkpoints.load(run.stage, state, identity, (found) => damaged.push(found));
  requireStepsToCome(run, state);
  run.directory.startLogs(state.step);
  for (const found of damaged) yield { type: "checkpoint-damaged", ...found };
  for await (const event of loop(run, state, guard, identity)) {
    run.directory.record(event);
    yield event;
  }
}

/** Throws a UserError where more steps are done than the run is asked for. */
function requireStepsToCome({ config, directory }: Run, { step }: TrainState): void {
  if (step <= config.steps) return;
  throw new UserError(
    `${directory.path} holds a run of ${step} steps, more than ${config.steps}: ask for at least as many, or choose another --out`,
  );
}

async function* loop(
  run: Run,
  state: TrainState,
  guard: FrozenGuard,
  identity: RunIdentity,
): AsyncGenerator<TrainEvent, void, void> {
  const { stage, config, directory, signal } = run;
  const { checkpoints } = directory;
  yield startOf(run, state);
  const pace = new Pace(config, state.step);
  let saved = state.step;
  let isDue = false;
  const save = (): TrainEvent => {
    guard.glance();
    saved = state.step;
    isDue = false;
    pace.checkpointSaved();
    const receipt = receiptOf(run, state, guard.hash);
    const path = checkpoints.save(stage, state, { ...identity, receipt });
    return { type: "checkpoint-saved", step: saved, path };
  };
  while (state.step < config.steps && !signal.aborted) {
    const result = await trainStep(stage, config, state);
    state.seconds += pace.stepDone(samplesAt(stage, config, state.step - 1));
    yield stepEvent(run, state, result, pace);
    requireProgress(config, state, result);
    yield* showProgress(run, state);
    isDue ||= pace.isCheckpointDue(state.step);
    if (isDue && state.skippedInARow === 0) yield save();
    await setImmediate(); // lets signals in: a step and a synchronous batch never yield to the event loop
  }
  // While steps are skipped the good checkpoints are those from before; weights that have come to their end are kept
  const isKept = state.skippedInARow === 0 || state.step === config.steps;
  if (saved < state.step && isKept) yield save();
  yield finish(run, state, guard);
}

function startOf({ stage, config, directory }: Run, { step }: TrainState): TrainEvent {
  return {
    type: "run-started",
    stage: stage.name,
    directory: directory.path,
    step,
    steps: config.steps,
    asked: directory.asked,
    trainableValues: countValues(stage.trainable),
    frozenValues: countValues(stage.frozen),
    config,
  };
}

function stepEvent(
  { config }: Run,
  { step, skippedInARow }: TrainState,
  result: StepResult,
  pace: Pace,
): TrainEvent {
  if (result.type === "skipped")
    return { type: "step-skipped", step, inARow: skippedInARow, reason: result.reason };
  const { losses, total, gradNorm, termGradients, lr } = result;
  return {
    type: "step-end",
    step,
    steps: config.steps,
    losses,
    total,
    gradNorm,
    ...(Object.keys(termGradients).length > 0 && { termGradients }),
    lr,
    ...pace.now(step),
  };
}

/** Validation and samples, when they are due, with the averaged weights in place. */
async function* showProgress(
  run: Run,
  { step, ema }: TrainState,
): AsyncGenerator<TrainEvent, void, void> {
  const { stage, config, directory } = run;
  const isDue = (every: number): boolean =>
    step === config.steps || (every > 0 && step % every === 0);
  if (stage.validate && isDue(config.validateEvery)) {
    const numbers = await ema.inPlace(() => stage.validate!());
    yield { type: "validation-end", step, numbers };
    if (step === config.steps) requireFinite(numbers, config);
  }
  if (stage.samples && isDue(config.sampleEvery)) {
    const folder = directory.file("samples");
    const paths = await ema.inPlace(async () =>
      writeSampleFiles(folder, step, await stage.samples!()),
    );
    yield { type: "samples-written", step, paths };
  }
}

/** Throws a DataError where the validation of finished weights says that they are of no use. */
function requireFinite(numbers: Readonly<Record<string, number>>, config: TrainConfig): void {
  const wrong = Object.keys(numbers).filter((name) => !Number.isFinite(numbers[name]));
  if (wrong.length === 0) return;
  throw new DataError(
    `training ended after step ${config.steps} with a validation that is not finite (${wrong.join(", ")}): ` +
      otherSettings(config.precision),
  );
}

function finish(run: Run, state: TrainState, guard: FrozenGuard): TrainEvent {
  guard.verify();
  const { stage, config, directory } = run;
  const { step, ema } = state;
  if (step < config.steps) return { type: "run-end", step, reason: "stopped", weights: null };
  mkdirSync(directory.file("weights"), { recursive: true });
  const weights = directory.file("weights", `${stage.name}.safetensors`);
  const { configHash } = directory;
  const metadata = { stage: stage.name, step: String(step), configHash };
  saveSafetensors(weights, ema.averages, { metadata });
  replaceFile(directory.file("receipt.json"), receiptOf(run, state, guard.hash));
  return { type: "run-end", step, reason: "finished", weights };
}
