"""Makes LoRA files and what networks answer with them, with diffusers 0.42.1, peft 0.21.2, transformers 5.24.0 on torch 2.15.

Run from this folder, after node write-ours.ts: python lora.py

ours.safetensors is written by this project; the other files by PEFT and diffusers, or here under the names that
kohya's scripts and older diffusers write. outputs.safetensors has what diffusers' U-Net and transformers' text encoder
answer with each.
"""

import json
import os
import sys

sys.path.insert(0, "..")

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file

from formula_weights import formula_input, formula_tensor
from lora_networks import ATTENTION, make_text_encoder, make_unet

torch.set_num_threads(1)
latent = formula_input("latent", (1, 4, 8, 8))
text = formula_input("text", (1, 5, 12))
labels = torch.tensor([500])
ids = torch.tensor([[62, 5, 17, 40, 63, 63]])


@torch.no_grad()
def answers(unet, encoder):
    return unet(latent, labels, text).sample, encoder(ids).last_hidden_state


def pipeline():
    return StableDiffusionPipeline(
        vae=None,
        text_encoder=make_text_encoder(),
        tokenizer=None,
        unet=make_unet(),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def answers_with(file):
    """What diffusers makes of a file, as a user loads it."""
    pipe = pipeline()
    pipe.load_lora_weights(".", weight_name=file)
    return answers(pipe.unet.float(), pipe.text_encoder.float())


def fill_adapter(network, which):
    """Half of the formula for every tensor of an adapter, named as PEFT saves it."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "lora_" in name:
                weight.copy_(0.5 * formula_tensor(which + "." + name, weight.shape))


outputs = {}


def record(name, unet_answer, text_answer=None):
    outputs[f"{name}.unet"] = unet_answer.contiguous()
    if text_answer is not None:
        outputs[f"{name}.text"] = text_answer.contiguous()


record("plain", *answers(make_unet(), make_text_encoder()))
record("ours", *answers_with("ours.safetensors"))

# PEFT's own file, with its settings beside it
adapted = get_peft_model(
    make_unet(),
    LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=[*ATTENTION, "ff.net.0.proj", "ff.net.2", "conv_shortcut"],
        rank_pattern={"attn2.to_k": 2, "^mid_block.attentions.0.transformer_blocks.0.ff.net.2": 3},
        alpha_pattern={"to_v": 1},
    ),
)
fill_adapter(adapted, "peft")
adapted.save_pretrained("peft", save_embedding_layers=False)
os.remove("peft/README.md")
with open("peft/adapter_config.json") as file:
    config = json.load(file)
config["target_modules"].sort()
with open("peft/adapter_config.json", "w") as file:
    json.dump(config, file, indent=2, sort_keys=True)
    file.write("\n")
record("peft", answers(adapted.eval(), make_text_encoder())[0])

# diffusers as it is, in bfloat16, rank-stabilised, with a text encoder
def layers_and_settings(network, which, config):
    adapted = get_peft_model(network, config)
    fill_adapter(adapted, which)
    layers = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    settings = adapted.peft_config["default"].to_dict()
    settings["target_modules"] = sorted(settings["target_modules"])
    return {n.removeprefix("base_model.model."): v.bfloat16() for n, v in layers.items()}, settings


unet_layers, unet_settings = layers_and_settings(
    make_unet(),
    "diffusers",
    LoraConfig(r=4, lora_alpha=3, use_rslora=True, target_modules=[*ATTENTION, "conv_out"]),
)
text_layers, text_settings = layers_and_settings(
    make_text_encoder(),
    "diffusers.text",
    LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "out_proj", "fc2"], rank_pattern={"fc2": 3}),
)
StableDiffusionPipeline.save_lora_weights(
    ".",
    unet_lora_layers=unet_layers,
    text_encoder_lora_layers=text_layers,
    unet_lora_adapter_metadata=unet_settings,
    text_encoder_lora_adapter_metadata=text_settings,
    weight_name="diffusers.safetensors",
)
record("diffusers", *answers_with("diffusers.safetensors"))


def save_renamed(name, tensors):
    save_file({n: v.contiguous() for n, v in tensors.items()}, name + ".safetensors", {"format": "pt"})
    record(name, *answers_with(name + ".safetensors"))


def update(name, out, rank, inputs):
    down = 0.5 * formula_tensor("renamed.down." + name, (rank, *inputs))
    up = 0.5 * formula_tensor("renamed.up." + name, (out, rank, *(1 for _ in inputs[1:])))
    return down, up


unet_modules = dict(make_unet().named_modules())
text_modules = dict(make_text_encoder().named_modules())


def renamed(modules, ends, rank, wanted=lambda name: True):
    for name, module in modules.items():
        if name.endswith(ends) and wanted(name):
            weight = module.weight
            yield name, update(name, weight.shape[0], rank, tuple(weight.shape[1:]))


# diffusers before PEFT
tensors = {}
for name, (down, up) in renamed(unet_modules, ("attn1.to_q", "attn2.to_out.0", "ff.net.2"), 2):
    tensors[f"unet.{name}.lora.down.weight"] = down
    tensors[f"unet.{name}.lora.up.weight"] = up
for name, (down, up) in renamed(text_modules, ("q_proj", "out_proj"), 3):
    tensors[f"text_encoder.text_model.{name}.lora_linear_layer.down.weight"] = down
    tensors[f"text_encoder.text_model.{name}.lora_linear_layer.up.weight"] = up
save_renamed("lora-down", tensors)

# diffusers' first form: attention processors
tensors = {}
for name, (down, up) in renamed(unet_modules, ("attn1.to_q", "attn1.to_k", "attn2.to_v", "attn2.to_out.0"), 2):
    block, head = name.removesuffix(".0").rsplit(".", 1)
    tensors[f"unet.{block}.processor.{head}_lora.down.weight"] = down
    tensors[f"unet.{block}.processor.{head}_lora.up.weight"] = up
for name, (down, up) in renamed(text_modules, ("q_proj", "v_proj", "out_proj"), 2):
    block, head = name.rsplit(".", 1)
    head = "to_" + head.removesuffix("_proj")
    tensors[f"text_encoder.text_model.{block}.{head}_lora.down.weight"] = down
    tensors[f"text_encoder.text_model.{block}.{head}_lora.up.weight"] = up
save_renamed("attention-processors", tensors)

# kohya: float16, ranks and alphas that differ or are missing, convolutions of 1 and of 3 places (LoCon)
tensors = {}
KOHYA = (
    (4, ("to_q", "to_v")),
    (2, ("to_out.0", "ff.net.0.proj", "proj_in", "time_emb_proj")),
    (3, ("conv1", "samplers.0.conv")),
)
for rank, ends in KOHYA:
    for name, (down, up) in renamed(unet_modules, ends, rank, lambda n: "up_blocks.1" not in n):
        key = "lora_unet_" + name.replace(".", "_")
        tensors[f"{key}.lora_down.weight"] = down.half()
        tensors[f"{key}.lora_up.weight"] = up.half()
        tensors[f"{key}.alpha"] = torch.tensor(4.0 if name.endswith("proj") else 1.5).half()
for name, (down, up) in renamed(text_modules, ("k_proj", "fc1"), 2):
    key = "lora_te_text_model_" + name.replace(".", "_")
    tensors[f"{key}.lora_down.weight"] = down.half()
    tensors[f"{key}.lora_up.weight"] = up.half()
    if name.endswith("fc1"):
        tensors[f"{key}.alpha"] = torch.tensor(1.0).half()
save_file(tensors, "kohya.safetensors", {"ss_network_dim": "4", "ss_network_alpha": "1.5"})


@torch.no_grad()
def merged(tensors):
    """
    kohya's updates added to the weights by hand: of the text encoder's, this version of diffusers drops k_proj and takes
    the one alpha it finds for the layers that have none.
    """
    unet, encoder = make_unet(), make_text_encoder()
    for name, module in [*unet.named_modules(), *encoder.named_modules()]:
        for key in ("lora_unet_" + name.replace(".", "_"), "lora_te_text_model_" + name.replace(".", "_")):
            if f"{key}.lora_down.weight" in tensors:
                down, up = (tensors[f"{key}.lora_{side}.weight"].float() for side in ("down", "up"))
                alpha = tensors.get(f"{key}.alpha", torch.tensor(len(down)))
                delta = (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape)
                module.weight += alpha.float() / len(down) * delta
    return answers(unet, encoder)


record("kohya", *merged(tensors))
difference = (answers_with("kohya.safetensors")[0] - outputs["kohya.unet"]).abs().max().item()
assert difference < 1e-5, difference

# two at once, each at a strength of its own
pipe = pipeline()
pipe.load_lora_weights(".", weight_name="lora-down.safetensors", adapter_name="one")
pipe.load_lora_weights(".", weight_name="attention-processors.safetensors", adapter_name="other")
pipe.unet.set_adapters(["one", "other"], [0.8, -0.5])
record("two", answers(pipe.unet, pipe.text_encoder)[0])

save_file(outputs, "outputs.safetensors", {"format": "pt"})
for name, value in outputs.items():
    plain = outputs["plain." + name.rsplit(".", 1)[1]]
    print(f"{name:30} largest {value.abs().max():.3f}, from plain {(value - plain).abs().max():.3f}")
