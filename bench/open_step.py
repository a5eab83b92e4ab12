"""The evaluation of open-step.ts in diffusers on PyTorch eager: one line of JSON.

usage: open_step.py [--precision float32|bfloat16] [--frames 8] [--size 16] [--threads 2] [--runs 5]

Needs torch, diffusers (0.42.1) and accelerate. See open-step.ts for how to pair the two.
"""

import argparse
import json
import time

import torch
from accelerate import init_empty_weights
from diffusers import ControlNetModel, UNetMotionModel

NOISE = 1_048_583


def noise():
    """Values in [-1, 1) that any language computes alike."""
    places = torch.arange(NOISE, dtype=torch.int64)
    mixed = (places * 2_654_435_761) % 4_294_967_291
    return ((mixed * (mixed % 65_537)) % 65_536).float() / 32_768 - 1


def of_noise(shape, source, offset=0):
    """`shape` of that noise, from place `offset` on."""
    count = torch.Size(shape).numel()
    repeats = (offset + count) // NOISE + 1
    return source.repeat(repeats)[offset : offset + count].reshape(shape)


def fill(name, shape, source):
    """Uniform of variance 1/fan-in for matrices and convolutions, ones for norm weights, zeros for biases."""
    if len(shape) == 1:
        return torch.full(shape, 1.0 if name.endswith("weight") else 0.0)
    count = shape.numel()
    return of_noise(shape, source, len(name) * 7919) * (3 / (count / shape[0])) ** 0.5


def build(make, source, dtype):
    with init_empty_weights(include_buffers=False):
        network = make()
    for path, module in network.named_modules():
        for key, weight in list(module._parameters.items()):
            if weight is not None:
                values = fill(f"{path}.{key}", weight.shape, source).to(dtype)
                module._parameters[key] = torch.nn.Parameter(values, requires_grad=False)
    return network.to(dtype).eval()


def memory(field):
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    for name, value in {"frames": 8, "size": 16, "threads": 2, "runs": 5}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    dtype = getattr(torch, given.precision)
    source = noise()
    width = {"cross_attention_dim": 768}
    unet = build(lambda: UNetMotionModel(**width), source, dtype)
    controlnet = build(lambda: ControlNetModel(attention_head_dim=8, **width), source, dtype)
    frames, size = given.frames, given.size

    def values(*shape):
        return of_noise(shape, source).to(dtype)

    latents = values(frames, 4, size, size)
    text = values(1, 77, 768).expand(frames, -1, -1)
    hint = values(frames, 3, 8 * size, 8 * size) / 2 + 0.5

    @torch.inference_mode()
    def step():
        started, cpu_started = time.perf_counter(), time.process_time()
        down, mid = controlnet(latents, 500, text, hint, return_dict=False)
        drawn = unet(
            latents.transpose(0, 1)[None],
            500,
            text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
        ).sample
        drawn = drawn.float()
        return time.perf_counter() - started, time.process_time() - cpu_started, drawn

    step()
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    loaded = memory("VmRSS")
    runs = [step() for _ in range(given.runs)]
    drawn = runs[0][2]
    print(
        json.dumps(
            {
                "what": f"diffusers, torch {torch.__version__}, {given.precision}",
                "seconds": sorted(round(seconds, 2) for seconds, _, _ in runs),
                "cpuSeconds": sorted(round(seconds, 2) for _, seconds, _ in runs),
                "loadedGB": round(loaded / 1e9, 2),
                "peakGB": round(memory("VmHWM") / 1e9, 2),
                "rms": round(drawn.square().mean().sqrt().item(), 6),
                "first": [round(value, 5) for value in drawn[0, :, 0, 0, 0].tolist()],
            }
        )
    )


if __name__ == "__main__":
    main()
