"""Lists the tensors of the public networks, as diffusers 0.27.2 builds them: name<TAB>sizes.

Run from this folder: python names.py
"""

from diffusers import ControlNetModel, UNet2DConditionModel

SD15 = {"cross_attention_dim": 768, "attention_head_dim": 8}


def write(path, network):
    with open(path, "w") as file:
        for name, value in network.state_dict().items():
            file.write(name + "\t" + ",".join(map(str, value.shape)) + "\n")


write("names-sd15.tsv", UNet2DConditionModel(**SD15))
write("names-ip2p.tsv", UNet2DConditionModel(in_channels=8, **SD15))
write("names-controlnet-sd15.tsv", ControlNetModel(**SD15))
