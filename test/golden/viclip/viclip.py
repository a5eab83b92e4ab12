"""Makes viclip.safetensors with torch 2.15.0: a small ViCLIP on formula weights.

ViCLIP is in no package. This is its arithmetic written anew from what is known of it, in torch's own multi-head
attention and three-dimensional convolution: squares of every frame with their place in picture and time, one class
token, joint attention over all of it. Tokens stand place by place here and frame by frame in our network: attention
does not mind.

Run from this folder: python viclip.py
"""

import sys

sys.path.insert(0, "..")

import torch
from safetensors.torch import save_file
from torch.nn import functional

from formula_weights import formula_input, formula_tensor

torch.set_num_threads(1)
FRAMES, SIDE, PATCH, WIDTH, HEADS, LAYERS = 4, 12, 4, 32, 4, 3
TEXT_WIDTH, TEXT_HEADS, TEXT_LAYERS, WORDS, LENGTH = 24, 3, 2, 64, 8
PROJECTION = 20
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
END = WORDS - 1


def weight(name, *shape):
    return formula_tensor(name, shape)


def normalised(x, name, width):
    return functional.layer_norm(x, (width,), weight(f"{name}.weight", width), weight(f"{name}.bias", width), 1e-5)


def attention(x, name, width, heads, mask):
    sequence_first = x.transpose(0, 1)
    read, _ = functional.multi_head_attention_forward(
        sequence_first,
        sequence_first,
        sequence_first,
        width,
        heads,
        weight(f"{name}.in_proj_weight", 3 * width, width),
        weight(f"{name}.in_proj_bias", 3 * width),
        None,
        None,
        False,
        0.0,
        weight(f"{name}.out_proj.weight", width, width),
        weight(f"{name}.out_proj.bias", width),
        training=False,
        need_weights=False,
        attn_mask=mask,
    )
    return read.transpose(0, 1)


def block(x, name, width, heads, mask=None):
    x = x + attention(normalised(x, f"{name}.ln_1", width), f"{name}.attn", width, heads, mask)
    hidden = functional.linear(
        normalised(x, f"{name}.ln_2", width),
        weight(f"{name}.mlp.c_fc.weight", 4 * width, width),
        weight(f"{name}.mlp.c_fc.bias", 4 * width),
    )
    hidden = hidden * torch.sigmoid(1.702 * hidden)
    return x + functional.linear(
        hidden, weight(f"{name}.mlp.c_proj.weight", width, 4 * width), weight(f"{name}.mlp.c_proj.bias", width)
    )


def embedded(pixels):
    """The class token (batch, 1, width) and the squares (batch, frame, place, width)."""
    name = "vision_encoder"
    units = (pixels * 0.5 + 0.5 - MEAN) / DEVIATION
    squares = functional.conv3d(
        units.transpose(1, 2), weight(f"{name}.conv1.weight", WIDTH, 3, 1, PATCH, PATCH), stride=(1, PATCH, PATCH)
    )
    squares = squares.flatten(3).permute(0, 2, 3, 1)
    places = weight(f"{name}.positional_embedding", (SIDE // PATCH) ** 2 + 1, WIDTH)
    times = weight(f"{name}.temporal_positional_embedding", 1, FRAMES, WIDTH)
    token = weight(f"{name}.class_embedding", WIDTH) + places[0]
    return token.expand(len(pixels), 1, WIDTH), squares + places[1:] + times[:, :, None]


def video(pixels, results):
    token, squares = embedded(pixels)
    results["video.embedded"] = torch.cat([token, squares.flatten(1, 2)], 1)
    x = torch.cat([token, squares.transpose(1, 2).flatten(1, 2)], 1)
    x = normalised(x, "vision_encoder.ln_pre", WIDTH)
    for layer in range(LAYERS):
        x = block(x, f"vision_encoder.transformer.resblocks.{layer}", WIDTH, HEADS)
    read = normalised(x[:, 0], "vision_encoder.ln_post", WIDTH)
    return read @ weight("vision_encoder.proj", WIDTH, PROJECTION)


def text(ids):
    name = "text_encoder"
    x = weight(f"{name}.token_embedding.weight", WORDS, TEXT_WIDTH)[ids]
    x = x + weight(f"{name}.positional_embedding", LENGTH, TEXT_WIDTH)
    mask = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)
    for layer in range(TEXT_LAYERS):
        x = block(x, f"{name}.transformer.resblocks.{layer}", TEXT_WIDTH, TEXT_HEADS, mask)
    x = normalised(x, f"{name}.ln_final", TEXT_WIDTH)
    ends = torch.tensor([row.tolist().index(END) for row in ids])
    return x[torch.arange(len(ids)), ends] @ weight(f"{name}.text_projection", TEXT_WIDTH, PROJECTION)


results = {"ids": torch.tensor([[62, 5, 17, 40, END, 0, 0, 0], [62, 9, 8, 7, 6, 5, 4, END]])}
pixels = formula_input("frames", (2, FRAMES, 3, SIDE, SIDE), 0.9).requires_grad_()
results["video"] = video(pixels, results)
results["video"].square().sum().backward()
results["gradient"] = pixels.grad
results["text"] = text(results["ids"])
tokens = formula_input("tokens", (2, 5, WIDTH))
results["block"] = block(tokens, "vision_encoder.transformer.resblocks.1", WIDTH, HEADS)
save_file({name: value.detach().contiguous() for name, value in results.items()}, "viclip.safetensors", {"format": "pt"})
