"""Makes vision.safetensors with transformers 4.38.2 on torch 1.13: small vision transformers on formula weights.

`dino` is transformers' ViTModel filled by Meta's names (its DINO file has these weights), `dinov2` is Dinov2Model by
its own names. Both see pictures of another size than their positions were made for.

Run from this folder: python vision.py
"""

import sys

sys.path.insert(0, "..")

import torch
from safetensors.torch import save_file
from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTModel

from formula_weights import fill, formula_input, formula_tensor

torch.set_num_threads(1)
SMALL = dict(
    image_size=16,
    patch_size=4,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=4,
    layer_norm_eps=1e-6,
)
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def meta_tensor(name, shape):
    """The formula's tensor for one name of ViTModel, by Meta's name."""
    for theirs, metas in (
        ("embeddings.cls_token", "cls_token"),
        ("embeddings.position_embeddings", "pos_embed"),
        ("embeddings.patch_embeddings.projection", "patch_embed.proj"),
        ("encoder.layer.", "blocks."),
        ("attention.output.dense", "attn.proj"),
        ("intermediate.dense", "mlp.fc1"),
        ("output.dense", "mlp.fc2"),
        ("layernorm_before", "norm1"),
        ("layernorm_after", "norm2"),
    ):
        name = name.replace(theirs, metas)
    if name.startswith("layernorm."):
        name = name.replace("layernorm.", "norm.")
    for place, role in enumerate(("query", "key", "value")):
        if f"attention.attention.{role}" in name:
            fused = name.replace(f"attention.attention.{role}", "attn.qkv")
            return formula_tensor(fused, (3 * shape[0], *shape[1:])).chunk(3)[place]
    return formula_tensor(name, shape)


def record(results, kind, model, **arguments):
    for sides in ((16, 16), (12, 24)):
        pixels = formula_input("pixels", (2, 3, *sides), 0.9).requires_grad_()
        normalised = (pixels * 0.5 + 0.5 - MEAN) / DEVIATION
        output = model(normalised, output_hidden_states=True, **arguments)
        output.last_hidden_state.square().sum().backward()
        place = f"{kind}.{sides[0]}x{sides[1]}"
        for depth in (0, 2):
            results[f"{place}.depth{depth}"] = output.hidden_states[depth].detach()
        results[f"{place}.tokens"] = output.last_hidden_state.detach()
        results[f"{place}.gradient"] = pixels.grad


results = {}
dino = ViTModel(ViTConfig(intermediate_size=64, **SMALL), add_pooling_layer=False).eval()
dino.load_state_dict({name: meta_tensor(name, value.shape) for name, value in dino.state_dict().items()})
record(results, "dino", dino, interpolate_pos_encoding=True)
record(results, "dinov2", fill(Dinov2Model(Dinov2Config(mlp_ratio=2, **SMALL)).eval()))
save_file(results, "vision.safetensors", {"format": "pt"})

with open("names-dinov2-s14.tsv", "w") as file:
    large = Dinov2Model(Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14))
    for name, value in large.named_parameters():
        file.write(name + "\t" + ",".join(map(str, value.shape)) + "\n")
