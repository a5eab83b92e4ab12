"""Makes every-dtype.safetensors with the safetensors package, and checks ours.safetensors where it is there.

Run from this folder: python every_dtype.py
"""

import os

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

DTYPES = {
    "bool": torch.bool,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}
tensors = {name: torch.arange(6).reshape(2, 3).to(dtype) for name, dtype in DTYPES.items()}
tensors["scalar"] = torch.tensor(1.5)
tensors["empty"] = torch.zeros(0, 3)

save_file(tensors, "every-dtype.safetensors", {"format": "pt", "note": "häuser"})

if os.path.exists("ours.safetensors"):
    ours = load_file("ours.safetensors")
    assert ours.keys() == tensors.keys(), ours.keys() ^ tensors.keys()
    for name, tensor in tensors.items():
        assert ours[name].dtype == tensor.dtype and ours[name].shape == tensor.shape, name
        assert torch.equal(ours[name], tensor), name
    with safe_open("ours.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "note": "häuser"}, file.metadata()
    print("ours.safetensors is read the same by Python")
