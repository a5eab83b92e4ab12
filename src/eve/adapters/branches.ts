import type { Float, Int } from "../../engine/tensor.ts";
import type { Residuals, UNet, UNetOptions } from "../../models/unet/unet.ts";
import type { Module } from "../../nn/module.ts";

/** What an edit adapter reads beside the noisy latent (§3.1). */
export interface EditInputs {
  /** Token features of the instruction; one entry, or one per clip, serves consecutive frames. */
  readonly instruction: Float<"_ n d">;
  /** The number of each entry's task. */
  readonly tasks: Int<"_">;
  /** Latents of the input frames; zeros for none. */
  readonly input: Float<"b c h w">;
  /** The input frames in RGB, within [0, 1], for adapters that look at pixels; null for none. */
  readonly hint?: Float<"b 3 _ _"> | null;
}

/** An image-editing adapter `θ_edit` of a backbone (§3.1): `EditAdapter`, or a public ControlNet. */
export interface EditBranch extends Module {
  /**
   * What is added to the backbone's states for noisy latents `xt` at labels `t`; null for nothing. `recompute`: whether
   * the backward pass computes each layer again.
   */
  forward(
    xt: Float<"b c h w">,
    t: Float<"b">,
    inputs: EditInputs,
    options?: { readonly recompute?: boolean },
  ): Residuals | null;
  /** Where it does so (`editPlaces`). */
  places(): readonly string[];
}

/** Noisy clips as a video adapter is asked about them; `frames` of each lie beside each other in the batch. */
export interface NoisyClips {
  readonly t: Float<"(b f)">;
  /** Token features of the output captions. */
  readonly caption: Float<"b n d">;
  readonly frames: number;
  /** Latents of the first frames; null for none. */
  readonly firstFrame: Float<"b c h w"> | null;
}

/** The place of what a video adapter adds beside the backbone's states, among those behind its layers. */
export const BESIDE = "beside";

/** What a video adapter puts into the backbone and beside it. */
export type VideoParts = Pick<UNetOptions, "temporal" | "residuals">;

/** A video-generation adapter `θ_video` of a backbone (§3.1): `TemporalLayers`, or public motion modules. */
export interface VideoBranch extends Module {
  /** What stands in and beside `unet` while it draws these clips. */
  beside(unet: UNet, clips: NoisyClips): VideoParts;
  /** Where it does so: behind layers of `unet`, by their paths, and `BESIDE` where it adds to states. */
  places(unet: UNet): readonly string[];
}
