import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { mapSafetensors } from "../../engine/safetensors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { readJson } from "./json.ts";

/** What diffusers and transformers call a folder's file of weights. */
const STEMS = ["diffusion_pytorch_model", "model"] as const;
/** Tried behind what the caller prefers. */
const USUAL_VARIANTS = ["", "fp16"] as const;

const Index = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The weights of a public folder, mapped from their files. */
export interface WeightFiles {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The one file, or the index of several: what errors call the checkpoint. */
  readonly path: string;
  /** The files that hold the tensors. */
  readonly files: readonly string[];
}

/**
 * Opens the weights in `folder`: one safetensors file, or several behind an index. `folder` may also be the file itself.
 *
 * A `variant` (`fp16`, `non_ema`) is preferred where there is one; else the plain files are taken, else those of
 * `fp16`. Tensors are on the CPU and belong to the innermost scope (`mapSafetensors`).
 */
export function openWeights(folder: string, variant = ""): WeightFiles {
  if (folder.endsWith(".safetensors"))
    return { tensors: mapSafetensors(folder), path: folder, files: [folder] };
  const names = [...new Set([variant, ...USUAL_VARIANTS])].flatMap((choice) =>
    STEMS.flatMap((stem) => fileNames(stem, choice)),
  );
  const found = names.find((name) => existsSync(join(folder, name)));
  if (found === undefined) throw nothingFound(folder);
  const path = join(folder, found);
  return found.endsWith(".json")
    ? openShards(folder, path)
    : { tensors: mapSafetensors(path), path, files: [path] };
}

function fileNames(stem: string, variant: string): string[] {
  const suffix = variant && `.${variant}`;
  return [
    `${stem}${suffix}.safetensors`,
    `${stem}.safetensors.index${suffix}.json`,
    `${stem}${suffix}.safetensors.index.json`,
  ];
}

function nothingFound(folder: string): DataError {
  const isWeights = /\.(bin|ckpt|pt|pth|msgpack|h5|onnx|safetensors)$/;
  const present = existsSync(folder)
    ? readdirSync(folder).filter((name) => isWeights.test(name))
    : [];
  const dangling = present.find((name) => !existsSync(join(folder, name)));
  if (dangling !== undefined)
    return new DataError(
      `${join(folder, dangling)}: expected weights, got a link to a file that is gone: fetch it again`,
    );
  const came = present.length > 0 ? `only ${present.slice(0, 5).join(", ")}` : "no weights";
  return new DataError(
    `${folder}: expected ${STEMS.map((stem) => `${stem}.safetensors`).join(" or ")} (or several with an index), found ${came}; other formats are not read`,
  );
}

/** Opens all files that an index names. What the index says and what they hold must be the same. */
function openShards(folder: string, indexPath: string): WeightFiles {
  const { weight_map: places } = readJson(indexPath, Index);
  const shards = [...new Set(Object.values(places))].toSorted();
  refuseAbsentShards(shards, folder, indexPath);
  const tensors = new Map<string, Tensor>();
  for (const shard of shards) {
    const held = mapSafetensors(join(folder, shard));
    const expected = Object.keys(places).filter((name) => places[name] === shard);
    const absent = expected.find((name) => !held.has(name));
    if (absent !== undefined)
      throw new DataError(`${indexPath}: expected ${absent} in ${shard}, which has no such tensor`);
    const stranger = [...held.keys()].find((name) => places[name] !== shard);
    if (stranger !== undefined)
      throw new DataError(
        `${indexPath}: ${shard} holds ${stranger}, which the index does not place there`,
      );
    for (const [name, tensor] of held) tensors.set(name, tensor);
  }
  return { tensors, path: indexPath, files: shards.map((shard) => join(folder, shard)) };
}

function refuseAbsentShards(shards: readonly string[], folder: string, indexPath: string): void {
  const stray = shards.find((shard) => !/^[\w.-]{1,200}\.safetensors$/.test(shard));
  if (stray !== undefined)
    throw new DataError(
      `${indexPath}: expected names of safetensors files in the same folder, got ${JSON.stringify(stray.slice(0, 100))}`,
    );
  const absent = shards.filter((shard) => !existsSync(join(folder, shard)));
  if (absent.length > 0)
    throw new DataError(
      `${indexPath}: ${absent.length} of its ${shards.length} files are missing (${absent.slice(0, 3).join(", ")}): fetch them again`,
    );
}
