"""Makes muon.safetensors with torch 2.15: weights after four steps of torch.optim.Muon, and of AdamW for what is no matrix.

Run from this folder: python muon.py

`exact.` is computed in float64 throughout and rounded: torch's own Newton-Schulz is in bfloat16 always, so its dtype is
replaced. `bfloat16.` is torch as it is, on float32 weights.
"""

import inspect
import sys

sys.path.insert(0, "..")

import torch
import torch.optim._muon as muon
from safetensors.torch import save_file

from formula_weights import formula_tensor

STEPS = 4
CHIRP = 0.01  # full rank: singular values that are rounding alone have no place to go
SHAPES = {
    "square.weight": (48, 48),
    "wide.weight": (32, 96),
    "wider.weight": (32, 96),
    "tall.weight": (96, 40),
    "conv.weight": (40, 8, 3, 3),
    "thin.weight": (16, 64),
    "square.bias": (48,),
}
SMALL = ("thin.weight", "square.bias")


def train(dtype):
    weights = {n: formula_tensor(n, s, CHIRP).to(dtype) for n, s in SHAPES.items()}
    # a convolution is the matrix [out, rest]; the views write to the weights
    matrices = {n: w.flatten(1).requires_grad_() for n, w in weights.items() if n not in SMALL}
    rest = {n: weights[n].requires_grad_() for n in SMALL}
    common = {"lr": 0.02}
    optimizers = [
        torch.optim.Muon(matrices.values(), weight_decay=0.1, adjust_lr_fn="match_rms_adamw", **common),
        torch.optim.AdamW(
            [
                {"params": [rest["thin.weight"]], "weight_decay": 0.1},
                {"params": [rest["square.bias"]], "weight_decay": 0},
            ],
            betas=(0.9, 0.99),
            eps=1e-8,
            **common,
        ),
    ]
    for step in range(STEPS):
        for name, weight in {**matrices, **rest}.items():
            gradient = formula_tensor(f"gradient.{step}.{name}", SHAPES[name], CHIRP)
            weight.grad = gradient.to(dtype).reshape(weight.shape)
        for optimizer in optimizers:
            optimizer.step()
    momenta = {n: optimizers[0].state[w]["momentum_buffer"].reshape(SHAPES[n]) for n, w in matrices.items()}
    return {n: w.detach().float() for n, w in weights.items()}, momenta


stored, _ = train(torch.float32)
results = {f"bfloat16.{n}": w for n, w in stored.items() if n not in SMALL}

source = inspect.getsource(muon._zeropower_via_newtonschulz)
assert source.count("torch.bfloat16") == 1
exec(source.replace("torch.bfloat16", "torch.float64"), muon.__dict__)
exact, momenta = train(torch.float64)
results |= {f"exact.{n}": w for n, w in exact.items()}
results |= {f"momentum.{n}": w.float() for n, w in momenta.items()}
save_file({n: v.contiguous() for n, v in results.items()}, "muon.safetensors", {"format": "pt"})
for name, weight in stored.items():
    moved = exact[name] - formula_tensor(name, SHAPES[name], CHIRP)
    print(f"{name:14} moved {moved.square().mean().sqrt():.4f}, bfloat16 off by {(weight - exact[name]).norm() / moved.norm():.4f}")
