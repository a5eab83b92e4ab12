"""Makes unet.safetensors with diffusers 0.27.2 on torch 1.13: a small U-Net and a small ControlNet on formula weights.

Run from this folder: python unet.py
"""

import sys

sys.path.insert(0, "..")

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import save_file

from formula_weights import fill, formula_input

SHAPE = {
    "block_out_channels": (16, 32, 32),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "cross_attention_dim": 12,
    "attention_head_dim": (2, 4, 8),
    "norm_num_groups": 8,
}
UP = ("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D")


def outcome(values):
    return values.detach().contiguous()


torch.set_num_threads(1)
unet = fill(UNet2DConditionModel(in_channels=4, out_channels=4, up_block_types=UP, **SHAPE))
controlnet = fill(
    ControlNetModel(in_channels=4, conditioning_embedding_out_channels=(4, 8, 8, 16), **SHAPE)
)
for network in (unet, controlnet):
    network.set_attn_processor(AttnProcessor())

latent = formula_input("latent", (2, 4, 8, 12)).requires_grad_()
text = formula_input("text", (2, 5, 12)).requires_grad_()
hint = formula_input("hint", (2, 3, 64, 96), 0.5) + 0.5
labels = torch.tensor([999, 17])

plain = unet(latent, labels, text).sample
plain.square().mean().backward()
with torch.no_grad():
    down, mid = controlnet(latent, labels, text, hint, return_dict=False)
    steered = unet(
        latent,
        labels,
        text,
        down_block_additional_residuals=down,
        mid_block_additional_residual=mid,
    ).sample

WEIGHTS = (
    "conv_in.weight",
    "time_embedding.linear_1.weight",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
    "up_blocks.2.resnets.1.conv_shortcut.weight",
)
named = dict(unet.named_parameters())
save_file(
    {
        "plain": outcome(plain),
        "steered": outcome(steered),
        "time": outcome(unet.time_embedding(unet.time_proj(labels))),
        "mid": outcome(mid),
        **{f"down.{i}": outcome(state) for i, state in enumerate(down)},
        "gradient.latent": latent.grad,
        "gradient.text": text.grad,
        **{f"gradient.{name}": named[name].grad.contiguous() for name in WEIGHTS},
    },
    "unet.safetensors",
    {"format": "pt"},
)
