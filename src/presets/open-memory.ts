import { Rng } from "../engine/random.ts";
import { CriticConfig } from "../eve/critics/critic-config.ts";
import { EditCritic, VideoCritic } from "../eve/critics/critics.ts";
import { createAlignment } from "../eve/stack/student.ts";
import { HintConfig } from "../models/controlnet/config.ts";
import { ControlNet } from "../models/controlnet/controlnet.ts";
import { resolveMotionConfig } from "../models/motion/config.ts";
import { MotionAdapter } from "../models/motion/motion-adapter.ts";
import { SparseControlConfig } from "../models/sparse-controlnet/config.ts";
import { SparseControlNet } from "../models/sparse-controlnet/sparse-controlnet.ts";
import { resolveTextEncoderConfig } from "../models/text-encoder/config.ts";
import { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { resolveUNetConfig, type UNetConfig } from "../models/unet/config.ts";
import { UNet } from "../models/unet/unet.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import { latentStride, resolveVaeConfig, type VaeConfig } from "../models/vae/config.ts";
import { DINOV2_S14 } from "../models/vision/config.ts";
import { VisionTransformer } from "../models/vision/vision-transformer.ts";
import { unallocated } from "../nn/init.ts";
import type { Module } from "../nn/module.ts";
import { hasCritics, type DistillationSettings } from "../training/stages/distillation-settings.ts";

/** What an iteration of distillation is of. */
export interface IterationShape {
  /** Clips of one forward pass. */
  readonly clips: number;
  readonly frames: number;
  /** Side of the pictures, in pixels. */
  readonly size: number;
}

/** One line of the plan. */
export interface MemoryPart {
  readonly name: string;
  readonly bytes: number;
  /** `held`: all the time; `passing`: within a part of the iteration, one such part after another. */
  readonly type: "held" | "passing";
}

/** What an iteration takes on a GPU. */
export interface MemoryPlan {
  readonly parts: readonly MemoryPart[];
  /** All that is held, and the largest of what passes. */
  readonly totalBytes: number;
  readonly gpuBytes: number;
  readonly fits: boolean;
}

/** Memory of the GPU that the plan is for, in bytes. */
export const GPU_BYTES = 80e9;

const FLOAT = 4;
const HALF = 2;
/** Adam's two moments, the gradient and the weight itself, in float32; and the average of the student's. */
const LEARNED = 4 * FLOAT;
const AVERAGE = FLOAT;
/**
 * Tensors of a layer's size, in float32, that its backward pass reads: of a ResNet, a spatial transformer and a motion module
 * in turn. Taken from what bench/open-iteration.ts takes with all of them kept.
 */
const TENSORS_OF_LAYER = 36;
/** What that measures for states that a graph holds between layers, as a multiple of what can be counted. */
const MEASURED_STATES = 2;
/** The same for a residual block of the decoder: two normalisations, activations and convolutions. */
const TENSORS_OF_BLOCK = 9;
/** Bytes for one frame that both critics look at, with heads, at 224 pixels: measured by bench/open-iteration.ts. */
const CRITIC_FRAME_BYTES = 0.85e9;
/** What libtorch's allocator, kernels and workspaces take beside tensors, as a share. */
const RESERVE = 0.1;

/**
 * The memory of one iteration of distillation of the open preset, part by part, from the shapes of the public networks.
 *
 * No weights are needed. Teachers and student share every frozen weight; only the LoRA and the critics' heads learn.
 * With `recompute: "layers"` states between layers are held for all of the student's steps, and one layer at a time is
 * computed again.
 */
export function openMemoryPlan(
  shape: IterationShape,
  settings: DistillationSettings,
  gpuBytes = GPU_BYTES,
): MemoryPlan {
  const networks = publicNetworks();
  const parts: MemoryPart[] = [
    ...frozenParts(networks),
    ...learnedParts(networks, settings),
    ...passingParts(networks, shape, settings),
  ];
  const bytesOf = (wanted: MemoryPart["type"]): number[] =>
    parts.filter(({ type }) => type === wanted).map(({ bytes }) => bytes);
  const needed =
    bytesOf("held").reduce((sum, bytes) => sum + bytes, 0) + Math.max(0, ...bytesOf("passing"));
  const reserve: MemoryPart = {
    name: "reserve of the allocator (a tenth)",
    bytes: RESERVE * needed,
    type: "held",
  };
  const totalBytes = needed + reserve.bytes;
  return { parts: [...parts, reserve], totalBytes, gpuBytes, fits: totalBytes <= gpuBytes };
}

/** The public networks as to their shapes: no weight has memory. */
function publicNetworks() {
  const rng = Rng.seed(0);
  const unetConfig = resolveUNetConfig({});
  const vaeConfig = resolveVaeConfig({});
  return unallocated(() => ({
    unet: new UNet(rng, unetConfig),
    controlNet: new ControlNet(rng, unetConfig, HintConfig.parse({ type: "rgb" })),
    motion: new MotionAdapter(rng, resolveMotionConfig({ midBlock: false })),
    sparse: new SparseControlNet(rng, unetConfig, SparseControlConfig.parse({})),
    autoencoder: new Autoencoder(rng, vaeConfig),
    textEncoder: new TextEncoder(rng, resolveTextEncoderConfig({ vocabSize: 49_408 })),
    vision: new VisionTransformer(rng, DINOV2_S14),
  }));
}
type PublicNetworks = ReturnType<typeof publicNetworks>;

function frozenParts(networks: PublicNetworks): MemoryPart[] {
  const { unet, controlNet, motion, sparse, autoencoder, textEncoder, vision } = networks;
  return [
    held("backbone, bfloat16", frozenBytes(unet)),
    held("edit adapter (ControlNet), bfloat16", frozenBytes(controlNet)),
    held("video adapter (motion modules), bfloat16", frozenBytes(motion)),
    held("video adapter (first frame), bfloat16", frozenBytes(sparse)),
    held(
      "autoencoder and text encoder, bfloat16",
      frozenBytes(autoencoder) + frozenBytes(textEncoder),
    ),
    held("critics' eyes, float32", vision.parameterCount() * FLOAT),
  ];
}

/** Bytes of a network with matrices in bfloat16 and vectors in float32, as `adoptPublicWeights` holds it. */
export function frozenBytes(network: Module): number {
  return [...network.parameters().values()].reduce(
    (sum, { size, shape }) => sum + size * (shape.length < 2 ? FLOAT : HALF),
    0,
  );
}

function learnedParts(
  { unet, vision, textEncoder }: PublicNetworks,
  settings: DistillationSettings,
): MemoryPart[] {
  const lora = unallocated(() => createAlignment(Rng.seed(0), unet, settings.alignment));
  const values = lora.parameterCount();
  const loraPart: MemoryPart = {
    name: `LoRA of ${millions(values)} values: weights, gradient, Adam, average`,
    bytes: values * (LEARNED + AVERAGE),
    type: "held",
  };
  if (!hasCritics(settings)) return [loraPart];
  const { hiddenSize: textFeatures } = textEncoder.config;
  const config = CriticConfig.parse({ ...settings.heads, textFeatures });
  const heads = unallocated(() => [
    new EditCritic(Rng.seed(0), vision, config),
    new VideoCritic(Rng.seed(0), vision, config),
  ]).reduce((sum, critic) => sum + critic.parameterCount(), 0);
  return [
    loraPart,
    {
      name: `critics' heads of ${millions(heads)} values: weights, gradient, Adam`,
      bytes: heads * LEARNED,
      type: "held",
    },
  ];
}

function passingParts(
  { unet, autoencoder }: PublicNetworks,
  { clips, frames, size }: IterationShape,
  settings: DistillationSettings,
): MemoryPart[] {
  const images = clips * frames;
  const side = size / latentStride(autoencoder.config);
  const layer = images * layerBytes(unet.config, side);
  const states = images * stateBytes(unet.config, side);
  const evaluation = images * evaluationBytes(unet.config, side);
  const { recompute, kBin } = settings;
  const steps: readonly MemoryPart[] = {
    layers: [
      held(
        `states between layers, ${kBin.bins} steps of the student`,
        kBin.bins * MEASURED_STATES * states,
      ),
      passing("one layer computed again", layer),
    ],
    steps: [passing("one of the student's steps computed again", evaluation)],
    kept: [held(`intermediates of ${kBin.bins} steps of the student`, kBin.bins * evaluation)],
  }[recompute === "layers" ? "layers" : recompute ? "steps" : "kept"];
  const teachers = passing("a teacher's two evaluations, without a graph", 2 * states + layer / 4);
  if (!hasCritics(settings)) return [...steps, teachers];
  const pixels = 3 * size * size * FLOAT;
  return [
    ...steps,
    held("pixels for the critics: drawn, real and input", 4 * images * pixels),
    held("what the critics see, with their heads", images * CRITIC_FRAME_BYTES),
    teachers,
    passing("one frame decoded again", decoderBytes(autoencoder.config, size)),
  ];
}

function held(name: string, bytes: number): MemoryPart {
  return { name, bytes, type: "held" };
}

function passing(name: string, bytes: number): MemoryPart {
  return { name, bytes, type: "passing" };
}

/** Bytes for one image of a tensor of each level's channels and places. */
function levelBytes(
  { blockOutChannels }: Pick<UNetConfig, "blockOutChannels">,
  side: number,
): number[] {
  return blockOutChannels.map((channels, level) => channels * (side / 2 ** level) ** 2 * FLOAT);
}

/**
 * What lies between the layers of one evaluation of both adapters, for one image: on the way down the states of backbone,
 * ControlNet and SparseCtrl, what leaves the latter two, their sum, and the backbone's with that; and those on the way up.
 */
function stateBytes(config: UNetConfig, side: number): number {
  const sizes = levelBytes(config, side);
  const last = sizes.length - 1;
  const down = sizes.reduce((sum, bytes, level) => {
    const resized = level === last ? 0 : bytes / 4;
    return sum + config.layersPerBlock * bytes + resized;
  }, sizes[0]!);
  const up = sizes.reduce((sum, bytes, level) => {
    const resized = level === 0 ? 0 : 4 * bytes;
    return sum + (config.layersPerBlock + 1) * bytes + resized;
  }, 0);
  return 7 * down + up;
}

/** What the backward pass of the largest layer reads, for one image: one at the finest level. */
function layerBytes(config: UNetConfig, side: number): number {
  return TENSORS_OF_LAYER * levelBytes(config, side)[0]!;
}

/** What the backward pass of a whole evaluation reads, for one image: all layers of the backbone and of the ControlNet. */
function evaluationBytes(config: UNetConfig, side: number): number {
  const { layersPerBlock } = config;
  const layers = 3 * layersPerBlock + 1;
  const perLevel = levelBytes(config, side).map((bytes) => layers * TENSORS_OF_LAYER * bytes);
  return perLevel.reduce((sum, bytes) => sum + bytes, 0);
}

/** What the backward pass of the decoder reads, for one frame. */
function decoderBytes({ blockOutChannels, layersPerBlock }: VaeConfig, size: number): number {
  return blockOutChannels.reduce((sum, channels, level) => {
    // Each scale begins with the channels of the coarser one
    const widest = blockOutChannels[level + 1] ?? channels;
    const places = (size / 2 ** level) ** 2;
    return sum + (layersPerBlock * channels + widest) * places * FLOAT * TENSORS_OF_BLOCK;
  }, 0);
}

function millions(values: number): string {
  return `${(values / 1e6).toFixed(1)} million`;
}
