import { join } from "node:path";
import { z } from "zod";
import type { Tensor } from "../../engine/tensor.ts";
import { readShards, type CachedItems } from "../caches/shards.ts";
import type { InputSource, UneditedText } from "../caches/unedited-clips.ts";
import type { InstructionRecord } from "../instructions/record.ts";
import { dataFiles, type ClipRecord } from "../clips/dataset.ts";
import { digestOf, requireLatents } from "./prepared-items.ts";

/** Which inputs of a data set, and where what is drawn from them is kept. */
export interface PreparedSource {
  /** The data set's folder. */
  readonly folder: string;
  /** What they are for: `train`. */
  readonly name: string;
  /** Opens the clips' latents; the sources of one data set share them. */
  readonly latents: () => CachedItems<unknown>;
  /** One input each. */
  readonly records: readonly InstructionRecord[];
  /** All clips of the data set. */
  readonly clips: readonly ClipRecord[];
  readonly cache: string;
  /** Identifies the encoder that made the latents. */
  readonly autoencoderHash: string;
}

/** What opens the latents of the data set in `folder`, once, however often it is asked. */
export function latentsOf(folder: string): () => CachedItems<unknown> {
  let opened: CachedItems<unknown> | undefined;
  return () => (opened ??= readShards(dataFiles(folder).latents, z.unknown()));
}

/** Inputs of distillation from a data set: clips that were encoded before, each with its instructions in turn. */
export function preparedInputs(source: PreparedSource): InputSource {
  const { folder, name, latents, records, clips, cache, autoencoderHash } = source;
  const digest = digestOf(records, clips);
  return {
    name,
    count: records.length,
    open: async () => {
      const stored = latents();
      requireLatents(folder, stored.count, records);
      return new InstructedClips(stored, records);
    },
    folderFor: (kind) => join(cache, `${kind}-own-${name}-${digest}-${autoencoderHash}`),
  };
}

/** Clips seen by their instructions: several inputs share one clip's latents. */
class InstructedClips implements CachedItems<UneditedText> {
  readonly count: number;
  readonly #latents: CachedItems<unknown>;
  readonly #records: readonly InstructionRecord[];

  constructor(latents: CachedItems<unknown>, records: readonly InstructionRecord[]) {
    this.count = records.length;
    this.#latents = latents;
    this.#records = records;
  }

  text(index: number): UneditedText {
    const { task, instruction, outputCaption } = this.#records[index]!;
    return { task, instruction, outputCaption };
  }

  firstIndices(limit: number): number[] {
    return Array.from({ length: Math.min(limit, this.count) }, (_, index) => index);
  }

  gather(name: string, indices: readonly number[]): Tensor {
    return this.#latents.gather(
      name,
      indices.map((index) => this.#records[index]!.clip),
    );
  }
}
