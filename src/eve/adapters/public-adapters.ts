import { ShapeError } from "../../engine/errors.ts";
import type { Float } from "../../engine/tensor.ts";
import type { ControlNet } from "../../models/controlnet/controlnet.ts";
import type { MotionAdapter } from "../../models/motion/motion-adapter.ts";
import {
  sparseCondition,
  type SparseControlNet,
} from "../../models/sparse-controlnet/sparse-controlnet.ts";
import type { Residuals, UNet } from "../../models/unet/unet.ts";
import { Module } from "../../nn/module.ts";
import {
  BESIDE,
  type EditBranch,
  type EditInputs,
  type NoisyClips,
  type VideoBranch,
  type VideoParts,
} from "./branches.ts";
import { editPlaces } from "./edit-strength.ts";

/**
 * A public ControlNet as edit adapter: `control_v11e_sd15_ip2p`, which is shown the input frame's pixels and reads the
 * instruction.
 *
 * Deviation: it knows no task label (§3.1). Its own users give its text to the backbone, too; here, as in the paper, the
 * backbone reads the output caption.
 */
export class PublicEditAdapter extends Module implements EditBranch {
  readonly controlNet: ControlNet;

  constructor(controlNet: ControlNet) {
    super();
    this.controlNet = controlNet;
  }

  /** Null where there is no picture to follow. */
  forward(
    xt: Float<"b c h w">,
    t: Float<"b">,
    { instruction, hint }: EditInputs,
    { recompute = false }: { readonly recompute?: boolean } = {},
  ): Residuals | null {
    if (hint === undefined) {
      throw new ShapeError(
        "expected the input frames' pixels as hint beside their latents, or null for none",
      );
    }
    return hint && this.controlNet.forward(xt, t, instruction, hint, { recompute });
  }

  places(): readonly string[] {
    return editPlaces(false);
  }
}

/**
 * Public motion modules (AnimateDiff) as video adapter; SparseCtrl tells of the first frame.
 *
 * Deviation: the paper's adapter is Emu Video's, whose own first convolution reads the first frame.
 */
export class PublicVideoAdapter extends Module implements VideoBranch {
  readonly motion: MotionAdapter;
  readonly firstFrames: SparseControlNet;

  constructor(motion: MotionAdapter, firstFrames: SparseControlNet) {
    super();
    this.motion = motion;
    this.firstFrames = firstFrames;
  }

  beside(unet: UNet, { t, caption, frames, firstFrame }: NoisyClips): VideoParts {
    const temporal = this.motion.on(unet, { frames });
    if (!firstFrame) return { temporal };
    const shown = sparseCondition(firstFrame, [0], frames);
    return { temporal, residuals: this.firstFrames.forward(t, caption, shown, { frames }) };
  }

  places(unet: UNet): readonly string[] {
    return [...this.motion.places(unet), BESIDE];
  }
}
