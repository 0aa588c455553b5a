"""Writes fixtures/image.golden.json, the SHA-256 of a few pictures as Pillow prepares them for LLaVA, and fixtures/processor.golden.json, samples
of what Hugging Face's processors make of pictures of many shapes. The pictures are drawn by a formula.

Pixel x,y has channel c = (x * x * 3 + y * 7 + x * y + c * 85) mod 256. `python make_image_golden.py` writes both.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

SIZE = 48
FILL = tuple(int(value * 255) for value in (0.48145466, 0.4578275, 0.40821073))
SIZES = [(48, 48), (37, 23), (200, 120), (120, 200), (1, 9), (97, 31), (60, 200), (640, 480)]
# Name, side, mode, mean, std of the image processors that LLaVA models name.
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
PROCESSORS = [("clip-336", 336, "crop", *CLIP), ("clip-224", 224, "crop", *CLIP), ("siglip-384", 384, "resize", [0.5] * 3, [0.5] * 3)]
PROCESSOR_SIZES = [(1, 1), (2, 1), (1, 3), (13, 7), (335, 337), (384, 384), (640, 480), (501, 333), (1000, 300), (10000, 10), (10, 10000), (3, 700)]


def draw(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((x * x * 3 + y * 7 + x * y + c * 85) % 256).astype(np.uint8))


def processed(name, size, mode, mean, std, width, height):
    """Every 4999th value of what Hugging Face's processor on Pillow makes, planar and normalised."""
    common = {"image_mean": mean, "image_std": std}
    if mode == "crop":
        processor = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size}, **common)
    else:
        processor = SiglipImageProcessorPil(size={"height": size, "width": size}, **common)
    values = np.array(processor([draw(width, height)])["pixel_values"][0], dtype=np.float64).reshape(-1)
    return {
        "name": name, "size": size, "mode": mode, "mean": mean, "std": std, "width": width, "height": height,
        "average": round(float(values.mean()), 6), "every": [round(float(value), 5) for value in values[::4999]],
    }  # fmt: skip


def pad(picture):
    side = max(picture.size)
    square = Image.new("RGB", (side, side), FILL)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square.resize((SIZE, SIZE), Image.BICUBIC)


def crop(picture):
    short = min(picture.size)
    width, height = (SIZE if side == short else int(SIZE * side / short) for side in picture.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    return picture.resize((width, height), Image.BICUBIC).crop((left, top, left + SIZE, top + SIZE))


def stretch(picture):
    return picture.resize((SIZE, SIZE), Image.BICUBIC)


rows = [
    {"width": w, "height": h, "mode": mode, "sha256": hashlib.sha256(make(draw(w, h)).tobytes()).hexdigest()}
    for w, h in SIZES
    for mode, make in (("pad", pad), ("crop", crop), ("resize", stretch))
]
(Path(__file__).parent / "fixtures" / "image.golden.json").write_text(json.dumps(rows, indent=2) + "\n")
rows = [processed(*processor, w, h) for processor in PROCESSORS for w, h in PROCESSOR_SIZES]
(Path(__file__).parent / "fixtures" / "processor.golden.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n")
