"""The photographs to train on, as records: where the file is, what is known of it, and which part of the data it belongs to.

Reads a folder laid out as `flickr8k.jsonl`, `objects.jsonl`, `coco.jsonl` with the pictures in folders of those names; knows no pixels.
"""

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from instruct.lexicon import class_of_synset, things, words_of

OBJECTS_HELD_OUT, COCO_HELD_OUT = 100, 20


@dataclass
class Photograph:
    """One photograph. `label` is its ImageNet class or None; `boxes` are (name, x, y, w, h) in shares of the picture, by people."""

    file: Path
    source: str  # "flickr" | "objects" | "coco"
    held_out: bool
    captions: list = field(default_factory=list)
    label: int | None = None
    boxes: list = field(default_factory=list)

    @cached_property
    def words(self):
        """One list of words per caption."""
        return [words_of(caption) for caption in self.captions]

    @cached_property
    def named(self):
        """Thing name → how many captions (or boxes) say that it is there."""
        votes = Counter()
        for words in self.words:
            for thing in things().values():
                votes[thing.name] += any(w in thing.words for w in words)
        for name, *_ in self.boxes:
            votes[BOX_NAMES.get(name, name)] += 2
        return {name: n for name, n in votes.items() if n}


BOX_NAMES = {"potted plant": "flower", "tv": "television", "cell phone": "phone", "sports ball": "ball", "handbag": "bag", "dining table": "table", "wine glass": "cup", "teddy bear": "toy"}  # fmt: skip


def clean(caption):
    """A caption as a sentence: one capital, no space before the full stop."""
    text = " ".join(caption.strip().rstrip(" .").split()).replace(" ,", ",").replace(" 's", "'s")
    return text[:1].upper() + text[1:] + "."


def read_photographs(folder):
    """All photographs of the folder; what is held out never trains."""
    folder = Path(folder)
    rows = lambda name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    found = []
    for row in rows("flickr8k"):
        captions = [clean(c) for c in row["captions"]]
        found.append(Photograph(folder / "flickr8k" / row["image"], "flickr", row["split"] != "train", captions))
    order = lambda row: zlib.crc32(row["image"].encode())  # a fixed shuffle that new photographs do not disturb
    for number, row in enumerate(sorted(rows("objects"), key=order)):
        found.append(Photograph(folder / "objects" / row["image"], "objects", number < OBJECTS_HELD_OUT, label=class_of_synset()[row["wnid"]]))
    for number, row in enumerate(sorted(rows("coco"), key=order)):
        width, height = row["size"]
        boxes = [
            (b["name"], b["xywh"][0] / width, b["xywh"][1] / height, b["xywh"][2] / width, b["xywh"][3] / height)
            for b in row["boxes"] if not b["crowd"]
        ]  # fmt: skip
        captions = [clean(c) for c in row["captions"]]
        found.append(Photograph(folder / "coco" / row["image"], "coco", number < COCO_HELD_OUT, captions, boxes=boxes))
    return found
