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
import { Rng } from "../src/engine/random.ts";
import { persist } from "../src/engine/scope.ts";
import { engineInfo, setThreads } from "../src/engine/settings.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { createSchedule } from "../src/diffusion/schedule.ts";
import { ShardedCache } from "../src/data/caches/shards.ts";
import { TextCache } from "../src/data/caches/text-cache.ts";
import type { UneditedText } from "../src/data/caches/unedited-clips.ts";
import { TERMS } from "../src/eve/distillation-config.ts";
import { asHint, decodeEach, decodeFrames } from "../src/eve/open-parts.ts";
import { PublicEditAdapter, PublicVideoAdapter } from "../src/eve/public-adapters.ts";
import type { Networks } from "../src/eve/teachers.ts";
import type { HintConfig } from "../src/models/controlnet/config.ts";
import { ControlNet } from "../src/models/controlnet/controlnet.ts";
import { resolveMotionConfig } from "../src/models/motion/config.ts";
import { MotionAdapter } from "../src/models/motion/motion-adapter.ts";
import { SparseControlConfig } from "../src/models/sparse-controlnet/config.ts";
import { SparseControlNet } from "../src/models/sparse-controlnet/sparse-controlnet.ts";
import { SPARSE_CONTROLNET_LAYOUT } from "../src/models/sparse-controlnet/weights.ts";
import { resolveTextEncoderConfig } from "../src/models/text-encoder/config.ts";
import { TextEncoder } from "../src/models/text-encoder/text-encoder.ts";
import { loadTokenizer } from "../src/models/text-encoder/tokenizer.ts";
import { TEXT_ENCODER_LAYOUT } from "../src/models/text-encoder/weights.ts";
import { resolveUNetConfig } from "../src/models/unet/config.ts";
import { UNet } from "../src/models/unet/unet.ts";
import { Autoencoder } from "../src/models/vae/autoencoder.ts";
import { resolveVaeConfig } from "../src/models/vae/config.ts";
import { VAE_LAYOUT } from "../src/models/vae/weights.ts";
import { DINOV2_S14 } from "../src/models/vision/config.ts";
import { VisionTransformer } from "../src/models/vision/vision-transformer.ts";
import { parametersOf } from "../src/nn/module.ts";
import { openCritics } from "../src/presets/critics.ts";
import { openPreset } from "../src/presets/open.ts";
import { resolveConfig, stageEntry } from "../src/training/stage.ts";
import type { DistillationInputs } from "../src/training/stages/distillation-inputs.ts";
import { DistillationSettings } from "../src/training/stages/distillation-settings.ts";
import { distillationStage } from "../src/training/stages/distillation.ts";
import { startState, trainStep } from "../src/training/step.ts";
import { forgetPeak, fullWidth, noisy, processBytes } from "./full-width.ts";

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
const recompute = { layers: "layers", steps: true, none: false }[values.recompute];
setThreads(Number(values.threads));

const seed = Rng.seed(0);
const unetConfig = resolveUNetConfig({});
const hint: HintConfig = { type: "rgb", channels: [16, 32, 96, 256] };
const motion = resolveMotionConfig({ midBlock: false });
const sparse = SparseControlConfig.parse({});
const wide = "bfloat16";
const autoencoder = fullWidth(() => new Autoencoder(seed, resolveVaeConfig({})), wide, VAE_LAYOUT);
const networks: Networks = {
  unet: fullWidth(() => new UNet(seed, unetConfig), wide),
  editAdapter: new PublicEditAdapter(fullWidth(() => new ControlNet(seed, unetConfig, hint), wide)),
  videoAdapter: new PublicVideoAdapter(
    fullWidth(() => new MotionAdapter(seed, motion), wide),
    fullWidth(() => new SparseControlNet(seed, unetConfig, sparse), wide, SPARSE_CONTROLNET_LAYOUT),
  ),
  schedule: createSchedule({ kind: "linear" }),
  imageSchedule: createSchedule({ kind: "scaled_linear" }),
  kind: "noise",
  hintOf: (latents) => asHint(decodeFrames(autoencoder, latents)),
};
const textConfig = resolveTextEncoderConfig({ vocabSize: 49408 });
const textEncoder = fullWidth(() => new TextEncoder(seed, textConfig), wide, TEXT_ENCODER_LAYOUT);
const tokenizer = loadTokenizer(
  new URL("../test/golden/pipeline/small-sd/tokenizer", import.meta.url).pathname,
);
const vision = new VisionTransformer(seed, DINOV2_S14);

const preset = openPreset({
  model: () => Promise.reject(new Error("the weights are noise")),
  vision: () => Promise.reject(new Error("the weights are noise")),
});
const entry = stageEntry(preset, "distillation");
const base = resolveConfig(entry);
const terms = z.array(z.enum(TERMS)).parse(values.terms.split(","));
const config = resolveConfig(entry, {
  ...base,
  warmup: 0,
  stage: { ...base.stage, terms, recompute: recompute ?? null, adversarialFrom: 0 },
});
const settings = DistillationSettings.parse(config.stage);

/** One clip of noise, with words. */
function inputs(): DistillationInputs {
  const side = size / 8;
  const clip = persist(noisy([1, frames, 4, side, side]));
  const text: UneditedText = {
    task: "style",
    instruction: "make it autumn",
    outputCaption: "a park in autumn",
  };
  const drawn = new ShardedCache([
    {
      tensors: new Map([
        ["firstFrame", persist(noisy([1, 4, side, side], 7))],
        ["edit", clip],
        ["video", clip],
      ]),
      texts: [null],
    },
  ]);
  const clips = {
    count: 1,
    text: () => text,
    firstIndices: () => [0],
    gather: () => clip,
  };
  const { hintOf } = networks;
  return { clips, firstFrames: drawn, samples: drawn, ...(hintOf && { hintOf }) };
}

const jury = openCritics(
  {
    vision,
    textFeatures: textConfig.hiddenSize,
    decode: (latents: Tensor) => decodeEach(autoencoder, latents),
  },
  { ...settings, recompute: false },
  seed,
);
const stage = distillationStage(
  {
    networks,
    dataset: "noise",
    train: inputs(),
    held: inputs(),
    texts: new TextCache(textEncoder, tokenizer),
    jury: terms.some((term) => term.startsWith("gen")) ? jury : null,
    frozen: parametersOf({ autoencoder, textEncoder, vision }),
    draw: () => [],
  },
  config,
);
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
