"""Makes opencv.json with opencv-python-headless 5.0.0 (4.8.1 gives the same): pictures resized by INTER_LINEAR.

Run from this folder: python opencv.py
"""

import hashlib
import json

import cv2

from noise import noise

SIZES = [
    ((480, 480), (224, 224)),
    ((1280, 720), (224, 224)),
    ((448, 448), (224, 224)),
    ((100, 300), (224, 224)),
    ((53, 37), (224, 224)),
    ((224, 224), (224, 224)),
    ((9, 7), (40, 41)),
    ((2, 2), (30, 20)),
    ((1, 5), (8, 8)),
    ((640, 360), (3, 2)),
]
results = []
for (width, height), (to_width, to_height) in SIZES:
    resized = cv2.resize(noise(width, height), (to_width, to_height))
    sha256 = hashlib.sha256(resized.tobytes()).hexdigest()
    results.append(dict(width=width, height=height, toWidth=to_width, toHeight=to_height, sha256=sha256))
with open("opencv.json", "w") as file:
    file.write(json.dumps(results) + "\n")
