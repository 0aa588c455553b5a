"""The pool of drawn pictures and their ground truth on disk, and training rows made from it. Knows no model.

`python data.py fill --config pocket.json` draws pictures until the pool is full or --minutes are over, and resumes where it stopped.
Several may run at once, each with its own --part of --parts.
"""

import argparse
import json
import mmap
import pickle
import random
import time
from pathlib import Path

import numpy as np

from decoder import ALONE, PADDING, PREFIX
from model import ASSISTANT, BOS, EOS, IMAGE, IMAGE_MEAN, IMAGE_STD, PAD, SYSTEM
from world import GRID, SIDE, Artist

CHUNK = 500  # pictures per file of scenes
IGNORE = -100
ARRAYS = {
    "pictures": (np.uint8, (SIDE, SIDE, 3)),
    "cls": (np.int16, (GRID, GRID)),
    "colour": (np.int8, (GRID, GRID)),
    "character": (np.int8, (GRID, GRID, 2)),
    "box": (np.float16, (GRID, GRID, 4)),
    "photo": (np.int8, ()),
}


def read_config(path):
    """The config file, its cache folder expanded."""
    config = json.loads(Path(path).read_text())
    config["cache"] = Path(config["cache"]).expanduser()
    return config


class Pool:
    """Memory-mapped pictures and labels. Only finished chunks are read."""

    def __init__(self, folder, size, crowded=False):
        self.crowded = crowded
        self.folder = Path(folder)
        self.size = size
        self.folder.mkdir(parents=True, exist_ok=True)
        self.arrays = {}
        for name, (dtype, shape) in ARRAYS.items():
            file = self.folder / f"{name}.npy"
            if not file.exists():
                tmp = file.with_suffix(f".{random.random()}.tmp")
                np.lib.format.open_memmap(tmp, "w+", dtype, (size, *shape)).flush()
                if not file.exists():
                    tmp.rename(file)
                tmp.unlink(missing_ok=True)
            self.arrays[name] = np.lib.format.open_memmap(file, "r+")
        self._scenes = {}
        self._chunks = []
        self._looked = 0.0

    def chunk_file(self, chunk):
        return self.folder / f"scenes-{chunk:05d}.pkl"

    def chunks(self):
        """Indices of the finished chunks; the disk is checked every 30 seconds."""
        if time.time() - self._looked > 30:
            self._chunks = [c for c in range(self.size // CHUNK) if self.chunk_file(c).exists()]
            self._looked = time.time()
        return self._chunks

    def sample(self, rng, n):
        """n random indices of pictures in finished chunks, sorted."""
        chunks = self.chunks()
        picked = rng.integers(0, len(chunks) * CHUNK, n)
        return np.sort(np.array([chunks[i // CHUNK] * CHUNK + i % CHUNK for i in picked]))

    def expect(self, indices):
        """Asks the system to read these pictures from disk in the background."""
        array = self.arrays["pictures"]
        stride = array[0].nbytes
        for index in indices:
            start = array.offset + int(index) * stride
            page = start - start % mmap.PAGESIZE
            array._mmap.madvise(mmap.MADV_WILLNEED, page, start + stride - page)

    def scene(self, index):
        chunk = index // CHUNK
        if chunk not in self._scenes:
            self._scenes[chunk] = pickle.loads(self.chunk_file(chunk).read_bytes())
        return self._scenes[chunk][index % CHUNK]

    def fill_chunk(self, chunk, sprites):
        """Draws one chunk. The scenes file is written last and marks the chunk as finished."""
        artist = Artist(1_000_003 * (chunk + 1) + self.crowded, sprites, crowded=self.crowded)
        scenes = []
        for i in range(chunk * CHUNK, (chunk + 1) * CHUNK):
            picture, scene, labels = artist.scene()
            self.arrays["pictures"][i] = picture
            for name in ("cls", "colour", "character", "box"):
                self.arrays[name][i] = getattr(labels, name)
            self.arrays["photo"][i] = scene.photo
            scenes.append(scene)
        tmp = self.chunk_file(chunk).with_suffix(".tmp")
        tmp.write_bytes(pickle.dumps(scenes))
        tmp.rename(self.chunk_file(chunk))


def open_pools(config):
    """The pool that conversations are about, and the crowded pool for the vision stage."""
    plain = Pool(config["cache"] / "pool", config["pictures"])
    return plain, Pool(config["cache"] / "crowded", config["crowded_pictures"], crowded=True)


def jitter(rng, pictures):
    """Small random changes of brightness and contrast per picture; uint8 [n, H, W, 3] → float32 in 0..255."""
    n = len(pictures)
    gain = rng.uniform(0.9, 1.1, (n, 1, 1, 1)).astype(np.float32)
    shift = rng.uniform(-8, 8, (n, 1, 1, 1)).astype(np.float32)
    return np.clip(pictures.astype(np.float32) * gain + shift, 0, 255)


def normalise(pictures):
    """float 0..255 [n, H, W, 3] → CLIP's pixel values [n, 3, H, W]."""
    mean, std = np.array(IMAGE_MEAN, np.float32) * 255, np.array(IMAGE_STD, np.float32) * 255
    return np.ascontiguousarray(((pictures - mean) / std).transpose(0, 3, 1, 2))


class Encoder:
    """Turns conversations into token ids and labels. The pieces it encodes have the same tokens as the whole rendered prompt."""

    def __init__(self, tokenizer, image_tokens):
        self.tokenizer = tokenizer
        self.image_tokens = image_tokens

    def _ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def branch(self, turns, picture=True):
        """(ids, labels) of [(question, answer), …], without the prefix. Answers and their </s> are trained, everything else is masked."""
        ids, labels = [], []
        for number, (question, answer) in enumerate(turns):
            # The tokenizer is byte-level BPE over words: a piece that starts with a capital word or a special token, or
            # whose predecessor ends at one, has the same tokens alone as in the whole text.
            opening = ("\n" if picture else " USER: ") if number == 0 else "USER: "
            prompt = self._ids(opening + question + ASSISTANT)
            reply = self._ids(" " + answer) + [EOS]
            ids += prompt + reply
            labels += [IGNORE] * len(prompt) + reply
        return ids, labels

    def prefix(self, pictures=1):
        """Token ids before the first question: <s>, the system prompt, and the pictures' slots, one line per picture."""
        if not pictures:
            return [BOS] + self._ids(SYSTEM)
        slots = [IMAGE] * self.image_tokens
        return [BOS] + self._ids(SYSTEM + " USER: ") + slots + (self._ids("\n") + slots) * (pictures - 1)

    def row(self, conversations, alone, length, pictures=1):
        """A training row: conversations that share one prefix, as many as fit into `length` tokens, and those in `alone`, without a picture.

        Returns int64 [4, length]: ids, labels, segments (see decoder.py), positions.
        """
        row = np.zeros((4, length), np.int64)
        row[0], row[1], row[2] = PAD, IGNORE, PADDING
        prefix = self.prefix(pictures)
        row[0, : len(prefix)], row[2, : len(prefix)], row[3, : len(prefix)] = prefix, PREFIX, np.arange(len(prefix))
        at, start = len(prefix), len(prefix)
        bare = self.prefix(0)
        parts = [(self.branch(turns, pictures > 0), start, 1) for turns in conversations]
        for turns in alone:
            ids, labels = self.branch(turns, False)
            parts.insert(0, ((bare + ids, [IGNORE] * len(bare) + labels), 0, ALONE))
        for number, ((ids, labels), position, segment) in enumerate(parts):
            end = at + len(ids)
            if end > length:
                continue
            row[0, at:end], row[1, at:end], row[2, at:end] = ids, labels, segment + number
            row[3, at:end] = np.arange(position, position + len(ids))
            at = end
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("fill",))
    parser.add_argument("--config", default=Path(__file__).parent / "pocket.json")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    args = parser.parse_args()
    config = read_config(args.config)
    end = time.time() + args.minutes * 60
    for pool in open_pools(config):
        for chunk in range(args.part, pool.size // CHUNK, args.parts):
            if time.time() > end:
                return
            if not pool.chunk_file(chunk).exists():
                pool.fill_chunk(chunk, config["cache"] / "sprites")


if __name__ == "__main__":
    main()
