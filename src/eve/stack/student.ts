import type { Denoiser } from "../../diffusion/denoiser.ts";
import { withKnownFrames } from "../../diffusion/known-frames.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { dims, rearrange } from "../../engine/axes.ts";
import { ConfigError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import type { Float } from "../../engine/tensor.ts";
import { TemporalLayers } from "../../models/temporal/temporal-layers.ts";
import { isTransformerLinear, UNet } from "../../models/unet/unet.ts";
import { uninitialised } from "../../nn/init.ts";
import { Linear } from "../../nn/linear.ts";
import { Lora, type AdaptedLayer, type ApplyLayer } from "../../nn/lora.ts";
import { copyParameters, parametersOf, type Parameters } from "../../nn/module.ts";
import { EditAdapter } from "../adapters/edit-adapter.ts";
import { VideoStrengths } from "../adapters/video-strength.ts";
import type { AlignmentConfig } from "./alignment-config.ts";
import { alignmentParameters } from "./alignment-weights.ts";
import {
  adaptedDenoiser,
  fastNetwork,
  lookOf,
  stackedNetwork,
  type Networks,
  type StackedCondition,
  type StackOptions,
} from "./teachers.ts";

/** The layers of the backbone that a LoRA can stand beside, by the name of the choice. */
const LAYERS = {
  /** Queries, keys, values and outputs of every attention. */
  attention: (path: string) => /\.attn[12]\./.test(path),
  /** The same, and the two-layer networks behind them. */
  transformer: isTransformerLinear,
  /** Every linear layer, those that read the time included. */
  linear: (_: string, layer: AdaptedLayer) => layer instanceof Linear,
  /** The same, and every convolution: what a small network with few transformers is changed by. */
  all: () => true,
} as const;

/** What distillation trains. */
export interface Student {
  /** φ: differentiable by `trainable`, and by the noisy sample. */
  readonly denoiser: Denoiser<StackedCondition>;
  readonly trainable: Parameters;
}

/** A LoRA for `unet` that changes nothing yet: B = 0. */
export function createAlignment(
  rng: Rng,
  unet: UNet,
  { rank, alpha, layers }: AlignmentConfig,
): Lora {
  return new Lora(rng, unet, { rank, alpha: alpha ?? rank, targets: LAYERS[layers] });
}

/**
 * The student `φ = [θ, θ_edit, θ_video, θ_align]` (§3.1): the teachers' own networks, with `alignment` beside the
 * backbone.
 *
 * With a fresh LoRA it equals `stacked` at the same `videoStrength`, bit for bit. It holds no weight but the LoRA's, and
 * strengths where those are learned; gradients reach those alone where the networks are frozen. Unlike a teacher it records
 * a graph unless told not to; with `recompute` the backward pass computes each layer again.
 */
export function alignedStudent(
  networks: Networks,
  alignment: Lora,
  options: StackOptions = {},
  look: ApplyLayer = lookOf(networks),
): Student {
  const lora = alignment.on(networks.unet, look);
  const network = stackedNetwork(networks, lora, options);
  return {
    denoiser: adaptedDenoiser(networks, fastNetwork(network)),
    trainable: alignmentParameters(alignment, options),
  };
}

/** The strengths of a video adapter, `strength` at each of its places, to be learned or to take what was. */
export function learnedStrengths(
  { unet, videoAdapter }: Pick<Networks, "unet" | "videoAdapter">,
  strength: number,
): VideoStrengths {
  if (videoAdapter) return VideoStrengths.alike(unet, videoAdapter, strength);
  throw new ConfigError("expected a video adapter whose strengths can be learned, got none");
}

/**
 * A student that starts from the text-to-image backbone alone, for the ablation "Random Init" (Table 2): its
 * ControlNet a copy of the backbone's encoder, its temporal layers the identity, all of it trainable.
 *
 * It has its own copy of the backbone; the teachers keep theirs. With `recompute` the backward pass computes each layer
 * again.
 */
export function unpretrainedStudent(
  rng: Rng,
  teachers: Networks,
  { recompute = false }: Pick<StackOptions, "recompute"> = {},
): Student {
  const { unet: source, editAdapter, videoAdapter, schedule, kind } = teachers;
  if (!(editAdapter instanceof EditAdapter && videoAdapter instanceof TemporalLayers)) {
    throw new ConfigError(
      "expected this project's own adapters for a student without pretrained ones, got public ones: use stage.student=aligned",
    );
  }
  const unet = uninitialised(() => new UNet(rng, source.config));
  copyParameters(unet.parameters(), source.parameters(), "the backbone");
  const own = {
    backbone: unet,
    editAdapter: new EditAdapter(rng.split("edit"), unet, editAdapter.config),
    videoAdapter: new TemporalLayers(rng.split("video"), unet, videoAdapter.config),
  };
  const networks = { ...own, unet, schedule, kind };
  return {
    denoiser: adaptedDenoiser(
      networks,
      fastNetwork(stackedNetwork(networks, lookOf(networks), { recompute })),
    ),
    trainable: parametersOf(own),
  };
}

/** The same denoiser in use: it records no graph. */
export function frozenStudent({ denoiser }: Student): Denoiser<StackedCondition> {
  return {
    predict: (xt, t, condition) => noGrad(() => denoiser.predict(xt, t, condition)),
  };
}

/**
 * The same denoiser with each clip's first frame held at the condition's `firstFrame`, where it has one.
 *
 * `xT` is the noise that all frames start from.
 */
export function holdingFirstFrames<Condition extends Pick<StackedCondition, "firstFrame">>(
  denoiser: Denoiser<Condition>,
  xT: Float<"(b f) c h w">,
  schedule: Schedule,
): Denoiser<Condition> {
  return {
    predict(xt, t, condition) {
      const clean = condition.firstFrame?.unsqueeze(1); // "b 1 c h w"
      if (!clean) return denoiser.predict(xt, t, condition);
      const { b } = dims(clean, "b _ _ _ _");
      const noise = rearrange(xT, "(b f) c h w -> b f c h w", { b }).narrow(1, 0, 1);
      return withKnownFrames(denoiser, { clean, noise, schedule }).predict(xt, t, condition);
    },
  };
}
