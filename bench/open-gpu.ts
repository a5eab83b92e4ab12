// The open preset on a GPU: edits of 8 frames of 512×512 in 20 steps, and an iteration of FDD, on weights of noise in
// bfloat16. open_gpu.py is the first of them in diffusers.
//
//   node bench/open-gpu.ts [--device cuda] [--phases stack,edit,iteration] [--frames 8] [--size 512] [--steps 20]
//                          [--seconds 30] [--peak 989] [--tuned] [--narrow]
//
// Each phase prints a line as soon as it is done:
//
//   stack      backbone, ControlNet and motion modules, guided by words (two evaluations a step), then decoded: what
//              diffusers' AnimateDiffControlNetPipeline computes
//   edit       what `eve edit --model open` computes of a window: encoded, the first frame edited, all frames edited with
//              SparseCtrl told of it, decoded
//   iteration  one step of `eve distill --preset open`: three steps of the student, both teachers, both critics
//
// A pass that is not timed warms each up; one counts `teraflops`, those of convolutions and matrix products alone
// (bench/matrix-work.ts). `share` is theirs of `--peak`, what the matrix units do at most in TFLOP/s (989: an H100's,
// dense bfloat16). `peakGB` and `reservedGB` are the device's memory in tensors and in the allocator; null on a CPU. After
// `--seconds` a phase begins no further step: what is left out is said, nothing is extrapolated. `--tuned` lets cuDNN
// time its algorithms first, as `eve distill` does. `--narrow` tries it all on a CPU, in networks of few channels.
import { parseArgs } from "node:util";
import { z } from "zod";
import { ddim, type Sampling } from "../src/diffusion/samplers.ts";
import { guidedTwice } from "../src/diffusion/guidance.ts";
import { WindowEditor } from "../src/editing/windows/window-editor.ts";
import { readSettings, resolveSettings } from "../src/editing/settings/settings.ts";
import { DEVICE_CHOICES } from "../src/engine/device-choices.ts";
import { chooseDevice, defaultDevice } from "../src/engine/device.ts";
import { peakDeviceMemory } from "../src/engine/device-memory.ts";
import { HeldTensors } from "../src/engine/held-tensors.ts";
import { keep, tensorScope } from "../src/engine/scope.ts";
import { engineInfo, setTunedConvolutions } from "../src/engine/settings.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { TERMS } from "../src/eve/distillation/distillation-config.ts";
import { OpenModel } from "../src/eve/open/open-model.ts";
import { decodePictures } from "../src/eve/open/open-parts.ts";
import { stacked, stackedCondition } from "../src/eve/stack/teachers.ts";
import { latentStride } from "../src/models/vae/config.ts";
import { startState, trainStep } from "../src/training/step.ts";
import { noisy } from "./full-width.ts";
import { MatrixWork } from "./matrix-work.ts";
import { median } from "./median.ts";
import { openNoise } from "./open-noise.ts";

const PHASES = ["stack", "edit", "iteration"] as const;
const { values } = parseArgs({
  options: {
    device: { type: "string", default: "cuda" },
    phases: { type: "string", default: PHASES.join(",") },
    frames: { type: "string", default: "8" },
    size: { type: "string", default: "512" },
    steps: { type: "string", default: "20" },
    seconds: { type: "string", default: "30" },
    peak: { type: "string", default: "989" },
    tuned: { type: "boolean", default: false },
    narrow: { type: "boolean", default: false },
  },
});
const count = z.coerce.number().int().positive();
const frames = count.parse(values.frames);
const size = count.parse(values.size);
const steps = count.parse(values.steps);
const limit = z.coerce.number().positive().parse(values.seconds);
const peakFlops = z.coerce.number().positive().parse(values.peak) * 1e12;
const phases = z.array(z.enum(PHASES)).parse(values.phases.split(","));

const started = performance.now();
chooseDevice(z.enum(DEVICE_CHOICES).parse(values.device));
setTunedConvolutions(values.tuned);
const parts = openNoise({ narrow: values.narrow });
const model = new OpenModel(parts, { hash: "noise", size });
const { text, image } = model.defaults.guidance.balanced;
report("loaded", { seconds: since(started), tuned: values.tuned, narrow: values.narrow });

const measured = { stack: measureStack, edit: measureEdit, iteration: measureIteration };
for (const phase of phases) {
  peakDeviceMemory({ forget: true });
  await measured[phase]();
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Seconds from a reading of the clock. */
function since(start: number): number {
  return rounded((performance.now() - start) / 1000);
}

/** Prints a line of what was measured, with the device's memory since the phase began. */
function report(phase: string, facts: Readonly<Record<string, unknown>>): void {
  const peak = peakDeviceMemory();
  const gigabytes = (bytes: number | undefined): number | null =>
    bytes === undefined ? null : rounded(bytes / 1e9);
  const line = {
    what: `open-eve, libtorch ${engineInfo().version}, ${defaultDevice()}, ${frames} frames of ${size}×${size}`,
    phase,
    ...facts,
    peakGB: gigabytes(peak?.allocated),
    reservedGB: gigabytes(peak?.reserved),
  };
  console.log(JSON.stringify(line));
}

/** What `flops` in `seconds` come to; a share is a GPU's. */
function rate(flops: number, seconds: number): Readonly<Record<string, unknown>> {
  const share = defaultDevice() === "cpu" ? null : rounded(flops / seconds / peakFlops);
  return {
    teraflops: rounded(flops / 1e12),
    teraflopsPerSecond: rounded(flops / seconds / 1e12),
    share,
  };
}

/** Waits until the device has computed `tensor`; gives its root mean square. */
function settled(tensor: Tensor): number {
  using _ = tensorScope();
  return rounded(tensor.to("float32").square().mean().sqrt().item());
}

/** Runs a sampler, waiting for the device after every step, until it ends or time is up. */
function timedSteps(sampling: Sampling): { seconds: number[]; sample: Tensor } {
  using _ = tensorScope();
  const seconds: number[] = [];
  const begun = performance.now();
  let sample: Tensor | undefined;
  for (let start = begun; ; start = performance.now()) {
    const { done, value } = sampling.next();
    if (done) break;
    settled(value.x0);
    sample = value.x0;
    seconds.push(since(start));
    if (since(begun) > limit) break;
  }
  return { seconds, sample: keep(sample!) };
}

/** Both adapters' networks without SparseCtrl, and the decoder. */
function measureStack(): void {
  using _ = tensorScope();
  const { networks, autoencoder } = parts;
  const side = size / latentStride(autoencoder.config);
  const { hiddenSize } = parts.textEncoder.config;
  const condition = stackedCondition(
    {
      caption: noisy([1, 77, hiddenSize]),
      instruction: noisy([1, 77, hiddenSize], 3),
      tasks: Tensor.zeros([1], "int64"),
      input: noisy([frames, 4, side, side]),
      hint: noisy([frames, 3, size, size]).mul(0.5).add(0.5),
      firstFrame: null,
    },
    noisy([1, 77, hiddenSize], 5),
  );
  const denoiser = guidedTwice(stacked(networks), {
    textScale: text,
    imageScale: image,
    withoutText: (full) => full.withoutText(),
    unconditional: (full) => full.withoutText().withoutImage(),
  });
  const { schedule } = networks;
  const xT = noisy([frames, 4, side, side], 11);
  const work = new MatrixWork();
  const first = timedSteps(ddim(denoiser, xT, condition, { schedule, steps: 1 }));
  const flops = work.stop();
  settled(decodePictures(autoencoder, xT.narrow(0, 0, 1)));
  report("stack, first step", { seconds: first.seconds[0], ...rate(flops, first.seconds[0]!) });

  peakDeviceMemory({ forget: true });
  const begun = performance.now();
  const { seconds, sample } = timedSteps(ddim(denoiser, xT, condition, { schedule, steps }));
  const denoising = since(begun);
  const secondsPerStep = median(seconds);
  const guidance = { text, image };
  const facts = { guidance, stepsDone: seconds.length, steps, secondsPerStep, denoising };
  report("stack, denoising", { ...facts, ...rate(flops, secondsPerStep), rms: settled(sample) });
  const decoded = performance.now();
  settled(decodePictures(autoencoder, sample));
  report("stack", { ...facts, decoding: since(decoded), seconds: since(begun) });
}

/** A window from pixels to pixels, as the editor takes it. */
async function measureEdit(): Promise<void> {
  const edit = async (times: number, signal?: AbortSignal) => {
    using held = new HeldTensors();
    const asked = readSettings({ instruction: "make it autumn", steps: times, method: "stacked" });
    using editor = new WindowEditor(model, resolveSettings(asked, model));
    const marks = [performance.now()];
    const lap = (tensor: Tensor): void => {
      settled(tensor);
      marks.push(performance.now());
    };
    const input = held.make(() => model.encode(noisy([frames, 3, size, size])));
    lap(input);
    const edited = await editor.edit(input, held, { signal });
    lap(edited);
    const pixels = held.make(() => model.decode(edited));
    lap(pixels);
    const [encoding, denoising, decoding] = marks
      .slice(1)
      .map((mark, i) => (mark - marks[i]!) / 1000);
    return {
      encoding: encoding!,
      denoising: denoising!,
      decoding: decoding!,
      rms: settled(pixels),
    };
  };
  // Counting takes time of its own; every step computes the same
  const counted = async (times: number): Promise<number> => {
    const work = new MatrixWork();
    await edit(times);
    return work.stop();
  };
  const once = await counted(1);
  const flops = once + (steps - 1) * ((await counted(2)) - once);
  peakDeviceMemory({ forget: true });
  const signal = AbortSignal.timeout(limit * 1000);
  const whole = await edit(steps, signal).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (!whole) return report("edit", { cutAfter: limit });
  const { rms, ...laps } = whole;
  const seconds = laps.encoding + laps.denoising + laps.decoding;
  const { encoding, denoising, decoding } = laps;
  const all = {
    encoding: rounded(encoding),
    denoising: rounded(denoising),
    decoding: rounded(decoding),
  };
  report("edit", {
    guidance: { text, image },
    steps,
    ...all,
    seconds: rounded(seconds),
    ...rate(flops, seconds),
    rms,
  });
}

/** One step of training, all terms at work. */
async function measureIteration(): Promise<void> {
  // What the stage can be made of brings the drawing library, which edits do without
  const { noiseDistillation } = await import("./noise-distillation.ts");
  const { stage, config } = noiseDistillation(parts, {
    frames,
    size,
    terms: TERMS,
    recompute: "layers",
  });
  const state = startState(stage, config);
  const step = async (): Promise<{ seconds: number; gradNorm: number | null }> => {
    const start = performance.now();
    const result = await trainStep(stage, config, state);
    settled([...stage.trainable.values()][0]!.detach());
    const gradNorm = result.type === "updated" ? rounded(result.gradNorm) : null;
    return { seconds: since(start), gradNorm };
  };
  report("iteration, first", await step());
  // Not the first one, which reads the texts
  const begun = performance.now();
  const work = new MatrixWork();
  await step();
  const flops = work.stop();
  peakDeviceMemory({ forget: true });
  const further: Awaited<ReturnType<typeof step>>[] = [];
  while (further.length < 3 && since(begun) < limit) further.push(await step());
  if (further.length === 0) return;
  const all = further.map(({ seconds }) => seconds);
  const { gradNorm } = further.at(-1)!;
  report("iteration", { all, seconds: median(all), gradNorm, ...rate(flops, median(all)) });
}
