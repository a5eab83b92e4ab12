import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { dims, rearrange } from "../../engine/axes.ts";
import { ConfigError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { TemporalLayers } from "../../models/temporal/temporal-layers.ts";
import { isTransformerLinear, UNet } from "../../models/unet/unet.ts";
import { uninitialised } from "../../nn/init.ts";
import { Linear } from "../../nn/linear.ts";
import { Lora, type AdaptedLayer } from "../../nn/lora.ts";
import { copyParameters, parametersOf, type Parameters } from "../../nn/module.ts";
import { EditAdapter } from "../adapters/edit-adapter.ts";
import { VideoStrengths } from "../adapters/video-strength.ts";
import type { AlignmentConfig } from "./alignment-config.ts";
import { alignmentParameters } from "./alignment-weights.ts";
import {
  asDenoiser,
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
): Student {
  const lora = alignment.on(networks.unet, lookOf(networks));
  const network = stackedNetwork(networks, lora, options);
  return {
    denoiser: asDenoiser(networks, fastNetwork(network)),
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
 * It has its own copy of the backbone; the teachers keep theirs.
 */
export function unpretrainedStudent(rng: Rng, teachers: Networks): Student {
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
    denoiser: asDenoiser(networks, fastNetwork(stackedNetwork(networks))),
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
 * The same denoiser with each clip's first frame held at the condition's `firstFrame`: at every time it is shown as
 * `α(t)·firstFrame + σ(t)·noise`, and whatever is said of it is replaced by that.
 *
 * `xT` is the noise that all frames start from. Gradients reach the frames behind the first alone.
 */
export function holdingFirstFrames<Condition extends Pick<StackedCondition, "firstFrame">>(
  denoiser: Denoiser<Condition>,
  xT: Float<"(b f) c h w">,
  schedule: Schedule,
): Denoiser<Condition> {
  return {
    predict(xt, t, condition) {
      const { firstFrame } = condition;
      if (!firstFrame) return denoiser.predict(xt, t, condition);
      const { b } = dims(firstFrame, "b _ _ _");
      const noise = rearrange(xT, "(b f) c h w -> b f c h w", { b }).select(1, 0);
      const shown = withFirstFrames(xt, schedule.addNoise(firstFrame, noise, t));
      const prediction = denoiser.predict(shown, t, condition);
      return {
        x0: withFirstFrames(prediction.x0, firstFrame),
        noise: withFirstFrames(prediction.noise, noise),
      };
    },
  };
}

/** The clips with other first frames. */
function withFirstFrames(
  clips: Float<"(b f) c h w">,
  first: Float<"b c h w">,
): Float<"(b f) c h w"> {
  const { b } = dims(first, "b _ _ _");
  const split = rearrange(clips, "(b f) c h w -> b f c h w", { b });
  const rest = split.narrow(1, 1, split.shape[1]! - 1);
  return rearrange(Tensor.cat([first.unsqueeze(1), rest], 1), "b f c h w -> (b f) c h w");
}
