"""Pictures of noise that two languages can compute: the twin of test/support/noise-picture.ts."""

import numpy


def noise(width, height):
    """Packed RGB of `width` x `height`: byte i is a hash of i, 32 bits throughout."""
    value = numpy.arange(height * width * 3, dtype=numpy.uint32) + numpy.uint32(1)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        value = (value ^ (value >> numpy.uint32(shift))) * numpy.uint32(factor)
    return (value >> numpy.uint32(24)).astype(numpy.uint8).reshape(height, width, 3)
