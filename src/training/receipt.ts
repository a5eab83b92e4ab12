import { z } from "zod";
import { gitHash, machine, versions } from "../engine/provenance.ts";
import type { Run } from "./run.ts";
import { samplesAt } from "./stage.ts";
import { countValues, type TrainState } from "./step.ts";

const LossLine = z.looseObject({
  type: z.literal("step-end"),
  losses: z.record(z.string(), z.number()),
});
const ValidationLine = z.looseObject({
  type: z.literal("validation-end"),
  step: z.number(),
  /** JSON has null for what is not finite. */
  numbers: z.record(z.string(), z.number().nullable()),
});

/** Logged steps over which the final losses are averaged. */
const FINAL_STEPS = 100;

/** What `receipt.json` holds: how the weights of the run so far came to be. */
export function receiptOf(run: Run, state: TrainState, frozenHash: string): string {
  const { stage, config, directory } = run;
  const lines = directory.metricLines().map(({ line }) => line);
  const losses = lines
    .map((line) => LossLine.safeParse(line).data?.losses)
    .filter((row) => row !== undefined)
    .slice(-FINAL_STEPS);
  const validation = lines
    .map((line) => ValidationLine.safeParse(line).data)
    .findLast((line) => line !== undefined);
  const isOfEnd = state.step < config.steps || validation?.step === state.step;
  const receipt = {
    stage: stage.name,
    dataset: stage.dataset,
    steps: state.step,
    ...(directory.asked.length > 1 && { asked: directory.asked }),
    skippedSteps: state.skipped,
    samplesSeen: samplesBefore(state.step, run),
    wallSeconds: Math.round(state.seconds),
    finalLosses: { meanOver: losses.length, ...meanOf(losses) },
    validation: (isOfEnd && validation?.numbers) || null,
    trainableValues: countValues(stage.trainable),
    frozenValues: countValues(stage.frozen),
    frozenHash,
    config,
    configHash: directory.configHash,
    gitHash: gitHash(),
    versions: versions(),
    machine: machine(),
  };
  return `${JSON.stringify(receipt, null, 2)}\n`;
}

/** How many samples the first `count` steps show in a run of these settings. */
function samplesBefore(count: number, { stage, config }: Run): number {
  if (!stage.samplesIn) return count * config.batch;
  const shown = Array.from({ length: count }, (_, step) => samplesAt(stage, config, step));
  return shown.reduce((sum, samples) => sum + samples, 0);
}

/** The mean of each loss of the last row over the rows that have it: some begin in a later phase. */
function meanOf(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(rows.at(-1) ?? {});
  const mean = (name: string): number => {
    const values = rows.flatMap((row) => row[name] ?? []);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return Object.fromEntries(names.map((name) => [name, mean(name)]));
}
