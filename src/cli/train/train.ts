import { defineCommand } from "citty";
import { invariant } from "../../engine/errors.ts";
import type { TrainConfig } from "../../training/config.ts";
import type { Estimate } from "../../training/estimate.ts";
import type { TrainEvent } from "../../training/events.ts";
import type { Preset, StageEntry } from "../../training/stage.ts";
import { numberOption, oneOf } from "../arguments.ts";
import { byteSize } from "../../engine/byte-size.ts";
import { duration, Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";

/** The presets; each loads only when it is asked for. */
const presets: Readonly<Record<string, () => Promise<Preset>>> = {
  tiny: async () => (await import("../../presets/tiny.ts")).tiny,
  open: async () => {
    const { openPreset } = await import("../../presets/open.ts");
    const { locateOpenModel, locateOpenVision } = await import("../../hub/open-weights.ts");
    const { openHub } = await import("../../hub/hub.ts");
    const hub = openHub();
    return openPreset({ model: () => locateOpenModel(hub), vision: () => locateOpenVision(hub) });
  },
};

/** The options that every verb that trains shares. */
export const trainingArgs = {
  preset: { type: "string", default: "tiny", valueHint: "name", description: "which model" },
  out: {
    type: "string",
    alias: "o",
    valueHint: "dir",
    description: "run directory (default: runs/<stage>)",
  },
  steps: { type: "string", valueHint: "n", description: "how many steps in all" },
  set: {
    type: "string",
    valueHint: "key=value",
    description: "replace a setting, e.g. learningRate=1e-4; repeatable",
  },
  "dry-run": {
    type: "boolean",
    description:
      "estimate memory and time from a few steps; nothing is kept but the training's data, which is drawn first",
  },
  json: { type: "boolean", description: "print one JSON object per event" },
} as const;

export default defineCommand({
  meta: {
    name: "train",
    description: "Train one stage of a preset; the same command again continues where it stopped",
  },
  args: {
    stage: {
      type: "positional",
      description: "the stage to train, e.g. autoencoder or edit-adapter",
    },
    ...trainingArgs,
  },
  async run({ args, rawArgs, data }) {
    const { stage } = args;
    invariant(stage !== undefined, "the parser asks for the stage");
    await trainStage(stage, args, rawArgs, data);
  },
});

/** Those options as the parser hands them over. */
export interface TrainingArguments {
  readonly preset: string;
  readonly out?: string | undefined;
  readonly steps?: string | undefined;
  readonly "dry-run"?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** What a verb adds to a training besides options. */
export interface TrainingContext extends VerbContext {
  /** Another form of the stage, before the options' own changes. */
  readonly change?: (entry: StageEntry) => StageEntry | Promise<StageEntry>;
  /** Sentences to warn with before anything is opened. */
  readonly warnings?: (config: TrainConfig) => Promise<readonly string[]>;
  /** What `--dry-run` tells in place of what steps on this machine take. */
  readonly plan?: ((config: TrainConfig, report: Reporter) => Promise<void>) | undefined;
}

/** Trains `stageName` of a preset as the options say, or estimates what that takes. */
export async function trainStage(
  stageName: string,
  args: TrainingArguments,
  rawArgs: readonly string[],
  { signal, change = (entry) => entry, warnings, plan }: TrainingContext,
): Promise<void> {
  const report = new Reporter(args);
  const name = oneOf("--preset", args.preset, Object.keys(presets));
  const { overriddenConfig, readOverrides } = await import("./overrides.ts");
  const steps =
    args.steps === undefined ? [] : [{ path: "steps", text: String(stepCount(args.steps)) }];
  const overrides = [...readOverrides(rawArgs), ...steps];
  const preset = await presets[name]!();
  const { openStage, stageEntry } = await import("../../training/stage.ts");
  const entry = await change(stageEntry(preset, stageName));
  const config = overriddenConfig(entry, overrides);
  for (const warning of (await warnings?.(config)) ?? []) report.warn(warning);
  if (args["dry-run"] && plan) return plan(config, report);
  const progress = (phase: string, done: number, all: number): void =>
    report.progress({ type: "progress", phase, step: done, steps: all });
  const context = { signal, progress };
  if (args["dry-run"]) {
    const { estimate } = await import("../../training/estimate.ts");
    const found = await estimate(await openStage(entry, config, context), config);
    report.event({ type: "estimate", ...found, config }, estimateText(found, config.steps));
    return;
  }
  const { openRunDirectory } = await import("../../training/run.ts");
  const { train } = await import("../../training/train.ts");
  using directory = openRunDirectory(args.out ?? `runs/${stageName}`, stageName, config);
  const stage = await openStage(entry, config, context);
  const { precisionWarning } = await import("../../training/precision-warning.ts");
  const { warmupWarning } = await import("../../training/warmup-warning.ts");
  const { hasCheckpoint } = await import("../../training/checkpoint.ts");
  // a run that goes on keeps its settings
  const ofRate = hasCheckpoint(directory.path) ? undefined : warmupWarning(config);
  for (const warning of [precisionWarning(config, stage), ofRate])
    if (warning !== undefined) report.warn(warning);
  for await (const event of train({ stage, config, directory, signal })) show(report, event);
}

function stepCount(text: string): number {
  return numberOption("--steps", text, { min: 1, integer: true });
}

/** Prints a training event: steps as a progress line, the rest as lines that stay. */
function show(report: Reporter, event: TrainEvent): void {
  if (event.type === "step-end" && !report.json) {
    const { step, steps, etaSeconds } = event;
    report.progress({
      type: "progress",
      phase: "training",
      step,
      steps,
      etaSeconds,
      detail: stepDetail(event),
    });
  } else if (event.type === "checkpoint-damaged" && !report.json) {
    report.warn(`${event.path} is damaged (${event.reason}): continuing from the one before`);
  } else {
    report.event({ ...event }, eventText(event));
  }
}

function stepDetail({
  total,
  lr,
  samplesPerSecond,
}: Extract<TrainEvent, { type: "step-end" }>): string {
  return `loss ${total.toPrecision(4)} · lr ${lr.toExponential(1)} · ${samplesPerSecond.toPrecision(3)} samples/s`;
}

/** The line for an event, or none where the progress line says enough. */
export function eventText(event: TrainEvent): string | undefined {
  switch (event.type) {
    case "run-started": {
      const { stage, step, steps, directory, trainableValues, frozenValues } = event;
      const start = step === 0 ? `${steps} steps` : `continuing after step ${step} of ${steps}`;
      const before = event.asked.at(-2)?.steps;
      const other =
        before === undefined
          ? ""
          : ` (asked for ${before} before: what goes by the number of steps, as a falling rate does, goes by ${steps} from here on)`;
      return `${stage}: ${start}${other} in ${directory}, ${millions(trainableValues)} values to train, ${millions(frozenValues)} frozen`;
    }
    case "step-skipped":
      return `step ${event.step}: no update, ${event.reason} (${event.inARow} in a row)`;
    case "validation-end": {
      const numbers = Object.entries(event.numbers).map(
        ([name, value]) => `${name} ${value.toPrecision(4)}`,
      );
      return `step ${event.step}: ${numbers.join(" · ")}`;
    }
    case "samples-written":
      return `step ${event.step}: ${event.paths.join(", ")}`;
    case "run-end":
      if (event.reason === "finished")
        return `finished after ${event.step} steps: ${event.weights}`;
      return `stopped after step ${event.step}: the same command continues`;
    case "step-end":
    case "checkpoint-saved":
    case "checkpoint-damaged":
      return undefined;
  }
}

/** What `--dry-run` prints. */
export function estimateText(found: Estimate, steps: number): string {
  const rows: readonly (readonly [string, string])[] = [
    ["data", found.dataset],
    ["values to train", millions(found.trainableValues)],
    ["values frozen", millions(found.frozenValues)],
    ["weights", byteSize(found.weightBytes)],
    ["gradients", byteSize(found.gradientBytes)],
    ["optimizer", byteSize(found.optimizerBytes)],
    ["moving average", byteSize(found.emaBytes)],
    ["growth in a step", byteSize(found.stepBytes)],
    ["peak memory", byteSize(found.peakBytes)],
    ["one checkpoint", byteSize(found.checkpointBytes)],
    [
      "one step",
      `${found.secondsPerStep.toPrecision(3)} s (${found.samplesPerSecond.toPrecision(3)} samples/s)`,
    ],
    [`${steps} steps`, duration(found.totalSeconds)],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, figure]) => `${what.padEnd(width)}  ${figure}`).join("\n");
}

function millions(values: number): string {
  return values < 1e5 ? String(values) : `${(values / 1e6).toFixed(1)} million`;
}
