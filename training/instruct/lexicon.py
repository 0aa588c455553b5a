"""What captions name: things with their plurals, other words for them, and words that leave their absence in doubt; colors, places, actions.

Reads lexicon.txt, classes.txt and kinds.txt; knows no photographs.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "black", "white", "gray", "tan")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SCENES = {  # what a caption says → how an answer says it, and whether that is outdoors
    "beach": ("at the beach", True), "ocean": ("at the sea", True), "snow": ("in the snow", True), "snowy": ("in the snow", True),
    "street": ("on a street", True), "park": ("in a park", True), "forest": ("in the woods", True), "woods": ("in the woods", True),
    "mountain": ("in the mountains", True), "mountains": ("in the mountains", True), "desert": ("in a desert", True),
    "field": ("in a field", True), "lake": ("at a lake", True), "river": ("at a river", True), "pool": ("at a pool", None),
    "playground": ("on a playground", True), "city": ("in a city", True), "yard": ("in a yard", True), "backyard": ("in a backyard", True),
    "sidewalk": ("on a sidewalk", True), "restaurant": ("in a restaurant", False), "kitchen": ("in a kitchen", False),
    "bedroom": ("in a bedroom", False), "gym": ("in a gym", False), "room": ("in a room", False), "stage": ("on a stage", None),
    "stadium": ("in a stadium", None), "bathroom": ("in a bathroom", False), "indoors": ("indoors", False), "office": ("in an office", False),
    "store": ("in a store", False), "couch": ("indoors", False), "bed": ("in a bedroom", False), "outdoors": ("outdoors", True),
    "grass": ("on the grass", True), "lawn": ("on a lawn", True), "trail": ("on a trail", True), "racetrack": ("on a racetrack", True),
}  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """One line of lexicon.txt: `words` mean it (its name and plural among them), `doubtful` words may."""

    name: str
    plural: str
    words: frozenset
    doubtful: frozenset
    place: str


@dataclass(frozen=True)
class ImageClass:
    """A class of ImageNet-1k as answers say it."""

    index: int
    name: str
    synonyms: tuple


def _lines(file):
    return [line for line in (HERE / file).read_text().splitlines() if line and not line.startswith("#")]


@lru_cache
def things():
    """All things of lexicon.txt, by name."""
    found = {}
    for line in _lines("lexicon.txt"):
        name, plural, words, doubtful, place = (line.split("|") + ["", ""])[:5]
        split = lambda text: {w for w in text.split(",") if w}
        found[name] = Thing(name, plural, frozenset({name, plural} | split(words)), frozenset(split(doubtful)), place)
    return found


@lru_cache
def classes():
    """The 1,000 classes in the classifier's order."""
    rows = [line.split("|") for line in _lines("classes.txt")]
    return [ImageClass(index, name, tuple(o for o in others.split(",") if o)) for index, (_, name, others) in enumerate(rows)]


@lru_cache
def class_of_synset():
    return {line.split("|")[0]: index for index, line in enumerate(_lines("classes.txt"))}


@lru_cache
def kinds():
    """Per class the things that it is a kind of: a tabby is a cat. Empty for most."""
    found = [[] for _ in classes()]
    for line in _lines("kinds.txt"):
        name, ranges = (part.strip() for part in line.split("|"))
        for span in ranges.split(","):
            first, last = (span.split("-") * 2)[:2]
            for index in range(int(first), int(last) + 1):
                found[index].append(name)
    return found


TOLD_APART = ("dog", "cat", "bird", "fish", "bear", "monkey", "elephant", "zebra", "horse", "cow", "car", "bus", "truck", "train", "boat", "airplane", "guitar", "umbrella")  # fmt: skip
DOGS = range(151, 269)  # breeds of dogs among the classes
ANIMALS = range(0, 398)


def words_of(caption):
    return re.findall(r"[a-z]+", caption.lower())


def said(thing, words):
    """Whether a list of words names the thing; "swimming pool" by its last word."""
    return any(word in thing.words for word in words)


def article(name):
    """ "a dog", "an apple", "stairs"; plurals and masses stand alone."""
    if name in ("grass", "sand", "snow", "water", "stairs", "sunglasses", "sheep") or (name.endswith("s") and not name.endswith(("ss", "us", "is"))):
        return name
    first = name.split()[0].lower()
    return ("an " if first[0] in "aeiou" and not first.startswith(("uni", "eu", "one")) else "a ") + name


MASS = {"grass", "sand", "snow", "water"}


def is_plural(name):
    """Whether a name takes "are"."""
    return name in ("stairs", "sunglasses") or (name.endswith("s") and not name.endswith(("ss", "us", "is")))
