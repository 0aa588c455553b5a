"""Composes the drawn example pictures of the page, in known styles: `python examples.py` (sprites-256 in the cache; see rasterise.mjs)."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from data import read_config
from world import Artist

HERE = Path(__file__).parent
OUT = HERE.parent / "public" / "examples"
WIDTH = 640


def gradient(top, bottom, height):
    mix = np.linspace(0, 1, height)[:, None, None]
    rows = np.array(top) * (1 - mix) + np.array(bottom) * mix
    return Image.fromarray(np.broadcast_to(rows, (height, WIDTH, 3)).astype(np.uint8).copy())


def put(image, sprite, centre, side):
    """Pastes the sprite around a center, its longer side `side` pixels long."""
    sprite = sprite.crop(sprite.getbbox())
    q = side / max(sprite.size)
    sprite = sprite.resize((int(sprite.width * q), int(sprite.height * q)), Image.LANCZOS)
    at = (int(centre[0] - sprite.width / 2), int(centre[1] - sprite.height / 2))
    image.paste(sprite, at, sprite)


def main():
    cache = read_config(HERE / "pocket.json")["cache"]
    icon = lambda style, name: Image.open(cache / "sprites-256" / f"{style}__{name}.png").convert("RGBA")
    OUT.mkdir(parents=True, exist_ok=True)

    garden = gradient((222, 240, 252), (226, 244, 214), 640)
    for x in (110, 320, 530):
        put(garden, icon("noto", "cat-face"), (x, 170), 155)
    put(garden, icon("noto", "dog-face"), (320, 460), 210)
    garden.save(OUT / "pets.png", optimize=True)

    sign = gradient((255, 246, 228), (250, 232, 214), 520)
    draw = ImageDraw.Draw(sign)
    draw.rounded_rectangle([130, 40, 510, 190], 18, fill=(28, 52, 92))
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", 96)
    left, top, right, bottom = font.getbbox("HELLO")
    draw.text((320 - (left + right) / 2, 115 - (top + bottom) / 2), "HELLO", font=font, fill=(250, 250, 250))
    shapes = Artist(1, cache / "sprites", side=WIDTH)
    put(sign, shapes.shape("star", 190, (250, 200, 25)), (340, 370), 190)
    put(sign, icon("twemoji", "cupcake"), (530, 370), 180)
    put(sign, shapes.shape("circle", 150, (35, 85, 215)), (120, 370), 150)
    sign.filter(ImageFilter.SMOOTH).save(OUT / "sign.png", optimize=True)


if __name__ == "__main__":
    main()
