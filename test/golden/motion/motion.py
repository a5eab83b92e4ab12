"""Makes motion.safetensors with diffusers 0.42.1 on torch 2.15: motion modules, alone, in a U-Net and in a SparseCtrl
encoder, on formula weights. `frame` cases normalise per frame (per_frame.py), `clip` cases are diffusers as it is.

Run from this folder: python motion.py
"""

import sys

sys.path.insert(0, "..")

import torch
from diffusers import SparseControlNetModel, UNetMotionModel
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from safetensors.torch import save_file

from formula_weights import fill, formula_input
from per_frame import normalise_per_frame

CHIRP = 0.1
STATISTICS = ("frame", "clip")
CLIPS = {"2x3x4x6": (2, 3, 4, 6), "1x5x8x4": (1, 5, 8, 4)}
ENCODER = {
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlockMotion", "DownBlockMotion"),
    "cross_attention_dim": 12,
    "num_attention_heads": 4,
    "norm_num_groups": 8,
    "motion_max_seq_length": 8,
    "motion_num_attention_heads": (2, 4),
}
saved = {}


def fill_weights(network):
    """Formula weights everywhere but in the tables of positions, which stay sinusoids."""
    tables = {
        name: value.clone()
        for name, value in network.state_dict().items()
        if name.endswith("pos_embed.pe")
    }
    fill(network, CHIRP).load_state_dict(tables, strict=False)
    return network.eval()


def keep(name, values):
    saved[name] = values.detach().contiguous()


def watch(network, prefix):
    """Keeps what every block puts out."""
    blocks = {name: block for name, block in network.named_modules() if name in watched(network)}
    for name, block in blocks.items():

        def after(_, __, output, name=name):
            keep(f"{prefix}.{name}", output[0] if isinstance(output, tuple) else output)

        block.register_forward_hook(after)


def watched(network):
    lists = ("down_blocks", "up_blocks")
    levels = {f"{part}.{i}" for part in lists for i in range(len(getattr(network, part, ())))}
    return levels | {"mid_block"}


def inputs(b, f, h, w):
    latents = formula_input("latents", (b, f, 4, h, w)).transpose(1, 2)
    text = formula_input("text", (b, 5, 12)).repeat_interleave(f, 0)
    return latents, torch.tensor([500, 17][:b]), text


def modules():
    shape = {"num_attention_heads": 4, "attention_head_dim": 4, "in_channels": 16}
    positions = {"positional_embeddings": "sinusoidal", "num_positional_embeddings": 8}
    for attentions in (1, 2):
        for statistics in STATISTICS:
            module = AnimateDiffTransformer3D(
                norm_num_groups=8, double_self_attention=attentions == 2, **shape, **positions
            )
            fill_weights(module)
            if statistics == "frame":
                normalise_per_frame(module)
            for name, (b, f, h, w) in {**CLIPS, "3x1x2x2": (3, 1, 2, 2), "1x8x3x1": (1, 8, 3, 1)}.items():
                states = formula_input("states", (b * f, 16, h, w))
                keep(f"module.{attentions}.{statistics}.{name}", module(states, num_frames=f))
    table = formula_input("table", (1, 8, 16))
    module.load_state_dict({"transformer_blocks.0.pos_embed.pe": table}, strict=False)
    b, f, h, w = CLIPS["2x3x4x6"]
    keep("module.table", module(formula_input("states", (b * f, 16, h, w)), num_frames=f))


def networks():
    for statistics in STATISTICS:
        for version, (clip, (b, f, h, w)) in zip((1, 2), CLIPS.items()):
            network = UNetMotionModel(
                up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
                use_motion_mid_block=version == 2,
                **ENCODER,
            )
            fill_weights(network)
            if statistics == "frame":
                normalise_per_frame(network)
            prefix = f"unet.v{version}.{statistics}.{clip}"
            watch(network, prefix)
            output = network(*inputs(b, f, h, w)).sample
            keep(prefix, output.transpose(1, 2).flatten(0, 1))


def encoders():
    for statistics in STATISTICS:
        for clip, (b, f, h, w) in CLIPS.items():
            network = fill_weights(SparseControlNetModel(conditioning_channels=4, **ENCODER))
            if statistics == "frame":
                normalise_per_frame(network)
            condition = torch.zeros(b, 4, f, h, w)
            mask = torch.zeros(b, 1, f, h, w)
            known = [0, f - 1]
            shown = formula_input("condition", (b, len(known), 4, h, w)).transpose(1, 2)
            condition[:, :, known] = shown
            mask[:, :, known] = 1
            down, mid = network(
                *inputs(b, f, h, w), condition, conditioning_mask=mask, return_dict=False
            )
            for i, state in enumerate(down):
                keep(f"sparse.{statistics}.{clip}.down.{i}", state)
            keep(f"sparse.{statistics}.{clip}.mid", mid)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        modules()
        networks()
        encoders()
    save_file(saved, "motion.safetensors", {"format": "pt"})
