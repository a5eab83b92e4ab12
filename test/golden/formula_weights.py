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


def _sines(name, count, chirp=0.0):
    phase = fnv1a(name) / 4294967296 * 2 * math.pi
    places = numpy.arange(count, dtype=numpy.float64)
    return numpy.sin(phase + (0.37 + chirp * places) * places)


def formula_tensor(name, shape, chirp=0.0):
    """s/sqrt(fan-in) for matrices and convolutions, 1 + 0.1 s for norm weights, 0.1 s for the rest.

    Without a chirp every matrix has rank 2, which makes deep networks amplify rounding a hundredfold.
    """
    shape = tuple(shape)
    sines = _sines(name, int(numpy.prod(shape)), chirp)
    is_matrix = len(shape) >= 2
    offset = 1.0 if not is_matrix and name.endswith("weight") else 0.0
    scale = 1 / math.sqrt(numpy.prod(shape[1:])) if is_matrix else 0.1
    return torch.from_numpy((offset + scale * sines).astype(numpy.float32).reshape(shape))


def formula_input(name, shape, amplitude=1.0):
    """Input values of a golden test."""
    values = amplitude * _sines(name, int(numpy.prod(shape)))
    return torch.from_numpy(values.astype(numpy.float32).reshape(tuple(shape)))


def fill(module, chirp=0.0):
    """Overwrites every floating-point entry of a torch module's state dict by its formula."""
    state = {
        name: formula_tensor(name, value.shape, chirp) if value.is_floating_point() else value
        for name, value in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module
