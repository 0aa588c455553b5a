"""Writes fixtures/image.golden.json: SHA-256 of what Pillow makes of a few pictures drawn by formula, the way LLaVA prepares them.

Pixel x,y has channel c = (x * x * 3 + y * 7 + x * y + c * 85) mod 256. `python make_image_golden.py` writes fixtures/image.golden.json.
"""

import hashlib
import json
from pathlib import Path

from PIL import Image

SIZE = 48
FILL = tuple(int(value * 255) for value in (0.48145466, 0.4578275, 0.40821073))
SIZES = [(48, 48), (37, 23), (200, 120), (120, 200), (1, 9), (97, 31), (60, 200), (640, 480)]


def draw(width, height):
    picture = Image.new("RGB", (width, height))
    picture.putdata(
        [tuple((x * x * 3 + y * 7 + x * y + c * 85) % 256 for c in range(3)) for y in range(height) for x in range(width)]
    )
    return picture


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
