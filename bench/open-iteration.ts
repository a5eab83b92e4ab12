// One iteration of distillation (FDD) of the open preset at full width and reduced size: Stable Diffusion 1.5, a ControlNet,
// AnimateDiff's third motion adapter, SparseCtrl, and critics on DINOv2-S/14, all on weights of noise in bfloat16.
//
//   node bench/open-iteration.ts [--frames 4] [--size 64] [--recompute layers|steps|none] [--terms sdsEdit,sdsVideo]
//                                [--threads 2]
//
// `size` is the side of pictures in pixels, a multiple of 64. `peakGB` is the peak of the process during the iteration,
// `loadedGB` what it held before.
import { parseArgs } from "node:util";
import { z } from "zod";
import { engineInfo, setThreads } from "../src/engine/settings.ts";
import { TERMS } from "../src/eve/distillation/distillation-config.ts";
import { startState, trainStep } from "../src/training/step.ts";
import { forgetPeak, processBytes } from "./full-width.ts";
import { noiseDistillation } from "./noise-distillation.ts";
import { openNoise } from "./open-noise.ts";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "4" },
    size: { type: "string", default: "64" },
    recompute: { type: "string", default: "layers" },
    terms: { type: "string", default: TERMS.join(",") },
    threads: { type: "string", default: "2" },
  },
});
const [frames, size] = [Number(values.frames), Number(values.size)];
const RECOMPUTE = { layers: "layers", steps: true, none: false } as const;
const recompute = RECOMPUTE[z.enum(["layers", "steps", "none"]).parse(values.recompute)];
const terms = z.array(z.enum(TERMS)).parse(values.terms.split(","));
setThreads(Number(values.threads));

const { stage, config } = noiseDistillation(openNoise(), { frames, size, terms, recompute });
const state = startState(stage, config);
const loadedGB = processBytes("VmRSS") / 1e9;
forgetPeak();
const started = performance.now();
const cpuBefore = process.cpuUsage();
const result = await trainStep(stage, config, state);
const { user, system } = process.cpuUsage(cpuBefore);
const rounded = (value: number): number => Number(value.toPrecision(4));
console.log(
  JSON.stringify({
    what: `open-eve, libtorch ${engineInfo().version}, ${frames} frames of ${size}×${size}`,
    recompute: values.recompute,
    seconds: rounded((performance.now() - started) / 1000),
    cpuSeconds: rounded((user + system) / 1e6),
    loadedGB: rounded(loadedGB),
    peakGB: rounded(processBytes("VmHWM") / 1e9),
    ...(result.type === "updated"
      ? { gradNorm: rounded(result.gradNorm), losses: result.losses }
      : { skipped: result.reason }),
  }),
);
