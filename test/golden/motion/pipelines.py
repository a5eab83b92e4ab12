"""Makes pipelines.safetensors with diffusers 0.42.1 on torch 2.15: what its two AnimateDiff pipelines with control draw
in four steps, from networks on formula weights (motion modules normalise per frame, see per_frame.py).

DDIM, linear betas; `leading` times and `set_alpha_to_one`, because then diffusers steps from each time to the next one.
Run from this folder: python pipelines.py
"""

import sys

sys.path.insert(0, "..")

import torch
from diffusers import (
    AnimateDiffControlNetPipeline,
    AnimateDiffSparseControlNetPipeline,
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    MotionAdapter,
    SparseControlNetModel,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from formula_weights import formula_input
from motion import fill_weights
from per_frame import normalise_per_frame

FRAMES, HEIGHT, WIDTH = 4, 4, 6
ENCODER = {
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "cross_attention_dim": 12,
    "norm_num_groups": 8,
}


def shared_parts():
    text_config = CLIPTextConfig(
        vocab_size=8, hidden_size=12, intermediate_size=12, num_hidden_layers=1, num_attention_heads=1
    )
    unet = UNet2DConditionModel(
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=4,
        sample_size=8,
        **ENCODER,
    )
    motion = MotionAdapter(
        block_out_channels=(16, 32),
        motion_layers_per_block=1,
        motion_norm_num_groups=8,
        motion_num_attention_heads=4,
        motion_max_seq_length=8,
    )
    scheduler = DDIMScheduler(
        beta_schedule="linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        clip_sample=False,
        timestep_spacing="leading",
        set_alpha_to_one=True,
    )
    # neither sees anything: prompts are given as embeddings, latents come out as latents
    autoencoder = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    return {
        "vae": autoencoder,
        "text_encoder": CLIPTextModel(text_config),
        "tokenizer": None,
        "unet": fill_weights(unet),
        "motion_adapter": fill_weights(motion),
        "scheduler": scheduler,
    }


def draw(pipeline, **given):
    normalise_per_frame(pipeline.unet)
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(
        num_frames=FRAMES,
        height=8 * HEIGHT,
        width=8 * WIDTH,
        num_inference_steps=4,
        guidance_scale=7.5,
        prompt_embeds=formula_input("prompt", (1, 5, 12)),
        negative_prompt_embeds=formula_input("nothing", (1, 5, 12)),
        latents=formula_input("noise", (1, FRAMES, 4, HEIGHT, WIDTH)).transpose(1, 2),
        output_type="latent",
        **given,
    ).frames
    return drawn[0].transpose(0, 1).contiguous()


class GivenLatents(AnimateDiffSparseControlNetPipeline):
    """Takes the known frame as a latent: the reference draws it at random from its autoencoder's distribution."""

    def prepare_image(self, image, *_):
        return formula_input("known", (1, 1, 4, HEIGHT, WIDTH)).transpose(1, 2)


def edited():
    controlnet = ControlNetModel(
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        attention_head_dim=4,
        conditioning_embedding_out_channels=(4, 8, 8, 16),
        **ENCODER,
    )
    pipeline = AnimateDiffControlNetPipeline(controlnet=fill_weights(controlnet), **shared_parts())
    hint = formula_input("hint", (1, FRAMES, 3, 8 * HEIGHT, 8 * WIDTH), 0.5) + 0.5
    pipeline.check_inputs = lambda *_, **__: None  # it wants pictures of 8 bits
    return draw(pipeline, conditioning_frames=hint)


def completed():
    sparse = SparseControlNetModel(
        conditioning_channels=4,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        num_attention_heads=4,
        motion_max_seq_length=8,
        motion_num_attention_heads=4,
        **ENCODER,
    )
    sparse = normalise_per_frame(fill_weights(sparse))
    pipeline = GivenLatents(controlnet=sparse, **shared_parts())
    frame = torch.zeros(1, 3, 8 * HEIGHT, 8 * WIDTH)
    return draw(pipeline, conditioning_frames=frame, controlnet_frame_indices=[0])


torch.set_num_threads(1)
save_file({"edited": edited(), "completed": completed()}, "pipelines.safetensors", {"format": "pt"})
