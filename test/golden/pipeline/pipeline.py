"""Makes small-sd/ and expected.safetensors with diffusers 0.42.1, transformers 5.24.0 and torch 2.15.

small-sd/ is a Stable Diffusion pipeline as diffusers saves one, with few channels and formula weights rounded to
float16: U-Net in shards behind an index, the rest in one file each. expected.safetensors holds what that pipeline draws
for one prompt with the sampler and the guidance of Stable Diffusion 1.5, in float32.

Run from this folder: python pipeline.py
"""

import json
import os
import shutil
import sys

sys.path.insert(0, "..")

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from formula_weights import fill, formula_input

torch.set_num_threads(1)
FOLDER = "small-sd"
shutil.rmtree(FOLDER, ignore_errors=True)

# the tokenizer as old repositories hold it
os.makedirs(f"{FOLDER}/tokenizer")
with open("../text-encoder/tokenizer/tokenizer.json", encoding="utf-8") as file:
    model = json.load(file)["model"]
with open(f"{FOLDER}/tokenizer/vocab.json", "w", encoding="utf-8") as file:
    json.dump(model["vocab"], file, ensure_ascii=False)
with open(f"{FOLDER}/tokenizer/merges.txt", "w", encoding="utf-8") as file:
    file.write("\n".join(["#version: 0.2", *model["merges"], ""]))
tokenizer = CLIPTokenizer(
    f"{FOLDER}/tokenizer/vocab.json", f"{FOLDER}/tokenizer/merges.txt", model_max_length=77, pad_token="<|endoftext|>"
)

text_encoder = CLIPTextModel(
    CLIPTextConfig(
        vocab_size=len(model["vocab"]),
        hidden_size=12,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
)
unet = UNet2DConditionModel(
    sample_size=8,
    block_out_channels=(8, 16),
    layers_per_block=1,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    cross_attention_dim=12,
    attention_head_dim=2,
    norm_num_groups=4,
)
vae = AutoencoderKL(
    block_out_channels=(8, 16),
    down_block_types=("DownEncoderBlock2D",) * 2,
    up_block_types=("UpDecoderBlock2D",) * 2,
    layers_per_block=1,
    norm_num_groups=4,
    sample_size=16,
)
scheduler = PNDMScheduler(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    skip_prk_steps=True,
    steps_offset=1,
)
for network in (text_encoder, unet, vae):
    fill(network).half()
pipeline = StableDiffusionPipeline(
    vae=vae,
    text_encoder=text_encoder,
    tokenizer=tokenizer,
    unet=unet,
    scheduler=scheduler,
    safety_checker=None,
    feature_extractor=None,
    requires_safety_checker=False,
)
pipeline.save_config(FOLDER)
text_encoder.save_pretrained(f"{FOLDER}/text_encoder", variant="fp16")
vae.save_pretrained(f"{FOLDER}/vae", variant="fp16")
unet.save_pretrained(f"{FOLDER}/unet", variant="fp16", max_shard_size="60KB")
scheduler.save_pretrained(f"{FOLDER}/scheduler")

for network in (text_encoder, unet, vae):
    network.float()
latents = formula_input("latents", (1, 4, 8, 8), 1.4)
ids = tokenizer("a red cat", padding="max_length", truncation=True, return_tensors="pt").input_ids
draw = {"prompt": "a red cat", "latents": latents, "num_inference_steps": 6, "guidance_scale": 7.5}
drawn = pipeline(**draw, output_type="latent").images
save_file(
    {
        "ids": ids,
        "text": text_encoder(ids).last_hidden_state.detach(),
        "drawn": drawn.detach().contiguous(),
        "decoded": vae.decode(drawn / vae.config.scaling_factor).sample.detach().contiguous(),
    },
    "expected.safetensors",
    {"format": "pt"},
)
