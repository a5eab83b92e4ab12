import { z } from "zod";
import { rearrange } from "../../engine/axes.ts";
import { networkSize } from "../../engine/config.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { HintConfig } from "../../models/controlnet/config.ts";
import { ControlNet } from "../../models/controlnet/controlnet.ts";
import { timeChannels, type UNetConfig } from "../../models/unet/config.ts";
import { timeVector } from "../../models/unet/encoder.ts";
import { UNet, type Residuals } from "../../models/unet/unet.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { plainLayer } from "../../nn/lora.ts";
import { Module } from "../../nn/module.ts";
import type { EditBranch, EditInputs } from "./branches.ts";
import { CopyHead } from "./copy-head.ts";
import { editPlaces } from "./edit-strength.ts";

/** The shape of an edit adapter beside its U-Net's. */
export const EditAdapterConfig = z.strictObject({
  /** How it sees the input frame. */
  hint: HintConfig,
  /** The tasks it has a label for, in the order of their vectors. */
  tasks: z.array(z.string()).min(1),
  /** Width of a task's vector. */
  taskFeatures: networkSize.default(64),
  /** Whether what an edit leaves alone has a way past the backbone's decoder. */
  copyHead: z.boolean().default(false),
  /** Tokens that a task adds behind those of the instruction (Emu Edit's successor: four). */
  taskTokens: networkSize.default(4),
});
export type EditAdapterConfig = z.infer<typeof EditAdapterConfig>;

/**
 * The image-editing adapter `θ_edit` (§3.1): a ControlNet that reads the input frame, the instruction and a
 * learned task embedding, and leaves the output caption to the backbone.
 *
 * The input's latent enters through a zero-initialised convolution behind the first one; the task's vector is
 * added to the time embedding and gives tokens behind the instruction's (as Emu Edit does). Frames are folded into
 * the batch.
 */
export class EditAdapter extends Module implements EditBranch {
  readonly controlNet: ControlNet;
  readonly taskEmbedding: Embedding;
  readonly taskToTokens: Linear;
  readonly taskToTime: Linear;
  readonly copyHead: CopyHead | null;
  readonly config: EditAdapterConfig;

  /** Its ControlNet begins as a copy of the encoder of `unet`, or with random weights for a bare config. */
  constructor(rng: Rng, backbone: UNet | UNetConfig, config: EditAdapterConfig) {
    super();
    const { tasks, taskFeatures, taskTokens, hint } = config;
    const unet = backbone instanceof UNet ? backbone.config : backbone;
    const own = rng.split("controlNet");
    this.controlNet =
      backbone instanceof UNet
        ? ControlNet.fromUNet(own, backbone, hint)
        : new ControlNet(own, unet, hint);
    this.taskEmbedding = new Embedding(rng.split("task"), tasks.length, taskFeatures, {
      deviation: 1,
    });
    this.taskToTokens = new Linear(
      rng.split("tokens"),
      taskFeatures,
      taskTokens * unet.crossAttentionDim,
    );
    this.taskToTime = new Linear(rng.split("time"), taskFeatures, timeChannels(unet));
    this.copyHead = config.copyHead
      ? new CopyHead(rng.split("copy"), {
          stateChannels: unet.blockOutChannels[0]!,
          channels: unet.outChannels,
          timeChannels: timeChannels(unet),
          patchSize: unet.patchSize,
        })
      : null;
    this.config = config;
  }

  /** What is added to the backbone's states for noisy latents `xt` at labels `t`. */
  forward(
    xt: Float<"b c h w">,
    t: Float<"b">,
    { instruction, tasks, input }: EditInputs,
    { recompute = false }: { readonly recompute?: boolean } = {},
  ): Residuals {
    const vectors = this.taskEmbedding.forward(tasks);
    const tokens = rearrange(this.taskToTokens.forward(vectors), "b (n d) -> b n d", {
      n: this.config.taskTokens,
    });
    const text = Tensor.cat([instruction, tokens.to("float32")], 1);
    const entries = tasks.shape[0]!;
    const shift = this.taskToTime.forward(vectors).repeatInterleave(xt.shape[0]! / entries, 0);
    const residuals = this.controlNet.forward(xt, t, text, input, {
      timeShift: shift,
      recompute,
    });
    if (!this.copyHead) return residuals;
    const time = timeVector(this.controlNet, t, { timeShift: shift, apply: plainLayer });
    return { ...residuals, output: this.copyHead.over({ input, xt, time }) };
  }

  places(): readonly string[] {
    return editPlaces(this.copyHead !== null);
  }
}
