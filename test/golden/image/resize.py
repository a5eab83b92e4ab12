"""Makes pillow.json, small.jpg and small-pixels.bin with Pillow 13.0.0 and transformers 5.24.0 (CLIPImageProcessorPil).

`noise` is what test/support/noise-picture.ts computes too. Pictures are compared by the SHA-256 of their bytes.
Run from this folder: python resize.py
"""

import hashlib
import json

import numpy
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from noise import noise


def digest(pixels):
    return hashlib.sha256(numpy.ascontiguousarray(pixels, dtype=numpy.uint8).tobytes()).hexdigest()


RESIZES = [
    ((480, 480), (224, 224)),
    ((1280, 720), (480, 480)),
    ((100, 300), (480, 480)),
    ((37, 53), (224, 318)),
    ((224, 224), (224, 224)),
    ((224, 300), (224, 150)),
    ((300, 224), (150, 224)),
    ((5, 3), (40, 41)),
    ((1, 1), (7, 5)),
    ((640, 360), (3, 2)),
]
results = {"resizes": [], "crops": []}
for (width, height), (to_width, to_height) in RESIZES:
    resized = Image.fromarray(noise(width, height)).resize((to_width, to_height))  # bicubic is the default
    results["resizes"].append(dict(width=width, height=height, toWidth=to_width, toHeight=to_height, sha256=digest(resized)))

for size, sizes in ((224, [(480, 480), (300, 200), (99, 341), (64, 48)]), (8, [(30, 20)])):
    processor = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
    for width, height in sizes:
        picture = Image.fromarray(noise(width, height))
        crop = processor(picture, do_rescale=False, do_normalize=False)["pixel_values"][0]
        entry = dict(width=width, height=height, size=size, sha256=digest(crop.transpose(1, 2, 0)))
        if size == 8:
            values = processor(picture)["pixel_values"][0]
            entry["normalised"] = [round(float(value), 7) for value in values.flatten()]
        results["crops"].append(entry)

# a JPEG with chroma at half resolution, as a video's frames are stored
y, x = numpy.mgrid[0:40, 0:56]
smooth = numpy.stack([x * 4, y * 6, (x - y) * 2 + 100], -1).clip(0, 255).astype(numpy.uint8)
Image.fromarray(smooth).save("small.jpg", quality=85, subsampling="4:2:0")
with open("small-pixels.bin", "wb") as file:
    file.write(numpy.asarray(Image.open("small.jpg").convert("RGB")).tobytes())
with open("pillow.json", "w") as file:
    file.write(json.dumps(results) + "\n")
