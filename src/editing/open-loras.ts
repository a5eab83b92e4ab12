import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../engine/errors.ts";
import { fileDigest } from "../engine/file-digest.ts";
import { readHeader } from "../engine/safetensors-header.ts";
import { isAlignmentFile, videoStrengthOf } from "../eve/model/lora-export.ts";
import type { OpenModelOptions } from "../eve/open/open-model.ts";
import type { OpenParts } from "../eve/open/open-parts.ts";
import { strengthOn } from "../eve/stack/alignment-weights.ts";
import { readLoraContents } from "../models/lora-files/contents.ts";
import { loadLora } from "../models/lora-files/load.ts";
import { type Lora, mergeLoras } from "../nn/lora.ts";
import {
  loadRunAlignment,
  type RunAlignment,
  runDirectoryAt,
  runLoraSettings,
  runOfWeights,
  runWeights,
} from "../training/stages/run-lora.ts";
import type { LoraChoice } from "./settings/model.ts";

/** Where a LoRA lies, and what it is to the model: what a distillation trained aligns its adapters, all else is a look. */
type LoraSource =
  | { readonly type: "run"; readonly directory: string; readonly weights: string }
  | { readonly type: "alignment" | "look"; readonly weights: string };

/** A LoRA that was found, before anything of it is loaded. */
export type LocatedLora = LoraSource & {
  /** As it was asked for. */
  readonly path: string;
  /** What its updates are multiplied by; 1 where it aligns the adapters. */
  readonly strength: number;
  /** What it does, but for its strength: by what is in its files. */
  readonly identity: string;
};

/**
 * Finds the LoRAs that are asked for; looks without a strength of their own get `loraStrength`.
 *
 * They come in an order that goes by what is in their files: in whatever order they were asked for, sums in this one are
 * the same, bit for bit. Throws a UserError of one sentence where one is not there or some cannot be used together.
 */
export function locateLoras(
  asked: string | readonly (string | LoraChoice)[] = [],
  loraStrength?: number,
): readonly LocatedLora[] {
  const choices = [asked].flat().map((one) => (typeof one === "string" ? { path: one } : one));
  const found = choices.map(({ path, strength }) => ({ path, strength, ...sourceAt(path) }));
  requireStrengthsOfLooks(found, loraStrength);
  const settled = found.map((one) => {
    const { type, strength = loraStrength ?? 1 } = one;
    return { ...one, strength: type === "look" ? strength : 1, identity: identityOf(one) };
  });
  const sorted = sortedByContents(settled);
  requireOneAlignment(settled);
  return sorted;
}

/** PEFT's own name of the file in its folders. */
const PEFT_FILE = "adapter_model.safetensors";

function sourceAt(path: string): LoraSource {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  if (existsSync(path) && !isFolder) {
    const directory = runOfWeights(path);
    return directory === undefined ? fileAt(path) : { type: "run", directory, weights: path };
  }
  if (isFolder && existsSync(join(path, PEFT_FILE))) return fileAt(join(path, PEFT_FILE));
  const directory = runDirectoryAt(path);
  if (directory !== undefined) return { type: "run", directory, weights: runWeights(directory) };
  throw new UserError(
    `lora: expected the directory of a run of "./eve distill", or a LoRA's .safetensors file, found neither at ${path}`,
  );
}

function fileAt(weights: string): LoraSource {
  return { type: isAlignmentFile(weights) ? "alignment" : "look", weights };
}

type FoundLora = LoraSource & LoraChoice;

/** Throws a UserError for a strength of what aligns the adapters, and for one that no look is left for. */
function requireStrengthsOfLooks(
  found: readonly FoundLora[],
  loraStrength: number | undefined,
): void {
  const [looks, others] = [found.filter(isLook), found.filter((one) => !isLook(one))];
  const isUsed = "aligns the adapters, and is used as it was trained";
  const strong = others.find(({ strength }) => strength !== undefined);
  if (strong) throw new UserError(`lora: ${strong.path} ${isUsed}: give it no strength`);
  if (loraStrength === undefined) return;
  if (looks.some(({ strength }) => strength === undefined)) return;
  if (looks.length > 0)
    throw new UserError(
      "loraStrength: every look has a strength of its own: leave one of them out",
    );
  const [alignment] = others;
  throw new UserError(
    alignment
      ? `loraStrength: ${alignment.path} ${isUsed}`
      : "loraStrength: expected a lora that it is for",
  );
}

function isLook({ type }: LoraSource): boolean {
  return type === "look";
}

/** Sorts by what they do, whatever they are called; a UserError where two are the same. */
function sortedByContents(loras: readonly LocatedLora[]): LocatedLora[] {
  const sorted = loras.toSorted((a, b) => (a.identity < b.identity ? -1 : 1));
  for (const [index, lora] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next?.identity === lora.identity) throw givenTwice(lora, next);
  }
  return sorted;
}

/**
 * Identifies what a LoRA does, but for its strength: the SHA-256 of its weights, and what scales them.
 *
 * Alphas may stand in another file: the settings that PEFT puts beside its weights, or the config of a run.
 */
function identityOf(source: LoraSource): string {
  const scales =
    source.type === "run"
      ? runLoraSettings(source.directory)
      : readLoraContents(source.weights).layers.map(({ name, alpha }) => [name, alpha]);
  return `${fileDigest(source.weights).sha256} ${JSON.stringify(scales)}`;
}

function givenTwice(one: LocatedLora, other: LocatedLora): UserError {
  const strength = isLook(one) ? ", with the strength of both" : "";
  return new UserError(
    one.path === other.path
      ? `lora: ${one.path} is given twice: give it once${strength}`
      : `lora: ${one.path} and ${other.path} are the same file: give one of them${strength}`,
  );
}

function requireOneAlignment(loras: readonly LocatedLora[]): void {
  const [one, other] = loras.filter((lora) => !isLook(lora));
  if (!one || !other) return;
  throw new UserError(
    `lora: ${one.path} and ${other.path} both align the adapters, and alignments that were trained apart do not add up: give one of them`,
  );
}

/** Bytes that LoRAs take in memory, in float32. */
export function loraBytes(loras: readonly LocatedLora[]): number {
  const values = loras
    .flatMap(({ weights }) => [...readHeader(weights).tensors.values()])
    .map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  return 4 * values.reduce((sum, count) => sum + count, 0);
}

/**
 * Loads LoRAs for the backbone of `parts`. Those of the text encoder that come with them are merged into it, all at once.
 */
export function loadLoras(
  loras: readonly LocatedLora[],
  parts: OpenParts,
): Required<Pick<OpenModelOptions, "alignment" | "looks">> {
  const { unet } = parts.networks;
  const loaded = loras.map((one) => ({ ...one, ...loadOne(one, parts) }));
  const ofTexts = loaded.flatMap(({ ofText, strength }) =>
    ofText ? [{ lora: ofText, strength }] : [],
  );
  mergeLoras(parts.textEncoder, ofTexts);
  const aligning = loaded.find((one) => !isLook(one));
  return {
    looks: loaded.filter(isLook).map(({ lora, strength, path }) => ({ lora, strength, path })),
    alignment: aligning
      ? {
          lora: aligning.lora,
          videoStrength: strengthOn(unet, aligning.videoStrength),
          path: aligning.path,
        }
      : null,
  };
}

interface LoadedLora extends Pick<RunAlignment, "lora" | "videoStrength"> {
  readonly ofText: Lora | null;
}

function loadOne(source: LoraSource, { networks, textEncoder }: OpenParts): LoadedLora {
  const { unet } = networks;
  if (source.type === "run")
    return { ...loadRunAlignment(source.directory, unet, source.weights), ofText: null };
  const { weights } = source;
  const { unet: lora, textEncoder: ofText } = loadLora(weights, { unet, textEncoder });
  if (lora === null)
    throw new UserError(`lora: expected updates of the U-Net in ${weights}, it has none`);
  return { lora, ofText, videoStrength: videoStrengthOf(weights) };
}
