"""The training step of residual-step.ts in Python: one line of JSON for every line read.

usage: residual_stack.py PRECISION CHANNELS_LAST THREADS, e.g. residual_stack.py bfloat16 true 2
"""

import json
import math
import sys
import time

import torch
from torch import nn

CHANNELS = 128
BLOCKS = 8
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.01


def waves(shape, scale):
    count = math.prod(shape)
    values = torch.arange(count, dtype=torch.float64).cos() * scale
    return values.float().reshape(shape)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.GroupNorm(32, CHANNELS)
        self.conv = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        with torch.no_grad():
            self.conv.weight.copy_(waves(self.conv.weight.shape, 1 / math.sqrt(9 * CHANNELS)))
            self.conv.bias.zero_()

    def forward(self, x):
        return x + self.conv(nn.functional.silu(self.norm(x)))


def make_step(precision, channels_last):
    network = nn.Sequential(*[Block() for _ in range(BLOCKS)])
    weights = list(network.parameters())
    x = waves((16, CHANNELS, 32, 32), 1)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = network(x).square().mean()
        loss.backward()
        with torch.no_grad():
            for weight in weights:
                weight.mul_(1 - LEARNING_RATE * WEIGHT_DECAY).add_(weight.grad, alpha=-LEARNING_RATE)
                weight.grad = None
        return loss.item()

    return step


def main():
    precision, channels_last, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    step = make_step(precision, channels_last == "true")
    for _ in sys.stdin:
        started = time.perf_counter()
        loss = step()
        print(json.dumps({"ms": (time.perf_counter() - started) * 1000, "loss": loss}), flush=True)


if __name__ == "__main__":
    main()
