"""Makes public-files.safetensors and names-dino-s16-vit.tsv with transformers 5.24.0 on torch 2.15.0.

Small networks of twelve layers as their public files hold them: a file is written with the formula's tensors under the
file's own names and read back by transformers. Tokens are recorded at the depths that critics read. `positions` are
DINOv2's learned places at other sizes: bicubic, with 0.1 added to the number of squares along each side as Meta's code
does. (transformers of this version leaves the 0.1 out.)

Run from this folder: python public_files.py
"""

import sys
import tempfile

sys.path.insert(0, "..")

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTModel

from formula_weights import formula_input, formula_tensor

torch.set_num_threads(1)
SMALL = dict(
    image_size=28, patch_size=7, hidden_size=24, num_hidden_layers=12, num_attention_heads=3, layer_norm_eps=1e-6
)
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def from_formula(model, **options):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        path = f"{folder}/model.safetensors"
        named = {name: formula_tensor(name, value.shape) for name, value in load_file(path).items()}
        save_file(named, path, {"format": "pt"})
        return type(model).from_pretrained(folder, attn_implementation="eager", **options).eval()


results = {}
vit = ViTModel(ViTConfig(intermediate_size=48, **SMALL), add_pooling_layer=False)
dinov2 = Dinov2Model(Dinov2Config(mlp_ratio=2, **SMALL))
for kind, model in (("dino", from_formula(vit, add_pooling_layer=False)), ("dinov2", from_formula(dinov2))):
    pixels = formula_input("pixels", (1, 3, 28, 28), 0.9).requires_grad_()
    output = model((pixels * 0.5 + 0.5 - MEAN) / DEVIATION, output_hidden_states=True)
    for depth in (0, 3, 6, 9, 12):
        results[f"{kind}.depth{depth}"] = output.hidden_states[depth].detach().contiguous()
    results[f"{kind}.tokens"] = output.last_hidden_state.detach().contiguous()
    output.last_hidden_state.square().sum().backward()
    results[f"{kind}.gradient"] = pixels.grad

SIDE, WIDTH = 37, 4
learned = formula_tensor("pos_embed", (1, SIDE * SIDE + 1, WIDTH))
grid = learned[:, 1:].reshape(1, SIDE, SIDE, WIDTH).permute(0, 3, 1, 2)
for down, right in ((16, 16), (9, 20), (40, 38)):
    scale = ((down + 0.1) / SIDE, (right + 0.1) / SIDE)
    placed = functional.interpolate(grid, scale_factor=scale, mode="bicubic")
    assert placed.shape[2:] == (down, right)
    results[f"positions.{down}x{right}"] = placed.permute(0, 2, 3, 1).reshape(1, -1, WIDTH).contiguous()
    plain = functional.interpolate(grid, size=(down, right), mode="bicubic")
    print(down, right, "without the 0.1:", (plain - placed).abs().max().item(), "of", placed.abs().max().item())
save_file(results, "public-files.safetensors", {"format": "pt"})

with tempfile.TemporaryDirectory() as folder, open("names-dino-s16-vit.tsv", "w") as file:
    large = ViTConfig(hidden_size=384, num_attention_heads=6, intermediate_size=1536)
    ViTModel(large, add_pooling_layer=False).save_pretrained(folder)
    for name, value in sorted(load_file(f"{folder}/model.safetensors").items()):
        file.write(name + "\t" + ",".join(map(str, value.shape)) + "\n")
