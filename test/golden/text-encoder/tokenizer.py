"""Makes ids.json: what the Rust tokenizers (0.15) read texts as with tokenizer/tokenizer.json.

transformers' own CLIPTokenizer, which reads vocab.json and merges.txt, must agree.
Run from this folder: python tokenizer.py
"""

import json
import os
import tempfile

from tokenizers import Tokenizer
from transformers import CLIPTokenizer

TEXTS = [
    "a red cat",
    "  A  RED\tCat!\n ",
    "the cat's 2024 hat isn't blue",
    "I'll turn the fox into a zebra, please...",
    "naïve café École 猫 \U0001f98a",
    "",
    "catcat foxy reds !?!",
    "make the cat blue and the fox red and put the cat in the snow and a hat on the fox",
]

rust = Tokenizer.from_file("tokenizer/tokenizer.json")
with open("tokenizer/tokenizer.json", encoding="utf-8") as file:
    model = json.load(file)["model"]
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump(model["vocab"], file)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(["#version: 0.2", *model["merges"], ""]))
    slow = CLIPTokenizer(os.path.join(folder, "vocab.json"), os.path.join(folder, "merges.txt"), model_max_length=16)

results = []
for text in TEXTS:
    ids = rust.encode(text).ids
    again = slow(text, padding="max_length", truncation=True)["input_ids"]
    if ids != again:
        print("transformers differs on", repr(text), again)
    results.append({"text": text, "ids": ids})
with open("ids.json", "w", encoding="utf-8") as file:
    file.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in results) + "\n]\n")
