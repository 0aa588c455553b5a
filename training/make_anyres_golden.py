"""Writes how Hugging Face cuts pictures of many sizes into tiles: rows per picture, tiles, and samples of their pixels.

`python make_anyres_golden.py`   fixtures/anyres.golden.json, for LLaVA-1.6 (336 px, 24 × 24) and LLaVA-OneVision (384 px, 27 × 27)
"""

import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from transformers import LlavaNextConfig, LlavaOnevisionConfig
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_next.modeling_llava_next import LlavaNextModel, image_size_to_num_patches
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.llava_onevision.modeling_llava_onevision import LlavaOnevisionModel

from make_golden import formula_picture

SIZES = [
    (336, 336), (640, 480), (672, 672), (1024, 1024), (1000, 500), (1000, 300), (1920, 1080), (899, 1024), (1, 1), (2, 1), (1, 3), (10000, 10),
    (10, 10000), (384, 384), (383, 385), (3000, 2000), (4032, 3024), (3024, 4032), (1284, 2778), (335, 337), (672, 1009), (2304, 2304), (7, 5),
]  # fmt: skip
PIXELS = [(1, 1), (7, 5), (640, 480), (333, 501), (1000, 300), (10000, 10), (3, 700), (672, 1009)]


def rows(model, config, width, height, **more):
    """Rows in the prompt of a picture, counted by the model's own packing."""
    side = config.vision_config.image_size // config.vision_config.patch_size
    tiles = image_size_to_num_patches([height, width], config.image_grid_pinpoints, config.vision_config.image_size)
    features = [torch.zeros(tiles, side * side, 1)]
    _, lengths = model.pack_image_features(SimpleNamespace(config=config), features, [[height, width]], image_newline=torch.zeros(1), **more)
    return tiles, int(lengths[0])


def main():
    generator = random.Random(5)
    sizes = SIZES + [(int(10 ** generator.uniform(0.3, 3.6)), int(10 ** generator.uniform(0.3, 3.6))) for _ in range(150)]
    vision = {"model_type": "siglip_vision_model", "image_size": 384, "patch_size": 14}
    configs = {"next": LlavaNextConfig(), "onevision": LlavaOnevisionConfig(vision_config=vision)}
    counts = []
    for width, height in sizes:
        tiles, length = rows(LlavaNextModel, configs["next"], width, height, vision_feature_select_strategy="default")
        wide_tiles, wide_length = rows(LlavaOnevisionModel, configs["onevision"], width, height)
        counts.append([width, height, tiles, length, wide_tiles, wide_length])
    processors = {
        "next": LlavaNextImageProcessorPil(
            image_grid_pinpoints=configs["next"].image_grid_pinpoints, size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336},
            do_normalize=False, do_pad=False,
        ),  # fmt: skip
        "onevision": LlavaOnevisionImageProcessorPil(do_normalize=False, do_pad=False),
    }
    pixels = []
    for kind, processor in processors.items():
        for width, height in PIXELS:
            picture = Image.fromarray(formula_picture(width, height))
            tiles = np.array(processor([picture])["pixel_values"][0])  # [tiles, 3, side, side], 0 … 1
            values = np.rint(tiles * 255).astype(int).reshape(-1)
            pixels.append({"kind": kind, "width": width, "height": height, "sum": int(values.sum()), "every": values[::9973].tolist()})
    out = Path(__file__).parent / "fixtures" / "anyres.golden.json"
    out.write_text(json.dumps({"counts": counts, "pixels": pixels}, separators=(",", ":")) + "\n")
    print(out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
