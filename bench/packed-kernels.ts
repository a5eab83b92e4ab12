// Single convolutions of full width, with their kernels in rows, packed and, in float32, in tiles (`src/nn/packed-kernel.ts`):
// medians in milliseconds.
//
//   node bench/packed-kernels.ts [--threads 2] [--frames 8] [--runs 5]
import { parseArgs } from "node:util";
import { noGrad } from "../src/engine/autodiff.ts";
import { Rng, normal } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { autocast, isFastInBfloat16, setThreads } from "../src/engine/settings.ts";
import type { Tensor } from "../src/engine/tensor.ts";
import { convolve } from "../src/nn/conv.ts";
import { hasTiles, packedKernel, tiledKernel } from "../src/nn/packed-kernel.ts";
import { median } from "./median.ts";

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    frames: { type: "string", default: "8" },
    runs: { type: "string", default: "5" },
  },
});
const [frames, runs] = [Number(values.frames), Number(values.runs)];
setThreads(Number(values.threads));

/** Channels in and out, side of the pictures, side of the kernel. */
const SHAPES = [
  [1280, 1280, 2, 3],
  [2560, 1280, 4, 3],
  [1280, 1280, 8, 3],
  [1280, 1280, 16, 3],
  [640, 640, 32, 3],
  [320, 320, 16, 1],
] as const;

function milliseconds(work: () => Tensor): number {
  const times = Array.from({ length: runs + 1 }, () => {
    using _ = tensorScope();
    const started = performance.now();
    work();
    return performance.now() - started;
  });
  // the first run prepares
  return median(times.slice(1));
}

/** The types that this processor convolves in by itself. */
const types = isFastInBfloat16("cpu") ? (["bfloat16", "float32"] as const) : (["float32"] as const);

for (const dtype of types)
  for (const [inputs, outputs, side, kernel] of SHAPES) {
    using _ = tensorScope();
    const padding = (kernel - 1) / 2;
    const weight = normal(Rng.seed(1), [outputs, inputs, kernel, kernel]).to(dtype);
    const x = normal(Rng.seed(2), [frames, inputs, side, side]).to(dtype);
    const bias = normal(Rng.seed(3), [outputs]).to(dtype);
    const packed = packedKernel(weight, { stride: 1, padding }, dtype);
    const timed = (of: Tensor): number =>
      milliseconds(() => noGrad(() => autocast(dtype, () => convolve(x, of, { padding, bias }))));
    const [rows, once] = [timed(weight), timed(packed)];
    const isTiled = dtype === "float32" && hasTiles(weight, { stride: 1, padding });
    const tiles = isTiled ? `, ${timed(tiledKernel(weight)).toFixed(1)} in tiles` : "";
    const shape = `${inputs} → ${outputs}, ${side}×${side}, kernel ${kernel}`;
    console.log(
      `${dtype}  ${shape}: ${rows.toFixed(1)} in rows, ${once.toFixed(1)} packed${tiles}`,
    );
  }
