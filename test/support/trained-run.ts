import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { TrainConfigInput } from "../../src/training/config.ts";
import type { TrainEvent } from "../../src/training/events.ts";
import { openRunDirectory } from "../../src/training/run.ts";
import type { Stage } from "../../src/training/stage.ts";
import { train } from "../../src/training/train.ts";
import { tinyConfig, tinyStage, type TinyStage } from "./tiny-stage.ts";

/** A folder for a run of this test, gone when it ends. */
export function runFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "run-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Of what stage, watched and stopped by whom. */
export interface TrainedOptions {
  readonly stage?: (stage: TinyStage) => Stage;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
}

/** Trains the tiny stage in `folder` and returns its events. */
export async function trained(
  folder: string,
  settings: Partial<TrainConfigInput> = {},
  {
    stage = (own) => own,
    signal = new AbortController().signal,
    onEvent = () => {},
  }: TrainedOptions = {},
): Promise<TrainEvent[]> {
  const config = tinyConfig(settings);
  using directory = openRunDirectory(folder, "tiny", config);
  const events: TrainEvent[] = [];
  for await (const event of train({ stage: stage(tinyStage(config)), config, directory, signal })) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

/** The events of one type. */
export function only<Type extends TrainEvent["type"]>(events: readonly TrainEvent[], type: Type) {
  return events.filter(
    (event): event is Extract<TrainEvent, { type: Type }> => event.type === type,
  );
}

/** What the logs say of each step, without the clock's figures. */
export function loggedSteps(folder: string): unknown[] {
  const lines = readFileSync(join(folder, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) =>
    Object.assign(JSON.parse(line), { samplesPerSecond: 0, etaSeconds: 0 }),
  );
}

/** A file of the checkpoint of a step, six digits. */
export function checkpointFile(folder: string, step: string, name: string): Buffer {
  return readFileSync(join(folder, "checkpoints", `checkpoint-${step}`, name));
}

/** What the run's receipt says. */
export function receiptIn(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, "receipt.json"), "utf8"));
}

/** The same bits of weights, averages and moments after `step` in both runs. */
export function expectSameCheckpoint(a: string, b: string, step: string): void {
  for (const file of ["weights.safetensors", "ema.safetensors", "moments.safetensors"]) {
    expect(checkpointFile(a, step, file).equals(checkpointFile(b, step, file)), file).toBe(true);
  }
}
