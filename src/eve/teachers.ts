import { noGrad } from "../engine/autodiff.ts";
import { inFastPrecision } from "../engine/settings.ts";
import { Tensor, type Float } from "../engine/tensor.ts";
import { networkDenoiser, type Denoiser, type Network } from "../diffusion/denoiser.ts";
import type { PredictionKind } from "../diffusion/prediction.ts";
import type { Schedule } from "../diffusion/schedule.ts";
import { firstFrameCondition, type TemporalLayers } from "../models/temporal/temporal-layers.ts";
import type { TemporalHooks } from "../models/unet/pass.ts";
import type { UNet } from "../models/unet/unet.ts";
import { plainLayer, type ApplyLayer, type Lora } from "../nn/lora.ts";
import type { EditAdapter, EditInputs } from "./edit-adapter.ts";

/** What can be taken from a condition, for guidance. */
export interface Droppable {
  /** The same without its words. */
  withoutText(): this;
  /** The same without its picture. */
  withoutImage(): this;
}

/** What the backbone alone draws from. */
export interface CaptionCondition {
  /** Token features of the output caption; one entry serves all frames of a clip. */
  readonly caption: Float<"_ n d">;
}

/** What the edit teacher ψ draws from (§3.1: `c_out`, `c_instruct`, `c_img`). */
export interface EditCondition extends CaptionCondition, EditInputs, Droppable {}

/** What the video teacher ρ draws from (§3.1: `c_out`, and the first frame). */
export interface VideoCondition extends CaptionCondition, Droppable {
  /** Latent of each clip's first frame; null for none. */
  readonly firstFrame: Float<"b c h w"> | null;
}

/** What both adapters together draw from (§3.1: `c_out`, `c_instruct`, `c_vid`, and the edited first frame). */
export interface StackedCondition extends EditCondition {
  readonly firstFrame: Float<"b c h w"> | null;
}

/** A condition without the ways to take parts from it. */
export type StackedParts = Omit<StackedCondition, keyof Droppable>;

/** The frozen networks that teachers and stack share: every weight exists once. */
export interface Networks {
  readonly unet: UNet;
  readonly editAdapter: EditAdapter;
  readonly videoAdapter: TemporalLayers | null;
  /**
   * A LoRA by which the backbone draws in a style or a subject of its own (§4.4): it stands in the video adapter's
   * place, as the second teacher's and the student's.
   */
  readonly look?: Lora | null;
  readonly schedule: Schedule;
  readonly kind: PredictionKind;
}

/** The backbone θ alone: one picture per batch entry. */
export function backboneDenoiser(networks: Networks): Denoiser<CaptionCondition> {
  return frozen(networks, (xt, t, { caption }) => networks.unet.forward(xt, t, caption));
}

/** The edit teacher `ψ = [θ, θ_edit]`: every frame by itself (§3.1). */
export function editTeacher(networks: Networks): Denoiser<EditCondition> {
  const { unet, editAdapter } = networks;
  return frozen(networks, (xt, t, condition) => {
    const residuals = editAdapter.forward(xt, t, condition);
    return unet.forward(xt, t, condition.caption, { residuals });
  });
}

/** The video teacher `ρ = [θ, θ_video]` (§3.1), or that of another combination, `[θ, θ_look]` (§4.4). */
export function videoTeacher(networks: Networks): Denoiser<VideoCondition> {
  const { unet } = networks;
  return frozen(networks, (xt, t, condition) => {
    const temporal = temporalHooks(networks, xt, condition);
    return unet.forward(xt, t, condition.caption, { ...temporal, lora: lookOf(networks) });
  });
}

/** Both adapters attached at once, not aligned: `η = [θ, θ_edit, θ_video]` (§3.1, "plug and play"). */
export function stacked(networks: Networks): Denoiser<StackedCondition> {
  return frozen(networks, stackedNetwork(networks));
}

/**
 * The backbone with both adapters attached, in one pass; `lora` stands beside the backbone's layers alone.
 *
 * Frames of `b` clips are folded into the batch; caption, instruction and task have one entry per clip.
 */
export function stackedNetwork(
  networks: Networks,
  lora: ApplyLayer = lookOf(networks),
): Network<StackedCondition> {
  const { unet, editAdapter } = networks;
  return (xt, t, condition) => {
    const residuals = editAdapter.forward(xt, t, condition);
    const temporal = temporalHooks(networks, xt, condition);
    return unet.forward(xt, t, condition.caption, { residuals, ...temporal, lora });
  };
}

/** How the backbone applies its linear layers where nothing is aligned. */
export function lookOf({ unet, look }: Pick<Networks, "unet" | "look">): ApplyLayer {
  return look ? look.on(unet) : plainLayer;
}

function temporalHooks(
  { videoAdapter, unet }: Networks,
  xt: Float<"(b f) c h w">,
  { caption, firstFrame }: Pick<VideoCondition, "caption" | "firstFrame">,
): { readonly temporal?: TemporalHooks } {
  if (!videoAdapter) return {};
  const frames = xt.shape[0]! / caption.shape[0]!;
  const condition = firstFrame ? { condition: firstFrameCondition(firstFrame) } : {};
  return { temporal: videoAdapter.on(unet, { frames, ...condition }) };
}

function frozen<Condition>(networks: Networks, network: Network<Condition>): Denoiser<Condition> {
  const evaluate = fastNetwork(network);
  return asDenoiser(networks, (xt, t, condition) => noGrad(() => evaluate(xt, t, condition)));
}

/** A network of the schedule and kind of `networks` behind the one interface. */
export function asDenoiser<Condition>(
  { schedule, kind }: Pick<Networks, "schedule" | "kind">,
  network: Network<Condition>,
): Denoiser<Condition> {
  return networkDenoiser({ schedule, kind, network });
}

/** The same network with convolutions and matrix products in bfloat16, where its device gains from that. */
export function fastNetwork<Condition>(network: Network<Condition>): Network<Condition> {
  return (xt, t, condition) => inFastPrecision(xt.device, () => network(xt, t, condition));
}

/** The condition of `parts`; `nothing` is what no words look like: what guidance puts in the place of text. */
export function stackedCondition(parts: StackedParts, nothing: Float<"1 n d">): StackedCondition {
  const silent = (text: Float<"b n d">): Float<"b n d"> => nothing.expand([text.shape[0]!, -1, -1]);
  return {
    ...parts,
    withoutText: () =>
      stackedCondition(
        { ...parts, caption: silent(parts.caption), instruction: silent(parts.instruction) },
        nothing,
      ),
    withoutImage: () =>
      stackedCondition({ ...parts, input: noPicture(parts.input), firstFrame: null }, nothing),
  };
}

/** A condition without its picture holds zeros in its place, as in training. */
export function noPicture(input: Float<"f c h w">): Float<"f c h w"> {
  return Tensor.zeros(input.shape, input.dtype, input.device);
}
