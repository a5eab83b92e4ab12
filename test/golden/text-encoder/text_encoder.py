"""Makes text-encoder.safetensors with transformers 4.38.2 on torch 1.13: small CLIPTextModels on formula weights.

Run from this folder: python text_encoder.py
"""

import sys

sys.path.insert(0, "..")

import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from formula_weights import fill

torch.set_num_threads(1)
END = 63
ids = torch.tensor([[62, 5, 17, 17, 40, 2, END, END, END, END], [62, 9, 8, 7, 6, 5, 4, 3, 2, END]])
results = {"ids": ids}
for activation in ("quick_gelu", "gelu"):
    config = CLIPTextConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=16,
        hidden_act=activation,
        eos_token_id=END,
        bos_token_id=62,
        pad_token_id=END,
    )
    model = fill(CLIPTextModel(config).eval())
    output = model(ids)
    output.last_hidden_state.square().sum().backward()
    results[f"{activation}.hidden"] = output.last_hidden_state.detach()
    results[f"{activation}.pooled"] = output.pooler_output.detach()
    weight = model.text_model.encoder.layers[0].self_attn.q_proj.weight
    results[f"{activation}.gradient"] = weight.grad
save_file(results, "text-encoder.safetensors", {"format": "pt"})

with open("names-sd15.tsv", "w") as file:
    large = CLIPTextModel(CLIPTextConfig(num_hidden_layers=12, hidden_size=768, intermediate_size=3072, num_attention_heads=12))
    for name, value in large.named_parameters():
        file.write(name + "\t" + ",".join(map(str, value.shape)) + "\n")
