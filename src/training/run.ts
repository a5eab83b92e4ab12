import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { DataError } from "../engine/errors.ts";
import { jsonOf } from "../engine/json.ts";
import { claimLock } from "../engine/lock.ts";
import { replaceFile } from "../engine/replace-file.ts";
import { Checkpoints } from "./checkpoint.ts";
import type { AskedSteps, TrainConfig } from "./config.ts";
import type { StepEnd, TrainEvent } from "./events.ts";
import { describeRun, type RunDescription, writeConfig } from "./run-config.ts";
import type { Stage } from "./stage.ts";
import { EventFile } from "./tensorboard.ts";

/** One training: what to train, how, where to keep it, and when to stop. */
export interface Run {
  readonly stage: Stage;
  readonly config: TrainConfig;
  readonly directory: RunDirectory;
  /** Honoured at step boundaries: a checkpoint is saved before leaving. */
  readonly signal: AbortSignal;
}

/** A line of `metrics.jsonl`: a step, as often as `logEvery` says, a skipped step, or a validation. */
const MetricLine = z.looseObject({ type: z.string(), step: z.number() });

/** The folder of a run, which no other process writes. */
interface ClaimedFolder {
  readonly lock: Disposable;
  readonly isNew: boolean;
}

/**
 * A run on disk: `config.json`, `metrics.jsonl`, `tensorboard/`, `samples/`, `checkpoints/`, `weights/` and,
 * at the end, `receipt.json`. It is locked until it is disposed of; a new one in which nothing was written is removed then.
 */
export class RunDirectory implements Disposable {
  readonly path: string;
  readonly checkpoints: Checkpoints;
  readonly #lock: Disposable;
  readonly #isNew: boolean;
  #run: RunDescription;
  #metrics: number | undefined;
  #events: EventFile | undefined;

  /** `run.asked`: the steps that it was asked for before; none for a new one. `isNew`: whether it was made just now. */
  constructor(path: string, run: RunDescription, { lock, isNew }: ClaimedFolder) {
    this.path = path;
    this.#run = run;
    this.#lock = lock;
    this.#isNew = isNew;
    this.checkpoints = new Checkpoints(this.file("checkpoints"), run.config.keep);
  }

  /** The path of a file of the run. */
  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /**
   * The numbers of steps that the run was asked for, each with the step from which on: one, unless it was continued with
   * another. Rates that fall and phases that begin at a share of the steps go by each in its stretch.
   */
  get asked(): readonly AskedSteps[] {
    return this.#run.asked;
  }

  /** What stands for the run's settings in all that it writes. */
  get configHash(): string {
    return this.#run.configHash;
  }

  /**
   * Opens the logs for a session that continues after `step`; lines of later steps are dropped.
   *
   * `config.json` says from here on with what settings the run goes on.
   */
  startLogs(step: number): void {
    const { steps } = this.#run.config;
    const before = this.#run.asked.filter(({ from }) => from < step);
    const isOther = before.at(-1)?.steps !== steps;
    this.#run = { ...this.#run, asked: isOther ? [...before, { from: step, steps }] : before };
    writeConfig(this.path, this.#run);
    const path = this.file("metrics.jsonl");
    const kept = this.metricLines().filter(({ line }) => line.step <= step);
    replaceFile(path, kept.map(({ text }) => `${text}\n`).join(""));
    this.#metrics = openSync(path, "a");
    this.#events = new EventFile(this.file("tensorboard"), step);
  }

  /** The complete lines of `metrics.jsonl`; throws a DataError that names one that no run has written. */
  metricLines(): { text: string; line: z.infer<typeof MetricLine> }[] {
    const path = this.file("metrics.jsonl");
    if (!existsSync(path)) return [];
    const texts = readFileSync(path, "utf8").split("\n").slice(0, -1);
    return texts.map((text, index) => {
      const line = MetricLine.safeParse(jsonOf(text)).data;
      if (line !== undefined) return { text, line };
      throw new DataError(
        `${path}, line ${index + 1}: expected what a run notes of a step, got something else: delete that line`,
      );
    });
  }

  /** Writes an event to the logs. */
  record(event: TrainEvent): void {
    switch (event.type) {
      case "step-end":
        if (event.step % this.#run.config.logEvery === 0) this.#recordStep(event);
        break;
      case "validation-end":
        this.#line(event);
        this.#events?.scalars(event.step, prefixed("validation/", event.numbers));
        break;
      case "step-skipped":
        this.#line(event);
        break;
      case "samples-written":
        for (const path of event.paths.filter((name) => name.endsWith(".png")))
          this.#recordPicture(event.step, path);
        break;
      case "run-started":
      case "checkpoint-damaged":
      case "checkpoint-saved":
      case "run-end":
        break;
    }
  }

  [Symbol.dispose](): void {
    if (this.#metrics !== undefined) closeSync(this.#metrics);
    this.#metrics = undefined;
    this.#events?.[Symbol.dispose]();
    this.#events = undefined;
    this.#lock[Symbol.dispose]();
    if (this.#isNew) for (const folder of [this.checkpoints.folder, this.path]) removeEmpty(folder);
  }

  #recordStep(event: StepEnd): void {
    const { step, losses, total, gradNorm, termGradients = {}, lr, samplesPerSecond } = event;
    this.#line(event);
    this.#events?.scalars(step, {
      ...prefixed("loss/", losses),
      ...prefixed("gradient/", termGradients),
      total,
      "optimizer/gradNorm": gradNorm,
      "optimizer/learningRate": lr,
      samplesPerSecond,
    });
  }

  /** PNG keeps width and height at bytes 16 and 20. */
  #recordPicture(step: number, path: string): void {
    const png = readFileSync(path);
    const tag = `samples/${basename(path, ".png").replace(/^step-\d+-/, "")}`;
    this.#events?.image(step, tag, {
      png,
      width: png.readUInt32BE(16),
      height: png.readUInt32BE(20),
    });
  }

  #line(event: TrainEvent): void {
    if (this.#metrics !== undefined) writeSync(this.#metrics, `${JSON.stringify(event)}\n`);
  }
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]),
  );
}

/**
 * Opens or creates the directory of a run and locks it.
 *
 * A directory that holds another stage, or the same with settings that change what a step computes, is
 * refused. More steps, other checkpoints, samples or logs continue the run; `asked` tells of other numbers of steps.
 */
export function openRunDirectory(path: string, stage: string, config: TrainConfig): RunDirectory {
  const isNew = mkdirSync(path, { recursive: true }) !== undefined;
  const lock = claimLock(join(path, "run.lock"));
  try {
    return new RunDirectory(path, describeRun(path, stage, config), { lock, isNew });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
