"""Lists the tensors of the public video adapters, as diffusers 0.42.1 builds them: name<TAB>sizes.

Run from this folder: python names.py
"""

import torch
from diffusers import MotionAdapter, SparseControlNetModel


def write(path, network):
    with open(path, "w") as file:
        for name, value in network.state_dict().items():
            file.write(name + "\t" + ",".join(map(str, value.shape)) + "\n")


with torch.device("meta"):
    networks = {
        "names-motion-v1.tsv": MotionAdapter(motion_max_seq_length=24, use_motion_mid_block=False),
        "names-motion-v2.tsv": MotionAdapter(),
        "names-motion-v3.tsv": MotionAdapter(use_motion_mid_block=False),
        "names-sparsectrl-rgb.tsv": SparseControlNetModel(),
    }
for path, network in networks.items():
    write(path, network)
