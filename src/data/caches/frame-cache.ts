import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { defaultDevice } from "../../engine/device.ts";
import { Tensor, dispatch, type Int, type Pixels } from "../../engine/tensor.ts";
import { dtypeCode } from "../../engine/dtype.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { bytesToPixels } from "../pixels.ts";
import type { CacheProgress } from "./cache-progress.ts";
import { DrawingPool } from "./drawing-pool.ts";
import { draw } from "./scene-items.ts";
import { worldDigest } from "./world-source.ts";
import type { Split } from "../world/splits.ts";

/** Pictures that are drawn before they are written. */
const PIECE = 1024;

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
    const rows: Int<"b"> = Tensor.from(indices, [indices.length], "int64", "cpu");
    return keep(bytesToPixels(this.#bytes.indexSelect(0, rows).toDevice(defaultDevice())));
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
  using pool = new DrawingPool(draw, new URL("scene-items.ts", import.meta.url));
  try {
    for (let first = 0; first < count; first += PIECE) {
      const items = Math.min(PIECE, count - first);
      const pictures = await pool.draw({ split, frames: 1 }, first, items, size);
      for (const { frames } of pictures) writeSync(file, frames[0]!);
      const done = first + items;
      report({ type: "cache-progress", what: `${split} pictures`, done, total: count });
    }
  } catch (error) {
    closeSync(file);
    rmSync(partial);
    throw error;
  }
  closeSync(file);
  renameSync(partial, path);
}
