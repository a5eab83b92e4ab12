import { createHash } from "node:crypto";
import { DataError, UserError } from "../../engine/errors.ts";
import { readInstructions, type InstructionRecord } from "../instructions/record.ts";
import { TASKS } from "../world/tasks.ts";
import { dataFiles, readClips, type ClipRecord, type ClipSettings } from "../clips/dataset.ts";

/** A data set that can be trained on: clips with instructions, some held out. */
export interface PreparedData {
  readonly settings: ClipSettings;
  readonly clips: readonly ClipRecord[];
  readonly train: readonly InstructionRecord[];
  readonly held: readonly InstructionRecord[];
  /** Identifies all pictures and words. */
  readonly digest: string;
}

/** The largest share of the videos that is held out. */
const HELD_SHARE = 0.2;

/**
 * Reads a data set, and holds about `held` of its instructions out: those of whole videos, chosen by their pictures.
 *
 * Throws a UserError where there are no clips, no instructions, or only one clip with instructions.
 */
export function readPreparedData(folder: string, held: number): PreparedData {
  const { settings, clips } = readClips(folder);
  const records = readInstructions(folder, clips);
  if (records.length === 0) {
    throw new UserError(
      `the clips in ${folder} have no instructions: write them with "./eve data instruct ${folder}"`,
    );
  }
  const chosen = heldClips(folder, records, clips, held);
  return {
    settings,
    clips,
    train: records.filter(({ clip }) => !chosen.has(clip)),
    held: records.filter(({ clip }) => chosen.has(clip)).slice(0, held),
    digest: digestOf(records, clips),
  };
}

/** Identifies the pictures and the words of a data set: another digest is another training. */
export function dataDigest(folder: string): string {
  const { clips } = readClips(folder);
  return digestOf(readInstructions(folder, clips), clips);
}

/** Identifies instructions and the pictures of their clips, in their order, and what these were encoded in. */
export function digestOf(
  records: readonly InstructionRecord[],
  clips: readonly ClipRecord[],
): string {
  const hash = createHash("sha256");
  for (const { clip, task, instruction, outputCaption } of records) {
    const { sha256, precision } = clips[clip] ?? {};
    const content = [sha256, task, instruction, outputCaption];
    // clips that were made before it was noted keep their digest
    hash.update(JSON.stringify(precision === undefined ? content : [...content, precision]));
  }
  return hash.digest("hex").slice(0, 12);
}

/** The numbers of the clips that are held out; a video with several clips is held out whole, unless it is the only one. */
function heldClips(
  folder: string,
  records: readonly InstructionRecord[],
  clips: readonly ClipRecord[],
  held: number,
): Set<number> {
  const told = [...new Set(records.map(({ clip }) => clip))].map((index) => clips[index]!);
  const bySource = Map.groupBy(told, ({ source }) => source);
  const groups = bySource.size > 1 ? [...bySource.values()] : told.map((clip) => [clip]);
  if (groups.length < 2) {
    throw new UserError(
      `expected two clips with instructions in ${folder} or more, one to train on and one to hold out: add videos with "./eve data prepare"`,
    );
  }
  const shuffled = groups.toSorted(([a], [b]) => (a!.sha256 < b!.sha256 ? -1 : 1));
  const most = Math.max(1, Math.floor(HELD_SHARE * groups.length));
  const chosen = new Set<number>();
  for (const group of shuffled.slice(0, most)) {
    if (chosen.size * TASKS.length >= held) break;
    for (const { index } of group) chosen.add(index);
  }
  return chosen;
}

/** Throws a UserError where the clips do not fit what they are to be trained for. */
export function requireFit(
  folder: string,
  { frames, size, autoencoder }: ClipSettings,
  wanted: { readonly frames: number; readonly size: number; readonly autoencoder: string },
): void {
  const faults = [
    frames !== wanted.frames &&
      `clips of ${frames} frames, the model sees ${wanted.frames} at once`,
    size !== wanted.size &&
      `pictures of ${size} × ${size}, the model's have ${wanted.size} × ${wanted.size}`,
    autoencoder !== wanted.autoencoder && "latents of another autoencoder than the model's",
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return;
  throw new UserError(
    `${folder} holds ${faults.join(" and ")}: prepare the clips for this model, into another folder`,
  );
}

/** Throws a DataError where the latents on disk are not those that the records speak of. */
export function requireLatents(
  folder: string,
  stored: number,
  records: readonly InstructionRecord[],
): void {
  if (records.every(({ clip }) => clip < stored)) return;
  throw new DataError(
    `${dataFiles(folder).latents} holds ${stored} clips and the instructions speak of more: repeat "./eve data prepare"`,
  );
}
