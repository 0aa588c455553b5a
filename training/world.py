"""Draws scenes with exact ground truth: pictograms, plain shapes and printed words on many backgrounds, and photo-like pictures.

Gives pixels and, for each patch of the vision tower's grid, what lies there. Knows nothing of talk or of models.
"""

import math
import random
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
SIDE = 160  # pixels of a training picture
GRID = 10  # patches per side
PATCH = SIDE // GRID

KNOWN_STYLES = ("noto", "twemoji", "fluent")
UNSEEN_STYLE = "openmoji"
COLOURS = {
    "red": (220, 30, 35),
    "green": (30, 160, 60),
    "blue": (35, 85, 215),
    "yellow": (250, 215, 30),
    "orange": (250, 135, 20),
    "purple": (135, 50, 175),
    "pink": (250, 130, 185),
    "brown": (125, 75, 40),
    "black": (20, 20, 20),
    "white": (250, 250, 250),
    "gray": (130, 130, 130),
}
COLOUR_NAMES = tuple(COLOURS)
SHAPES = ("circle", "square", "triangle", "star", "diamond", "pentagon", "heart", "cross")
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PAD_COLOUR = (122, 116, 104)


@dataclass(frozen=True)
class Object:
    """One line of objects.txt."""

    icon: str
    name: str
    plural: str
    synonyms: tuple


def _read_objects():
    objects = []
    for line in (HERE / "objects.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        icons, name, plural, synonyms = (line.split("|") + ["", "", ""])[:4]
        default = name + "s"
        objects.append(Object(icons.split(":")[0], name, plural or default, tuple(s for s in synonyms.split(",") if s)))
    return objects


OBJECTS = _read_objects()
WORDS = list(dict.fromkeys(w.upper() for w in (HERE / "words.txt").read_text().split() if len(w) >= 2))
# Classes of a patch: 0 background, then objects, then shapes, then text.
SHAPE_CLASS = 1 + len(OBJECTS)
TEXT_CLASS = SHAPE_CLASS + len(SHAPES)
CLASSES = TEXT_CLASS + 1


@dataclass
class Thing:
    """Something in a scene. x, y is its center and w, h its size, as fractions of the picture's side."""

    kind: str  # "object" | "shape" | "text"
    name: str
    plural: str
    x: float
    y: float
    w: float
    h: float
    colour: str | None = None
    text: str | None = None  # in capitals
    listed: bool = False


@dataclass
class Scene:
    things: list = field(default_factory=list)
    photo: bool = False
    style: str = "mixed"


class Labels:
    """Dense ground truth on the patch grid."""

    def __init__(self):
        self.cls = np.zeros((GRID, GRID), np.int16)
        self.colour = np.full((GRID, GRID), -1, np.int8)
        self.character = np.zeros((GRID, GRID, 2), np.int8)  # left and right half of the patch: 0 for none, else 1 + index in CHARACTERS
        self.box = np.zeros((GRID, GRID, 4), np.float16)  # offset from the patch to the thing's center, and size, as fractions of the side


def find_fonts():
    """(training fonts, held-out fonts) on this machine with Latin capitals; every seventh is held out."""
    roots = ("/usr/share/fonts/truetype", "/usr/share/fonts/opentype")
    odd = ("Emoji", "CJK", "Math", "Symbol", "Initials", "Keyboard", "Mono-BoldOblique", "Dingbats")
    files = sorted(str(f) for root in roots for e in ("*.ttf", "*.otf") for f in Path(root).rglob(e))
    files = [f for f in files if not any(word in f for word in odd)]
    return [f for i, f in enumerate(files) if i % 7 != 3], [f for i, f in enumerate(files) if i % 7 == 3]


class Artist:
    """Draws scenes of `side` pixels; labels are made only where that is SIDE.

    `split` is "train", or "heldout" for unseen fonts and backgrounds in some pictures. `crowded` puts more and smaller things into a picture
    than talk could be about, because the vision tower learns more per patch from it.
    """

    def __init__(self, seed, sprites, split="train", styles=KNOWN_STYLES, side=SIDE, crowded=False):
        self.crowded = crowded
        self.side = side
        self.unit = side / SIDE
        self.inset = (0, 0)  # pixels left and right, above and below, that a square padding would add
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.split = split
        train_fonts, unseen_fonts = find_fonts()
        self.fonts = train_fonts if split == "train" else train_fonts[::3] + unseen_fonts
        self.sprites = {}
        for index, thing in enumerate(OBJECTS):
            images = []
            for style in styles:
                file = Path(sprites) / f"{style}__{thing.icon}.png"
                if file.exists():
                    image = Image.open(file).convert("RGBA")
                    box = image.getbbox()
                    images.append(image.crop(box) if box else image)
            if images:
                self.sprites[index] = images
        self.font = lru_cache(maxsize=4096)(ImageFont.truetype)

    # --- backgrounds -------------------------------------------------------------------------------------------

    def _any(self):
        return np.array([self.rng.randrange(256) for _ in range(3)], np.float32)

    def _pale(self):
        return np.array([self.rng.randrange(190, 256) for _ in range(3)], np.float32)

    def background(self):
        """A background, uint8 [side, side, 3]: plain, gradient, textured or cluttered; stripes and dots only in the held-out split."""
        r = self.rng
        kind = r.random()
        if self.split == "heldout" and kind < 0.3:
            y, x = np.mgrid[0:self.side, 0:self.side].astype(np.float32)
            a, b = self._pale(), self._pale()
            step = int(r.randrange(6, 24) * self.unit)
            if r.random() < 0.5:
                mask = ((x * r.choice((0, 1)) + y) // step % 2)[..., None]
            else:
                mask = (((x % step - step / 2) ** 2 + (y % step - step / 2) ** 2) < (step / 4) ** 2)[..., None]
            out = a * (1 - mask) + b * mask
        elif kind < 0.35:
            out = np.broadcast_to(self._pale() if r.random() < 0.6 else self._any(), (self.side, self.side, 3)).copy()
        elif kind < 0.6:
            a, b = (self._pale(), self._pale()) if r.random() < 0.5 else (self._any(), self._any())
            angle = r.random() * 2 * math.pi
            y, x = np.mgrid[0:self.side, 0:self.side].astype(np.float32) / self.side - 0.5
            mix = np.clip(x * math.cos(angle) + y * math.sin(angle) + 0.5, 0, 1)[..., None]
            out = a * (1 - mix) + b * mix
        elif kind < 0.8:
            n = r.choice((5, 10, 20, 40))
            cells = self.noise.random((n, n, 3), dtype=np.float32) * r.choice((20, 40, 80)) + self._pale() - 40
            small = Image.fromarray(np.clip(cells, 0, 255).astype(np.uint8))
            return np.asarray(small.resize((self.side, self.side), r.choice((Image.NEAREST, Image.BILINEAR, Image.BICUBIC))))
        else:
            pale = lambda: tuple(int(v) for v in self._pale())
            image = Image.new("RGB", (self.side, self.side), pale())
            draw = ImageDraw.Draw(image)
            for _ in range(r.randrange(6, 25)):
                x, y, q, c = r.randrange(self.side), r.randrange(self.side), int(r.randrange(2, 20) * self.unit), pale()
                k = r.random()
                if k < 0.3:
                    draw.ellipse([x, y, x + q, y + q], fill=c)
                elif k < 0.6:
                    draw.rectangle([x, y, x + q, y + q], fill=c)
                else:
                    draw.line([x, y, r.randrange(self.side), r.randrange(self.side)], fill=c, width=int(r.randrange(1, 4) * self.unit))
            return np.asarray(image)
        return np.clip(out, 0, 255).astype(np.uint8)

    def photo_like(self):
        """A photo-like picture, uint8 [side, side, 3]: noise in octaves, with large soft-edged regions."""
        r = self.rng
        total = np.zeros((self.side, self.side, 3), np.float32)
        strength = 1.0
        for n in (2, 4, 8, 16, 32, 64, 128):
            cells = self.noise.random((n, n, 3 if r.random() < 0.4 else 1), dtype=np.float32)
            cells = np.repeat(cells, 3, 2) if cells.shape[2] == 1 else cells
            layer = Image.fromarray((cells * 255).astype(np.uint8)).resize((self.side, self.side), Image.BICUBIC)
            total += strength * np.asarray(layer, np.float32)
            strength *= r.uniform(0.35, 0.95)
        total = (total - total.mean()) / (total.std() + 1e-3)
        out = total * r.uniform(15, 70) + self._any()
        for _ in range(r.randrange(0, 6)):  # large soft regions
            y, x = np.mgrid[0:self.side, 0:self.side].astype(np.float32) / self.side
            angle, offset = r.random() * 2 * math.pi, r.uniform(-0.4, 0.4)
            edge = (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle) + offset
            edge += total.mean(2) * r.uniform(0, 0.05)
            mask = 1 / (1 + np.exp(np.clip(-edge[..., None] * r.choice((8, 30, 120)), -50, 50)))
            out = out * (1 - mask * 0.7) + mask * 0.7 * (self._any() + total * r.uniform(5, 40))
        return np.clip(out, 0, 255).astype(np.uint8)

    # --- things ------------------------------------------------------------------------------------------------

    def shape(self, name, size, colour):
        """An antialiased plain shape as an RGBA image of `size` pixels."""
        q = size * 3
        mask = Image.new("L", (q, q))
        draw = ImageDraw.Draw(mask)

        def polygon(n, radii=(1.0,)):
            points = []
            for i in range(n):
                a, rad = -math.pi / 2 + 2 * math.pi * i / n, radii[i % len(radii)] * q / 2
                points.append((q / 2 + rad * math.cos(a), q / 2 + rad * math.sin(a)))
            draw.polygon(points, fill=255)

        if name == "circle":
            draw.ellipse([0, 0, q - 1, q - 1], fill=255)
        elif name == "square":
            draw.rectangle([q * 0.06, q * 0.06, q * 0.94, q * 0.94], fill=255)
        elif name == "triangle":
            draw.polygon([(q / 2, 0), (q, q * 0.95), (0, q * 0.95)], fill=255)
        elif name == "star":
            polygon(10, (1.0, 0.42))
        elif name == "diamond":
            draw.polygon([(q / 2, 0), (q * 0.85, q / 2), (q / 2, q), (q * 0.15, q / 2)], fill=255)
        elif name == "pentagon":
            polygon(5)
        elif name == "cross":
            draw.rectangle([q * 0.34, 0, q * 0.66, q], fill=255)
            draw.rectangle([0, q * 0.34, q, q * 0.66], fill=255)
        else:  # heart
            draw.ellipse([0, q * 0.08, q * 0.54, q * 0.6], fill=255)
            draw.ellipse([q * 0.46, q * 0.08, q, q * 0.6], fill=255)
            draw.polygon([(q * 0.04, q * 0.45), (q * 0.96, q * 0.45), (q / 2, q * 0.98)], fill=255)
        image = Image.new("RGBA", (size, size), colour + (255,))
        image.putalpha(mask.resize((size, size), Image.BOX))
        return image

    def _word(self, listed):
        r = self.rng
        if listed:
            return r.choice(WORDS)
        if r.random() < 0.3:
            return str(r.randrange(10, 10000))
        return "".join(r.choice(CHARACTERS[:26]) for _ in range(r.choice((3, 4, 5))))

    def _text_mask(self, shown, height):
        """(mask of the printed text, horizontal extent of each letter in it)."""
        font = self.font(self.rng.choice(self.fonts), height)
        left, top, right, bottom = font.getbbox(shown)
        mask = Image.new("L", (right - left + 2, bottom - top + 2))
        ImageDraw.Draw(mask).text((1 - left, 1 - top), shown, font=font, fill=255)
        spans = [
            (font.getlength(shown[:i]) - left + 1, font.getlength(shown[: i + 1]) - left + 1) for i in range(len(shown))
        ]
        widest = self.side - 2 * self.inset[0] - int(8 * self.unit)
        if mask.width > widest:
            q = widest / mask.width
            mask = mask.resize((widest, max(1, int(mask.height * q))), Image.BICUBIC)
            spans = [(a * q, b * q) for a, b in spans]
        return mask, spans

    # --- scenes ------------------------------------------------------------------------------------------------

    def scene(self):
        """A random scene: (pixels uint8 [side, side, 3], Scene, Labels)."""
        r = self.rng
        labels = Labels()
        if r.random() < 0.06:
            return self.photo_like(), Scene(photo=True), labels
        self.inset = (0, 0)
        if r.random() < 0.3:
            inset = int(r.uniform(0.03, 0.27) * self.side)
            self.inset = r.choice(((inset, 0), (0, inset)))
        image = Image.fromarray(self.background())
        scene = Scene()
        wanted = r.randrange(7, 13) if self.crowded else r.choice((1, 1, 1, 2, 2, 3, 3, 4, 5, 6))
        repeats = r.random() < 0.4 and not self.crowded
        most_texts = 4 if self.crowded else 1
        texts = 0
        last = None
        boxes = []
        for _ in range(wanted):
            largest = max(44, int(150 / math.sqrt(wanted)))
            size = int(self.unit * math.exp(r.uniform(math.log(28), math.log(largest))))
            k = r.random()
            if repeats and last and r.random() < 0.75:
                kind, what = last
            elif k < 0.6:
                kind, what = "object", r.choice(list(self.sprites))
            elif k < (0.72 if self.crowded else 0.8) or texts == most_texts:
                kind, what = "shape", (r.choice(SHAPES), r.choice(COLOUR_NAMES))
            else:
                kind, what = "text", None
            if self._place(image, scene, labels, boxes, kind, what, size):
                texts += kind == "text"
                if kind != "text":
                    last = (kind, what)
        return self._finish(image), scene, labels

    def _place(self, image, scene, labels, boxes, kind, what, size):
        r = self.rng
        colour = text = spans = None
        listed = False
        if kind == "object":
            thing = OBJECTS[what]
            name, plural, cls = thing.name, thing.plural, 1 + what
            sprite = r.choice(self.sprites[what])
            q = size / max(sprite.size)
            sprite = sprite.resize(
                (max(8, int(sprite.width * q)), max(8, int(sprite.height * q))), Image.BICUBIC, reducing_gap=2.0
            )
            if r.random() < 0.2:
                sprite = sprite.rotate(r.uniform(-15, 15), Image.BILINEAR, expand=True)
        elif kind == "shape":
            name, colour = what
            plural, cls = (name + "es" if name == "cross" else name + "s"), SHAPE_CLASS + SHAPES.index(name)
            shade = tuple(int(np.clip(v + r.gauss(0, 7), 0, 255)) for v in COLOURS[colour])
            sprite = self.shape(name, size, shade)
        else:
            name, plural, cls = "word", "words", TEXT_CLASS
            listed = r.random() < 0.75
            text = self._word(listed)
            k = r.random()
            shown = text if k < 0.75 else text.lower() if k < 0.85 else text.capitalize()
            mask, spans = self._text_mask(shown, int(r.randrange(17, 34) * self.unit))
            if mask.height < 9 * self.unit:
                return False
            ink = r.choice(((10, 10, 10), (250, 250, 250), COLOURS[r.choice(COLOUR_NAMES)]))
            sprite = Image.new("RGBA", mask.size, ink + (255,))
            sprite.putalpha(mask)
        w, h = sprite.size
        (left, above), gap = self.inset, 2 * self.unit
        if w > self.side - 2 * left or h > self.side - 2 * above:
            return False
        for _ in range(12):
            x = r.randrange(left, self.side - left - w + 1)
            y = r.randrange(above, self.side - above - h + 1)
            if all(x + w <= a - gap or a + c + gap <= x or y + h <= b - gap or b + d + gap <= y for a, b, c, d in boxes):
                break
        else:
            return False
        under = np.asarray(image.crop((x, y, x + w, y + h)), np.float32).reshape(-1, 3).mean(0)
        if kind == "shape" and np.abs(under - np.array(COLOURS[colour])).sum() < 120:
            return False
        if kind == "text":
            luma = np.array((0.3, 0.6, 0.1))
            if r.random() < 0.5 or abs(float((under - np.array(ink)) @ luma)) < 80:
                bright = float(np.array(ink) @ luma) < 128
                plate = tuple(r.randrange(205, 256) if bright else r.randrange(0, 80) for _ in range(3))
                pad = int(r.randrange(2, 6) * self.unit)
                ImageDraw.Draw(image).rectangle([x - pad, y - pad, x + w + pad, y + h + pad], fill=plate)
        image.paste(sprite, (x, y), sprite)
        boxes.append((x, y, w, h))
        centre = ((x + w / 2) / self.side, (y + h / 2) / self.side, w / self.side, h / self.side)
        scene.things.append(Thing(kind, name, plural, *centre, colour=colour, text=text, listed=listed))
        if self.side == SIDE:
            self._label(labels, sprite, (x, y, w, h), cls, colour, text, spans)
        return True

    def _label(self, labels, sprite, box, cls, colour, text, spans):
        x, y, w, h = box
        if text is not None:
            row = min(GRID - 1, int((y + h / 2) / PATCH))
            covered = np.zeros((GRID, GRID), bool)
            covered[row, int(x / PATCH) : int(min(SIDE - 1, x + w - 1) / PATCH) + 1] = True
            for half in range(2 * GRID):
                at = half * PATCH / 2 + PATCH / 4 - x
                for (a, b), character in zip(spans, text):
                    if a <= at < b and character in CHARACTERS:
                        labels.character[row, half // 2, half % 2] = 1 + CHARACTERS.index(character)
        else:
            alpha = np.zeros((SIDE, SIDE), np.float32)
            alpha[y : y + h, x : x + w] = np.asarray(sprite.getchannel("A"), np.float32) / 255
            share = alpha.reshape(GRID, PATCH, GRID, PATCH).mean((1, 3))
            covered = share > min(0.22, share.max() - 1e-6)
        labels.cls[covered] = cls
        labels.colour[covered] = -1 if colour is None else COLOUR_NAMES.index(colour)
        rows, columns = np.nonzero(covered)
        labels.box[rows, columns] = np.stack(
            [
                (x + w / 2 - (columns + 0.5) * PATCH) / SIDE,
                (y + h / 2 - (rows + 0.5) * PATCH) / SIDE,
                np.full(len(rows), w / SIDE),
                np.full(len(rows), h / SIDE),
            ],
            1,
        )

    def _finish(self, image):
        r = self.rng
        if r.random() < 0.3:
            image = image.filter(ImageFilter.GaussianBlur(r.uniform(0.2, 0.8) * self.unit))
        out = np.asarray(image, np.float32)
        if r.random() < 0.4:
            out = out * r.uniform(0.88, 1.1) + r.uniform(-8, 8)
        if r.random() < 0.25:
            out = out + self.noise.normal(0, r.uniform(1, 6), out.shape)
        out = np.clip(out, 0, 255).astype(np.uint8)
        left, above = self.inset
        if left:
            out[:, :left] = out[:, self.side - left :] = PAD_COLOUR
        if above:
            out[:above] = out[self.side - above :] = PAD_COLOUR
        return out
