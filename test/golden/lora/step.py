"""Makes step.safetensors with peft 0.21.2 and diffusers 0.42.1 on torch 2.15: one training step of a LoRA on a U-Net.

Run from this folder: python step.py

Computed in float64 and rounded: with formula weights torch's own float32 gradients are up to 7e-5 off (half of them 1e-5).
"""

import re
import sys

sys.path.insert(0, "..")

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from formula_weights import formula_input, formula_tensor
from lora_networks import ATTENTION, make_unet

torch.set_num_threads(1)
unet = get_peft_model(
    make_unet(),
    LoraConfig(
        r=4,
        lora_alpha=4,
        target_modules=[*ATTENTION, "ff.net.0.proj", "ff.net.2"],
        rank_pattern={"attn2.to_k": 1, "attn2.to_v": 2, "ff.net.0.proj": 8},
        alpha_pattern={"attn1.to_q": 8, "ff.net.2": 1},
    ),
).double()
adapter = {
    re.sub(r"^base_model\.model\.|\.default|\.weight", "", name): weight
    for name, weight in unet.named_parameters()
    if "lora_" in name
}
with torch.no_grad():
    for name, weight in adapter.items():
        weight.copy_((1 if name.endswith("lora_A") else 0.1) * formula_tensor(name, weight.shape))

latent = formula_input("latent", (2, 4, 8, 8), 3).double()
text = formula_input("text", (2, 5, 12)).double()
noise = formula_input("noise", (2, 4, 8, 8)).double()
predicted = unet(latent, torch.tensor([999, 17]), text).sample
loss = torch.nn.functional.mse_loss(predicted, noise)
loss.backward()
results = {"loss": loss.detach(), **{f"gradient.{n}": w.grad.clone() for n, w in adapter.items()}}
torch.optim.AdamW(adapter.values(), lr=1e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01).step()
results |= {f"after.{n}": w.detach() for n, w in adapter.items()}
save_file({n: v.float() for n, v in results.items()}, "step.safetensors", {"format": "pt"})
