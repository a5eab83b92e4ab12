"""Makes vae.safetensors with diffusers 0.27.2 on torch 1.13: a small AutoencoderKL on formula weights.

Run from this folder: python vae.py
"""

import sys

sys.path.insert(0, "..")

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

from formula_weights import fill, formula_input

torch.set_num_threads(1)
vae = fill(
    AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 48),
        layers_per_block=2,
        latent_channels=4,
        norm_num_groups=8,
        scaling_factor=0.18215,
    )
)
pixels = formula_input("pixels", (2, 3, 16, 24)).requires_grad_()
latent = formula_input("latent", (2, 4, 4, 6)).requires_grad_()
posterior = vae.encode(pixels).latent_dist
decoded = vae.decode(latent / 0.18215).sample
loss = decoded.square().mean() + posterior.mean.square().mean() + posterior.logvar.square().mean()
loss.backward()
save_file(
    {
        "mean": posterior.mean.detach().contiguous(),
        "logvar": posterior.logvar.detach().contiguous(),
        "decoded": decoded.detach().contiguous(),
        "gradient.pixels": pixels.grad,
        "gradient.latent": latent.grad,
        "gradient.encoder.conv_in.weight": vae.encoder.conv_in.weight.grad,
        "gradient.decoder.mid_block.attentions.0.to_q.weight": vae.decoder.mid_block.attentions[0].to_q.weight.grad,
    },
    "vae.safetensors",
    {"format": "pt"},
)

with open("names-sd15.tsv", "w") as file:
    large = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
    )
    for name, value in large.state_dict().items():
        file.write(name + "\t" + ",".join(map(str, value.shape)) + "\n")
