"""Makes clip.safetensors with transformers 5.24.0 on torch 2.15.0: small CLIPModels on formula weights.

Pixels are in [-1, 1] and brought to CLIP's units here, as our network does itself.
Run from this folder: python clip.py
"""

import sys

sys.path.insert(0, "..")

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

from formula_weights import fill, formula_input

torch.set_num_threads(1)
END = 63
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(3, 1, 1)
ids = torch.tensor([[62, 5, 17, 17, 40, 2, END, END, END, END], [62, 9, 8, 7, 6, 5, 4, 3, 2, END], [62, 1, END, 0, 0, 0, 0, 0, 0, 0]])
results = {"ids": ids}
for activation in ("quick_gelu", "gelu"):
    config = CLIPConfig(
        projection_dim=24,
        text_config=dict(
            vocab_size=64,
            hidden_size=32,
            intermediate_size=80,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=16,
            hidden_act=activation,
            bos_token_id=62,
            eos_token_id=2,
            pad_token_id=1,
        ),
        vision_config=dict(
            hidden_size=40,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=5,
            image_size=28,
            patch_size=7,
            hidden_act=activation,
        ),
    )
    model = fill(CLIPModel._from_config(config, attn_implementation="eager").eval())
    pixels = formula_input("pixels", (2, 3, 28, 28), 0.9).requires_grad_()
    normalised = (pixels * 0.5 + 0.5 - MEAN) / DEVIATION
    pooled = model.vision_model(pixel_values=normalised).pooler_output
    # as projected, before CLIPModel brings them to length one
    image = model.visual_projection(pooled)
    text = model.text_projection(model.text_model(input_ids=ids).pooler_output)
    logits = model(input_ids=ids, pixel_values=normalised).logits_per_image
    image.square().sum().backward()
    for name, value in dict(pooled=pooled, image=image, text=text, logits=logits, gradient=pixels.grad).items():
        results[f"{activation}.{name}"] = value.detach().contiguous()
save_file(results, "clip.safetensors", {"format": "pt"})
