"""What the frozen classifier says of every picture, kept on disk, so that training pays for it once.

`python features.py photographs` and `python features.py pool` fill the cache and go on where they stopped. Per view: the picture at the
first tower's size, the classifier's feature map at 7 × 7, and its likeliest classes with their probabilities.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from data import Pool, read_config
from instruct.photographs import read_photographs
from lite0 import FEATURES, load_lite0
from world import PAD_COLOUR, SIDE

INPUT = 224  # pixels of the model's input: the classifier sees it, the first tower sees it at SIDE
CELLS = 7  # of the classifier's feature map, per side
TOP = 5
VIEWS = 4  # as it is, mirrored, with the proportions of a camera and borders, a part of it
ARRAYS = {
    "pictures": (np.uint8, (SIDE, SIDE, 3)),
    "maps": (np.float16, (CELLS * CELLS, FEATURES)),
    "classes": (np.int16, (TOP,)),
    "shares": (np.float32, (TOP,)),
    "done": (np.uint8, ()),
}
BATCH = 16


def open_arrays(folder, size, names=tuple(ARRAYS)):
    """Memory-mapped arrays of `size` views; made empty where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for name in names:
        dtype, shape = ARRAYS[name]
        file = folder / f"{name}.npy"
        if not file.exists():
            np.lib.format.open_memmap(file.with_suffix(".tmp"), "w+", dtype, (size, *shape)).flush()
            os.replace(file.with_suffix(".tmp"), file)
        arrays[name] = np.lib.format.open_memmap(file, "r+")
        if len(arrays[name]) != size:
            raise SystemExit(f"{file} holds {len(arrays[name])} views, not {size}: remove the folder to begin anew.")
    return arrays


def pad_square(picture):
    """LLaVA's padding: the picture in the middle of a square of the mean color."""
    width, height = picture.size
    side = max(width, height)
    square = Image.new("RGB", (side, side), PAD_COLOUR)
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


def views(picture, source, rng):
    """The VIEWS squares of INPUT pixels that train for a photograph. Flickr8k's files are stretched to squares, so the third view
    gives such a picture a camera's proportions and the borders that the page would add."""
    at = lambda p: p.resize((INPUT, INPUT), Image.BICUBIC)
    whole = at(pad_square(picture))
    proportions = picture
    if source == "flickr":
        short = int(INPUT * rng.choice([2 / 3, 0.75]))
        proportions = picture.resize((INPUT, short) if rng.random() < 0.7 else (short, INPUT), Image.BICUBIC)
    bordered = at(pad_square(proportions))
    if rng.random() < 0.5:
        bordered = bordered.transpose(Image.FLIP_LEFT_RIGHT)
    width, height = picture.size
    share = rng.uniform(0.8, 0.95)
    left, top = rng.uniform(0, 1 - share) * width, rng.uniform(0, 1 - share) * height
    part = at(pad_square(picture.crop((int(left), int(top), int(left + share * width), int(top + share * height)))))
    return [whole, whole.transpose(Image.FLIP_LEFT_RIGHT), bordered, part]


@torch.no_grad()
def look(net, squares):
    """uint8 [n, INPUT, INPUT, 3] → feature maps [n, 49, 320], classes and shares [n, TOP]."""
    x = (torch.from_numpy(squares.copy()).permute(0, 3, 1, 2).float() - 127) / 128
    maps, logits = net(x.contiguous(memory_format=torch.channels_last))
    shares, classes = logits.softmax(-1).topk(TOP, -1)
    return maps.flatten(2).transpose(1, 2).half().numpy(), classes.short().numpy(), shares.numpy()


def fill(net, arrays, indices, load, title):
    """Computes the views at `indices` that are not done; load(index) gives a square of INPUT pixels."""
    begun, count = time.time(), 0
    for start in range(0, len(indices), BATCH):
        batch = [i for i in indices[start : start + BATCH] if not arrays["done"][i]]
        if not batch:
            continue
        squares = [load(i) for i in batch]
        maps, classes, shares = look(net, np.stack([np.asarray(s) for s in squares]))
        arrays["maps"][batch], arrays["classes"][batch], arrays["shares"][batch] = maps, classes, shares
        for i, square in zip(batch, squares):
            if "pictures" in arrays:
                arrays["pictures"][i] = np.asarray(square.resize((SIDE, SIDE), Image.BICUBIC))
        arrays["done"][batch] = 1
        count += len(batch)
        if start // BATCH % 50 == 0:
            print(f"{title}: {start} of {len(indices)}, {count / (time.time() - begun):.1f} a second", flush=True)


def photograph_arrays(config, photographs):
    return open_arrays(config["cache"] / "photographs", len(photographs) * VIEWS)


def pool_arrays(config):
    """Feature maps of the drawn pool's pictures; the pictures themselves are the pool's."""
    return open_arrays(config["cache"] / "pool-features", config["featured_pictures"], ("maps", "classes", "shares", "done"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("photographs", "pool"))
    parser.add_argument("--config", default=Path(__file__).parent / "pocket.json")
    parser.add_argument("--photographs", type=Path, help="the folder with flickr8k.jsonl and the others")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config, net = read_config(args.config), load_lite0().to(memory_format=torch.channels_last)
    if args.what == "pool":
        pool, arrays = Pool(config["cache"] / "pool", config["pictures"]), pool_arrays(config)
        while True:
            ready = [i for c in pool.chunks() for i in range(c * 500, c * 500 + 500) if i < config["featured_pictures"]]
            load = lambda i: Image.fromarray(pool.arrays["pictures"][i]).resize((INPUT, INPUT), Image.BICUBIC)
            fill(net, arrays, ready, load, "pool")
            if len(ready) == config["featured_pictures"]:
                return
            time.sleep(30)
    photographs = read_photographs(args.photographs)
    arrays, kept = photograph_arrays(config, photographs), {}

    def load(index):
        number, view = divmod(index, VIEWS)
        if number not in kept:
            kept.clear()
            picture = Image.open(photographs[number].file).convert("RGB")
            kept[number] = views(picture, photographs[number].source, np.random.default_rng(number))
        return kept[number][view]

    order = sorted(range(len(photographs)), key=lambda n: photographs[n].source == "flickr")  # the small sets first
    fill(net, arrays, [n * VIEWS + v for n in order for v in range(VIEWS)], load, "photographs")


if __name__ == "__main__":
    main()
