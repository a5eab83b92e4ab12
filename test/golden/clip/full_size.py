"""Makes full-size-l14.safetensors or full-size-h14.safetensors with transformers 5.24.0 on torch 2.15.0.

CLIP at its published size on formula weights: the vectors of one picture and of one text. bench/full-size-clip.ts
compares. Needs 2.5 GB of memory for l14 and 5 GB for h14.

Run from this folder: python full_size.py l14
"""

import sys

sys.path.insert(0, "..")

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

from formula_weights import formula_input, formula_tensor

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(3, 1, 1)


def section(width, layers, heads, hidden, activation, **others):
    return dict(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=hidden,
        hidden_act=activation,
        **others,
    )


SIZES = {
    "l14": CLIPConfig(
        projection_dim=768,
        text_config=section(768, 12, 12, 3072, "quick_gelu"),
        vision_config=section(1024, 24, 16, 4096, "quick_gelu", patch_size=14),
    ),
    "h14": CLIPConfig(
        projection_dim=1024,
        text_config=section(1024, 24, 16, 4096, "gelu"),
        vision_config=section(1280, 32, 16, 5120, "gelu", patch_size=14),
    ),
}

(name,) = sys.argv[1:]
with torch.device("meta"):
    model = CLIPModel(SIZES[name])
model = model.to_empty(device="cpu").eval()
for towers in (model.text_model, model.vision_model):
    ids = towers.embeddings.position_ids
    ids.copy_(torch.arange(ids.shape[1]))
with torch.no_grad():
    for key, weight in model.named_parameters():
        weight.copy_(formula_tensor(key, weight.shape))
    pixels = formula_input("pixels", (1, 3, 224, 224), 0.9)
    text = torch.tensor([[49406, 320, 736, 2368, 530, 518, 2583, 49407, 49407, 49407]])
    seen = model.vision_model(pixel_values=(pixels * 0.5 + 0.5 - MEAN) / DEVIATION).pooler_output
    read = model.text_model(input_ids=text).pooler_output
    results = {"ids": text, "image": model.visual_projection(seen), "text": model.text_projection(read)}
save_file(results, f"full-size-{name}.safetensors", {"format": "pt"})
