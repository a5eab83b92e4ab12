import { z } from "zod";
import { Rng } from "../engine/random.ts";
import type { Denoiser } from "../diffusion/denoiser.ts";
import { TemporalLayers } from "../models/temporal/temporal-layers.ts";
import { isTransformerLinear, UNet } from "../models/unet/unet.ts";
import { uninitialised } from "../nn/init.ts";
import { Lora } from "../nn/lora.ts";
import { copyParameters, type Module, type Parameters } from "../nn/module.ts";
import { EditAdapter } from "./edit-adapter.ts";
import {
  asDenoiser,
  inBfloat16,
  stackedNetwork,
  type Networks,
  type StackedCondition,
} from "./teachers.ts";

/** The linear layers of the backbone that a LoRA can stand beside, by the name of the choice. */
const LAYERS = {
  /** Queries, keys, values and outputs of every attention. */
  attention: (path: string) => /\.attn[12]\./.test(path),
  /** The same, and the two-layer networks behind them. */
  transformer: isTransformerLinear,
  /** Every linear layer, those that read the time included. */
  linear: () => true,
} as const;

/**
 * The LoRA `θ_align` (§3.1): it stands on the backbone alone.
 *
 * Deviation: rank and layers are not in the paper.
 */
export const AlignmentConfig = z.strictObject({
  rank: z.int().positive().default(32),
  /** The update is scaled by `alpha / rank`; null: by one. */
  alpha: z.number().positive().nullable().default(null),
  layers: z.enum(["attention", "transformer", "linear"]).default("transformer"),
});
export type AlignmentConfig = z.infer<typeof AlignmentConfig>;

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
 * With a fresh LoRA it equals `stacked`, bit for bit. It holds no weight but the LoRA's; gradients reach those
 * alone where the networks are frozen. Unlike a teacher it records a graph unless told not to.
 */
export function alignedStudent(networks: Networks, alignment: Lora): Student {
  const network = stackedNetwork(networks, alignment.on(networks.unet));
  return {
    denoiser: asDenoiser(networks, inBfloat16(network)),
    trainable: alignment.parameters(),
  };
}

/**
 * A student that starts from the text-to-image backbone alone, for the ablation "Random Init" (Table 2): its
 * ControlNet a copy of the backbone's encoder, its temporal layers the identity, all of it trainable.
 *
 * It has its own copy of the backbone; the teachers keep theirs.
 */
export function unpretrainedStudent(rng: Rng, teachers: Networks): Student {
  const { unet: source, editAdapter, videoAdapter, schedule, kind } = teachers;
  const unet = uninitialised(() => new UNet(rng, source.config));
  copyParameters(unet.parameters(), source.parameters(), "the backbone");
  const own = {
    backbone: unet,
    editAdapter: new EditAdapter(rng.split("edit"), unet, editAdapter.config),
    videoAdapter: new TemporalLayers(rng.split("video"), unet, videoAdapter!.config),
  };
  const networks = { ...own, unet, schedule, kind };
  return {
    denoiser: asDenoiser(networks, inBfloat16(stackedNetwork(networks))),
    trainable: parametersOf(own),
  };
}

/** The weights of all `modules` by `<module>.<name>`. */
export function parametersOf(modules: Readonly<Record<string, Module>>): Parameters {
  const named = Object.entries(modules).flatMap(([prefix, module]) =>
    [...module.parameters()].map(([name, weight]) => [`${prefix}.${name}`, weight] as const),
  );
  return new Map(named);
}
