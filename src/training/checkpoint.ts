import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { fileDigest } from "../engine/file-digest.ts";
import { replaceFile } from "../engine/replace-file.ts";
import { DataError, UserError } from "../engine/errors.ts";
import { loadSafetensors, saveSafetensors } from "../engine/safetensors.ts";
import { tensorScope } from "../engine/scope.ts";
import { copyParameters, type Parameters } from "../nn/module.ts";
import type { Stage } from "./stage.ts";
import type { TrainState } from "./step.ts";

/** The file that names the newest checkpoint. */
const LATEST = "latest";
/** How the weights came to be. */
const RECEIPT = "receipt.json";
/** The moving averages of the weights: what a run ends with. */
const AVERAGES = "ema.safetensors";

const FileFacts = z.strictObject({ bytes: z.int().nonnegative(), sha256: z.string() });

const CheckpointState = z.strictObject({
  format: z.literal(1),
  stage: z.string(),
  step: z.int().nonnegative(),
  /** Updates of the optimizer: steps without the skipped ones. */
  updates: z.int().nonnegative(),
  /** Updates of the critics' optimizer, where the stage has critics. */
  adversaryUpdates: z.int().nonnegative().optional(),
  skippedInARow: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  /** Wall time of all sessions so far. */
  seconds: z.number().nonnegative(),
  seed: z.int().nonnegative(),
  configHash: z.string(),
  frozenHash: z.string(),
  files: z.record(z.string(), FileFacts),
});
type CheckpointState = z.infer<typeof CheckpointState>;

/** What identifies the run that a checkpoint belongs to. */
export interface RunIdentity {
  readonly seed: number;
  readonly configHash: string;
  readonly frozenHash: string;
}

/** A checkpoint that could not be read. */
export interface DamagedCheckpoint {
  readonly path: string;
  readonly reason: string;
}

/**
 * The checkpoints of one run: `checkpoint-<step>/` with weights, averages, moments and `state.json`.
 *
 * Each is written under a temporary name and renamed when complete, so a process killed while writing
 * leaves the older ones as they were. Checksums tell a damaged one; the one before it is then used.
 */
export class Checkpoints {
  readonly folder: string;
  readonly #keep: number;

  constructor(folder: string, keep: number) {
    this.folder = folder;
    this.#keep = keep;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      if (name.endsWith(".partial")) rmSync(join(folder, name), { recursive: true, force: true });
    }
  }

  /** Writes everything an exact continuation needs and drops what is older than the last `keep`. */
  save(
    stage: Stage,
    state: TrainState,
    { receipt, ...identity }: RunIdentity & { readonly receipt: string },
  ): string {
    const name = `checkpoint-${String(state.step).padStart(6, "0")}`;
    const path = join(this.folder, name);
    const partial = `${path}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial);
    const files = tensorFiles(stage, state).map(
      ([file, tensors]): [string, z.infer<typeof FileFacts>] => {
        saveSafetensors(join(partial, file), tensors, {
          metadata: { stage: stage.name, step: String(state.step) },
        });
        return [file, fileDigest(join(partial, file))];
      },
    );
    const facts: CheckpointState = {
      format: 1,
      stage: stage.name,
      step: state.step,
      updates: state.optimizer.updates,
      ...(state.adversary && { adversaryUpdates: state.adversary.updates }),
      skippedInARow: state.skippedInARow,
      skipped: state.skipped,
      seconds: state.seconds,
      ...identity,
      files: Object.fromEntries(files),
    };
    writeFileSync(receiptIn(partial), receipt);
    writeFileSync(join(partial, "state.json"), `${JSON.stringify(facts, null, 2)}\n`);
    rmSync(path, { recursive: true, force: true });
    renameSync(partial, path);
    replaceFile(join(this.folder, LATEST), `${name}\n`);
    this.#rotate();
    return path;
  }

  /**
   * Puts the newest readable checkpoint into `stage` and `state`; false where there is none at all.
   *
   * Each damaged one that is passed over is told to `onDamaged`.
   */
  load(
    stage: Stage,
    state: TrainState,
    identity: RunIdentity,
    onDamaged: (damaged: DamagedCheckpoint) => void,
  ): boolean {
    const paths = newestFirst(this.folder);
    for (const path of paths) {
      const facts = readState(path);
      if (typeof facts === "string") {
        onDamaged({ path, reason: facts });
        continue;
      }
      requireSameRun(path, facts, stage, identity);
      restore(path, facts, stage, state);
      return true;
    }
    if (paths.length === 0) return false;
    throw new DataError(
      `no checkpoint in ${this.folder} can be read: delete the run directory to start again`,
    );
  }

  #rotate(): void {
    for (const path of newestFirst(this.folder).slice(this.#keep))
      rmSync(path, { recursive: true, force: true });
  }
}

/** The checkpoints in a folder of them. */
function newestFirst(folder: string): string[] {
  const numbered = readdirSync(folder).filter((name) => /^checkpoint-\d+$/.test(name));
  const stepOf = (name: string): number => Number(name.slice("checkpoint-".length));
  return numbered.toSorted((a, b) => stepOf(b) - stepOf(a)).map((name) => join(folder, name));
}

/** Whether the run in `directory` has any checkpoint, readable or not. */
export function hasCheckpoint(directory: string): boolean {
  const folder = join(directory, "checkpoints");
  return existsSync(folder) && newestFirst(folder).length > 0;
}

/** The folder of the newest checkpoint of the run in `directory`; undefined where there is none. */
export function newestCheckpoint(directory: string): string | undefined {
  const latest = join(directory, "checkpoints", LATEST);
  if (!existsSync(latest)) return undefined;
  return join(directory, "checkpoints", readFileSync(latest, "utf8").trim());
}

/** The moving averages of the weights in a checkpoint's folder. */
export function averagesIn(checkpoint: string): string {
  return join(checkpoint, AVERAGES);
}

/** How the weights in a checkpoint's folder came to be; there is none in those of earlier versions. */
export function receiptIn(checkpoint: string): string {
  return join(checkpoint, RECEIPT);
}

function tensorFiles(
  { trainable, adversaries }: Stage,
  { ema, optimizer, adversary }: TrainState,
): [string, Parameters][] {
  const critics: [string, Parameters][] = [
    ["critics.safetensors", adversaries?.trainable ?? new Map()],
    ["critics-moments.safetensors", adversary?.moments() ?? new Map()],
  ];
  return [
    ["weights.safetensors", trainable],
    [AVERAGES, ema.averages],
    ["moments.safetensors", optimizer.moments()],
    ...critics.filter(([, tensors]) => tensors.size > 0),
  ];
}

/** The checked facts of a complete checkpoint, or what is wrong with it. */
function readState(path: string): CheckpointState | string {
  try {
    const facts = CheckpointState.parse(JSON.parse(readFileSync(join(path, "state.json"), "utf8")));
    const damaged = Object.entries(facts.files).find(([name, { bytes, sha256 }]) => {
      const now = fileDigest(join(path, name));
      return now.bytes !== bytes || now.sha256 !== sha256;
    });
    return damaged ? `${damaged[0]} is not what was written` : facts;
  } catch (error) {
    if (error instanceof z.ZodError) return "state.json is not what was written";
    if (error instanceof SyntaxError) return "state.json is cut off or no JSON";
    if (error instanceof Error && "code" in error)
      return `${basename(path)} cannot be read (${String(error.code)})`;
    throw error;
  }
}

function requireSameRun(
  path: string,
  facts: CheckpointState,
  stage: Stage,
  identity: RunIdentity,
): void {
  if (facts.stage !== stage.name) {
    throw new UserError(
      `${path} belongs to stage ${facts.stage}, not ${stage.name}: choose another --out`,
    );
  }
  if (facts.configHash !== identity.configHash || facts.seed !== identity.seed) {
    throw new UserError(`${path} belongs to a run with other settings: choose another --out`);
  }
  if (facts.frozenHash !== identity.frozenHash) {
    throw new UserError(
      `${path} was trained on other frozen weights than the ones given now: bring those back, or choose another --out`,
    );
  }
}

function restore(path: string, facts: CheckpointState, stage: Stage, state: TrainState): void {
  for (const [file, target] of tensorFiles(stage, state)) {
    using _ = tensorScope();
    copyParameters(target, loadSafetensors(join(path, file)), join(path, file));
  }
  state.step = facts.step;
  state.skipped = facts.skipped;
  state.skippedInARow = facts.skippedInARow;
  state.seconds = facts.seconds;
  state.optimizer.updates = facts.updates;
  if (state.adversary) state.adversary.updates = facts.adversaryUpdates ?? 0;
}
