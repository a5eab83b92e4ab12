import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Tensor, dispatch, type Int, type Pixels } from "../../engine/tensor.ts";
import { dtypeCode } from "../../engine/dtype.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { bytesToPixels } from "../pixels.ts";
import { renderFrame } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import type { Split } from "../world/splits.ts";

/** What a cache reports while it is being made. */
export interface CacheProgress {
  readonly type: "cache-progress";
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** Frames of a clip that single pictures are taken from. */
export const FRAME_SPAN = 32;

/** The frame number that picture `index` shows of its scene. */
export function frameOf(index: number): number {
  return Math.imul(index, 0x9e3779b1) >>> 27;
}

/** A digest of what the world draws: caches of another look are not used. */
export function worldDigest(size: number): string {
  const hash = createHash("sha256");
  for (let index = 0; index < 24; index++)
    hash.update(renderFrame(sampleScene("validation", index), index, size));
  return hash.digest("hex").slice(0, 12);
}

/** Rendered pictures of the world, memory-mapped from one file of RGB bytes. */
export class FrameCache {
  readonly count: number;
  readonly #bytes: Tensor;

  constructor(bytes: Tensor) {
    this.#bytes = bytes;
    this.count = bytes.shape[0]!;
  }

  /** The pictures that `indices` names. */
  pixels(indices: readonly number[]): Pixels<"b 3 h w"> {
    using _ = tensorScope();
    const rows: Int<"b"> = Tensor.from(indices, [indices.length], "int64");
    return keep(bytesToPixels(this.#bytes.indexSelect(0, rows)));
  }
}

/** Opens the cache of the first `count` pictures of a split, rendering it first where it is missing. */
export async function openFrameCache(
  { folder, split, count, size }: { folder: string; split: Split; count: number; size: number },
  report: (progress: CacheProgress) => void = () => {},
): Promise<FrameCache> {
  const path = join(folder, `frames-${split}-${size}-${count}-${worldDigest(size)}.rgb`);
  const frameBytes = size * size * 3;
  if (!existsSync(path)) await renderTo(path, { split, count, size }, report);
  const mapped = dispatch("aten::from_file", path, false, count * frameBytes, dtypeCode("uint8"));
  return new FrameCache(mapped.reshape([count, size, size, 3]));
}

async function renderTo(
  path: string,
  { split, count, size }: { split: Split; count: number; size: number },
  report: (progress: CacheProgress) => void,
): Promise<void> {
  mkdirSync(join(path, ".."), { recursive: true });
  const partial = `${path}.partial-${process.pid}`;
  const file = openSync(partial, "w");
  try {
    for (let index = 0; index < count; index++) {
      writeSync(file, renderFrame(sampleScene(split, index), frameOf(index), size));
      if (index % 256 === 255 || index === count - 1) {
        report({
          type: "cache-progress",
          what: `${split} pictures`,
          done: index + 1,
          total: count,
        });
        await new Promise(setImmediate);
      }
    }
  } catch (error) {
    closeSync(file);
    rmSync(partial);
    throw error;
  }
  closeSync(file);
  renameSync(partial, path);
}
