"""Weights that two languages can compute: the twin of test/support/formula-weights.ts."""

import math

import numpy
import torch


def fnv1a(text):
    """FNV-1a, 32 bits, over the UTF-8 bytes of `text`."""
    value = 0x811C9DC5
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def _sines(name, count):
    phase = fnv1a(name) / 4294967296 * 2 * math.pi
    return numpy.sin(phase + 0.37 * numpy.arange(count, dtype=numpy.float64))


def formula_tensor(name, shape):
    """s/sqrt(fan-in) for matrices and convolutions, 1 + 0.1 s for norm weights, 0.1 s for the rest."""
    shape = tuple(shape)
    sines = _sines(name, int(numpy.prod(shape)))
    is_matrix = len(shape) >= 2
    offset = 1.0 if not is_matrix and name.endswith("weight") else 0.0
    scale = 1 / math.sqrt(numpy.prod(shape[1:])) if is_matrix else 0.1
    return torch.from_numpy((offset + scale * sines).astype(numpy.float32).reshape(shape))


def formula_input(name, shape, amplitude=1.0):
    """Input values of a golden test."""
    values = amplitude * _sines(name, int(numpy.prod(shape)))
    return torch.from_numpy(values.astype(numpy.float32).reshape(tuple(shape)))


def fill(module):
    """Overwrites every floating-point entry of a torch module's state dict by its formula."""
    state = {
        name: formula_tensor(name, value.shape) if value.is_floating_point() else value
        for name, value in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module
