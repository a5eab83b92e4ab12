// One evaluation of the open stack at full width: Stable Diffusion 1.5's U-Net, a ControlNet and AnimateDiff's motion
// adapter (version 2) on 8 frames of 128×128 pixels, without guidance. open_step.py is the same in diffusers.
//
//   node bench/open-step.ts [--precision float32|bfloat16] [--weights float16] [--frames 8] [--size 16] [--threads 2] [--runs 5] [--spare GB]
//
// `--weights float16` holds the weights as public files have them, and computes in `--precision` all the same. `--spare`
// is what large kernels may take beyond that to be laid out for convolving; by default all that they can use.
//
// To pair them, run both by turns on an otherwise idle machine and compare `seconds` (the middle one; `cpuSeconds`, of
// all threads together, where others are at work) and `peakGB` (the peak of the process once everything is loaded and
// has run once):
//
//   for i in 1 2 3; do node bench/open-step.ts; python bench/open_step.py; done
//
// `rms` and `first` say whether both computed the same. EVE_DOOR=… runs on another libtorch (native/README.md), e.g. on
// the one of Python's torch. Each process takes 7 GB in float32.
import { parseArgs } from "node:util";
import { z } from "zod";
import { noGrad } from "../src/engine/autodiff.ts";
import { returnFreedMemory } from "../src/engine/freed-memory.ts";
import { Rng } from "../src/engine/random.ts";
import { keep, persist, tensorScope } from "../src/engine/scope.ts";
import { autocast, engineInfo, setThreads } from "../src/engine/settings.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { ControlNet } from "../src/models/controlnet/controlnet.ts";
import { resolveMotionConfig } from "../src/models/motion/config.ts";
import { MotionAdapter } from "../src/models/motion/motion-adapter.ts";
import { resolveUNetConfig } from "../src/models/unet/config.ts";
import { convolutionsFinestFirst } from "../src/models/unet/convolutions.ts";
import { UNet } from "../src/models/unet/unet.ts";
import { packConvolutions } from "../src/nn/pack-convolutions.ts";
import { forgetPeak, fullWidth, noisy, processBytes } from "./full-width.ts";

const { values } = parseArgs({
  options: {
    precision: { type: "string", default: "float32" },
    weights: { type: "string" },
    frames: { type: "string", default: "8" },
    size: { type: "string", default: "16" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "5" },
    spare: { type: "string", default: "Infinity" },
  },
});
const precision = z.enum(["float32", "bfloat16"]).parse(values.precision);
const stored = z.enum(["float32", "bfloat16", "float16"]).parse(values.weights ?? precision);
const [frames, size, runs] = [Number(values.frames), Number(values.size), Number(values.runs)];
setThreads(Number(values.threads));

const config = resolveUNetConfig({});
const motion = resolveMotionConfig({ statistics: "clip" });
const unet = fullWidth(() => new UNet(Rng.seed(0), config), stored);
const controlNet = fullWidth(
  () => new ControlNet(Rng.seed(0), config, { type: "rgb", channels: [16, 32, 96, 256] }),
  stored,
);
const convolutions = convolutionsFinestFirst([unet, controlNet]);
packConvolutions(convolutions, { dtype: precision, spareBytes: 1e9 * Number(values.spare) });
const adapter = fullWidth(() => new MotionAdapter(Rng.seed(0), motion), stored);

returnFreedMemory();

const latents = persist(noisy([frames, 4, size, size]));
const text = persist(noisy([1, 77, 768]));
const hint = persist(
  noisy([frames, 3, 8 * size, 8 * size])
    .div(2)
    .add(0.5),
);
const t = persist(Tensor.full([frames], 500));

interface Measured {
  readonly seconds: number;
  /** Of all threads together, in the program and in the kernel: what a busy machine blurs least. */
  readonly cpuSeconds: number;
  readonly drawn: Tensor;
}

function step(): Measured {
  using _ = tensorScope();
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const drawn = noGrad(() =>
    autocast(precision, () => {
      const residuals = controlNet.forward(latents, t, text, hint);
      return unet.forward(latents, t, text, { residuals, temporal: adapter.on(unet, { frames }) });
    }),
  );
  drawn.select(0, 0).select(0, 0).select(0, 0).select(0, 0).item();
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, cpuSeconds: (user + system) / 1e6, drawn: keep(drawn) };
}

step();
forgetPeak();
const loaded = processBytes("VmRSS");
const measured = Array.from({ length: runs }, step);
const { drawn } = measured[0]!;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const sorted = (all: readonly number[]): number[] =>
  all.map((value) => rounded(value, 2)).toSorted((a, b) => a - b);
console.log(
  JSON.stringify({
    what: `open-eve, libtorch ${engineInfo().version}, ${precision}`,
    seconds: sorted(measured.map(({ seconds }) => seconds)),
    cpuSeconds: sorted(measured.map(({ cpuSeconds }) => cpuSeconds)),
    loadedGB: rounded(loaded / 1e9, 2),
    peakGB: rounded(processBytes("VmHWM") / 1e9, 2),
    rms: rounded(drawn.square().mean().sqrt().item(), 6),
    first: [...drawn.select(0, 0).select(1, 0).select(1, 0).toFloat32Array()].map((value) =>
      rounded(value, 5),
    ),
  }),
);
