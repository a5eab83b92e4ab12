"""The stack of open-gpu.ts in diffusers on PyTorch eager: AnimateDiffControlNetPipeline, one line of JSON a phase.

usage: open_gpu.py [--device cuda] [--frames 8] [--size 512] [--steps 20] [--peak 989] [--tuned] [--narrow] [--wait]

Needs torch, diffusers (0.42.1) and accelerate. `--wait` loads nothing onto the device before a line comes in on stdin.
Options and results mean what they do in open-gpu.ts; `teraflops` are counted by PyTorch's own counter.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from diffusers import (
    AnimateDiffControlNetPipeline,
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    UNetMotionModel,
)
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from open_step import build, noise, of_noise

DTYPE = torch.bfloat16
NARROW = {"block_out_channels": (32, 64, 64, 64)}


def pipeline(source, narrow):
    """Stable Diffusion 1.5, a ControlNet and AnimateDiff's third motion adapter; texts are given as features."""
    width = NARROW if narrow else {}
    scales = width or {"block_out_channels": (128, 256, 512, 512)}
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    text = {"cross_attention_dim": 768}
    unet = build(lambda: UNetMotionModel(use_motion_mid_block=False, **text, **width), source, DTYPE)
    controlnet = build(lambda: ControlNetModel(attention_head_dim=8, **text, **width), source, DTYPE)
    vae = build(lambda: AutoencoderKL(latent_channels=4, layers_per_block=2, **blocks, **scales), source, DTYPE)
    made = AnimateDiffControlNetPipeline(
        vae=vae,
        text_encoder=None,
        tokenizer=None,
        unet=unet,
        motion_adapter=None,
        controlnet=controlnet,
        scheduler=DDIMScheduler(beta_schedule="linear", beta_start=0.00085, beta_end=0.012, clip_sample=False),
    )
    made.set_progress_bar_config(disable=True)
    return made.to(source.device)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--peak", type=float, default=989)
    for name, value in {"frames": 8, "size": 512, "steps": 20}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    for name in ("tuned", "narrow", "wait"):
        parser.add_argument(f"--{name}", action="store_true")
    given = parser.parse_args()
    if given.wait:
        sys.stdin.readline()
    started = time.perf_counter()
    device = torch.device(given.device)
    on_gpu = device.type == "cuda"
    torch.backends.cudnn.benchmark = given.tuned
    source = noise().to(device)
    pipe = pipeline(source, given.narrow)
    frames, size, steps = given.frames, given.size, given.steps

    def features(offset):
        return of_noise((1, 77, 768), source, offset).to(DTYPE)

    pixels = ((of_noise((frames, size, size, 3), source) / 2 + 0.5) * 255).byte().cpu().numpy()
    inputs = {
        "prompt_embeds": features(0),
        "negative_prompt_embeds": features(5),
        "conditioning_frames": [Image.fromarray(picture) for picture in pixels],
        "num_frames": frames,
        "height": size,
        "width": size,
        "guidance_scale": 7.5,
        "latents": of_noise((1, 4, frames, size // 8, size // 8), source, 11).to(DTYPE),
    }

    def settle():
        if on_gpu:
            torch.cuda.synchronize()

    def memory():
        if not on_gpu:
            return {"peakGB": None, "reservedGB": None}
        peaks = {"peakGB": torch.cuda.max_memory_allocated(), "reservedGB": torch.cuda.max_memory_reserved()}
        return {name: round(value / 1e9, 2) for name, value in peaks.items()}

    def report(phase, **facts):
        what = f"diffusers, torch {torch.__version__}, {device}, {frames} frames of {size}×{size}"
        print(json.dumps({"what": what, "phase": phase, **facts}, ensure_ascii=False), flush=True)

    def edit(count, **options):
        """One call of the pipeline: when each step was done, memory then, and what came of it."""
        times, peaks = [], {}

        def done(_, step, __, ___):
            settle()
            times.append(time.perf_counter())
            peaks.update(memory())
            return {}

        drawn = pipe(**inputs, num_inference_steps=count, callback_on_step_end=done, **options).frames
        settle()
        return times, peaks, drawn

    settle()
    report("loaded", seconds=round(time.perf_counter() - started, 2), tuned=given.tuned, **memory())
    counter = FlopCounterMode(display=False)
    with counter:
        edit(1, output_type="latent")
    flops = counter.get_total_flops()
    edit(1, output_type="pt")
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    begun = time.perf_counter()
    times, peaks, drawn = edit(steps, output_type="pt")
    ended = time.perf_counter()
    # The first step's time has the pictures' way to the device in it
    per_step = statistics.median([after - before for before, after in zip(times, times[1:])])
    rate = {
        "teraflops": round(flops / 1e12, 6),
        "teraflopsPerSecond": round(flops / per_step / 1e12, 6),
        "share": round(flops / per_step / (given.peak * 1e12), 4) if on_gpu else None,
    }
    facts = {"guidance": 7.5, "steps": steps, "secondsPerStep": round(per_step, 5), "denoising": round(times[-1] - begun, 4)}
    report("stack, denoising", **facts, **rate, **peaks)
    rms = round(drawn[0].float().square().mean().sqrt().item(), 4)
    report("stack", **facts, decoding=round(ended - times[-1], 4), seconds=round(ended - begun, 4), rms=rms, **memory())


if __name__ == "__main__":
    main()
