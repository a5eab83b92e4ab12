import { timeLabels, type Denoiser } from "../../diffusion/denoiser.ts";
import { toPrediction, type PredictionKind } from "../../diffusion/prediction.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { inFastPrecision } from "../../engine/settings.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { addedUp, type Residuals, type UNet, type UNetOptions } from "../../models/unet/unet.ts";
import { plainLayer, type ApplyLayer, type Lora } from "../../nn/lora.ts";
import type { EditBranch, EditInputs, VideoBranch, VideoParts } from "../adapters/branches.ts";
import type { EditStrengths } from "../adapters/edit-strength.ts";
import { weakened, type VideoStrength } from "../adapters/video-strength.ts";

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
  readonly editAdapter: EditBranch;
  readonly videoAdapter: VideoBranch | null;
  /**
   * A LoRA by which the backbone draws in a style or a subject of its own (§4.4): it stands in the video adapter's
   * place, as the second teacher's and the student's.
   */
  readonly look?: Lora | null;
  /** The noise levels of the samples that all of them are shown; the video adapter was trained on them. */
  readonly schedule: Schedule;
  /**
   * The noise levels that backbone and edit adapter were trained on; default `schedule`. Where they differ, either is told
   * a noise level by its own label.
   */
  readonly imageSchedule?: Schedule;
  readonly kind: PredictionKind;
  /** The `hint` of frames of which only latents are known; absent where the edit adapter reads latents. */
  readonly hintOf?: (input: Float<"b c h w">) => Float<"b 3 _ _">;
}

/** One noise level by the labels under which each network knows it: equal ᾱ, not equal t. */
export interface TimeLabels {
  /** For the video adapter, and for the backbone that it stands in. */
  readonly clip: Float<"b">;
  /** For the edit adapter, and for the backbone without a video adapter. */
  readonly image: Float<"b">;
}

/** Backbone and adapters before they are read as a denoiser. */
type AdaptedNetwork<Condition> = (
  xt: Float<"b c h w">,
  labels: TimeLabels,
  condition: Condition,
) => Float<"b c h w">;

/** The backbone θ alone: one picture per batch entry. */
export function backboneDenoiser(networks: Networks): Denoiser<CaptionCondition> {
  return frozen(networks, (xt, { image }, { caption }) =>
    networks.unet.forward(xt, image, caption),
  );
}

/** The edit teacher `ψ = [θ, θ_edit]`: every frame by itself (§3.1). `lora` stands beside the backbone's layers. */
export function editTeacher(
  networks: Networks,
  lora: ApplyLayer = plainLayer,
): Denoiser<EditCondition> {
  const { unet, editAdapter } = networks;
  return frozen(networks, (xt, { image }, condition) => {
    const residuals = editAdapter.forward(xt, image, condition);
    return unet.forward(xt, image, condition.caption, { ...adding(residuals), lora });
  });
}

/** The video teacher `ρ = [θ, θ_video]` (§3.1), or that of another combination, `[θ, θ_look]` (§4.4). */
export function videoTeacher(networks: Networks): Denoiser<VideoCondition> {
  const { unet } = networks;
  return frozen(networks, (xt, labels, condition) => {
    const video = videoParts(networks, xt, labels, condition);
    const lora = lookOf(networks);
    return unet.forward(xt, backboneLabels(networks, labels), condition.caption, {
      ...video,
      lora,
    });
  });
}

/** How the adapters are stacked. */
export interface StackOptions {
  /** Whether the backward pass computes each layer again; default false. */
  readonly recompute?: boolean;
  /**
   * How strongly the video adapter speaks: what it adds to the backbone's states is multiplied by this, everywhere by one
   * number or at each place by its own. 1, the default, is as it was trained; with 0 every frame stands by itself.
   */
  readonly videoStrength?: VideoStrength;
  /** How strongly the edit adapter speaks at each of its places; null, the default, is as it was trained. */
  readonly editStrength?: EditStrengths | null;
}

/**
 * Both adapters attached at once, not aligned: `η = [θ, θ_edit, θ_video]` (§3.1, "plug and play"). `lora` stands beside the
 * backbone's layers; by default the networks' look.
 */
export function stacked(
  networks: Networks,
  options: Pick<StackOptions, "videoStrength"> = {},
  lora: ApplyLayer = lookOf(networks),
): Denoiser<StackedCondition> {
  return frozen(networks, stackedNetwork(networks, lora, options));
}

/**
 * The backbone with both adapters attached, in one pass; `lora` stands beside the backbone's layers alone. With
 * `recompute` the backward pass computes each layer again.
 *
 * Frames of `b` clips are folded into the batch; caption, instruction and task have one entry per clip.
 */
export function stackedNetwork(
  networks: Networks,
  lora: ApplyLayer = lookOf(networks),
  { recompute = false, videoStrength = 1, editStrength = null }: StackOptions = {},
): AdaptedNetwork<StackedCondition> {
  const { unet, editAdapter } = networks;
  return (xt, labels, condition) => {
    const added = editAdapter.forward(xt, labels.image, condition, { recompute });
    const edit = added && editStrength ? editStrength.heard(added) : added;
    const whole = videoParts(networks, xt, labels, condition);
    const { residuals, ...video } = weakened(whole, videoStrength);
    return unet.forward(xt, backboneLabels(networks, labels), condition.caption, {
      ...adding(edit, residuals),
      ...video,
      lora,
      recompute,
    });
  };
}

/** How the backbone applies its linear layers where nothing is aligned. */
export function lookOf({ unet, look }: Pick<Networks, "unet" | "look">): ApplyLayer {
  return look ? look.on(unet) : plainLayer;
}

/** The label of the backbone beside adapters: the video adapter's where there is one, for it was trained with that. */
function backboneLabels(
  { videoAdapter }: Pick<Networks, "videoAdapter">,
  { clip, image }: TimeLabels,
): Float<"b"> {
  return videoAdapter ? clip : image;
}

function adding(...all: readonly (Residuals | null | undefined)[]): Pick<UNetOptions, "residuals"> {
  const given = all.filter((residuals) => residuals !== null && residuals !== undefined);
  return given.length === 0 ? {} : { residuals: addedUp(given) };
}

function videoParts(
  { videoAdapter, unet }: Networks,
  xt: Float<"(b f) c h w">,
  { clip: t }: TimeLabels,
  { caption, firstFrame }: Pick<VideoCondition, "caption" | "firstFrame">,
): VideoParts {
  if (!videoAdapter) return {};
  const frames = xt.shape[0]! / caption.shape[0]!;
  return videoAdapter.beside(unet, { t, caption, frames, firstFrame });
}

function frozen<Condition>(
  networks: Networks,
  network: AdaptedNetwork<Condition>,
): Denoiser<Condition> {
  const evaluate = fastNetwork(network);
  return adaptedDenoiser(networks, (xt, t, condition) => noGrad(() => evaluate(xt, t, condition)));
}

/** A network with adapters behind the one interface: unlike `networkDenoiser`'s, it is told each noise level by two labels. */
export function adaptedDenoiser<Condition>(
  {
    schedule,
    imageSchedule = schedule,
    kind,
  }: Pick<Networks, "schedule" | "imageSchedule" | "kind">,
  network: AdaptedNetwork<Condition>,
): Denoiser<Condition> {
  return {
    predict(xt, t, condition) {
      const clip = timeLabels(xt, t, { schedule });
      const isShared = imageSchedule === schedule;
      const image = isShared ? clip : timeLabels(xt, t, { schedule, trainedOn: imageSchedule });
      return toPrediction(kind, network(xt, { clip, image }, condition), { xt, t, schedule });
    },
  };
}

/** The same network with convolutions and matrix products in bfloat16, where its device gains from that. */
export function fastNetwork<Condition>(
  network: AdaptedNetwork<Condition>,
): AdaptedNetwork<Condition> {
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
      stackedCondition(
        { ...parts, input: noPicture(parts.input), hint: null, firstFrame: null },
        nothing,
      ),
  };
}

/** A condition without its picture holds zeros in its place, as in training. */
export function noPicture(input: Float<"f c h w">): Float<"f c h w"> {
  return Tensor.zeros(input.shape, input.dtype, input.device);
}
