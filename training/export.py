"""Writes the newest stage's model of pictograms alone as an fp16 Hugging Face folder, from which tune_mixture.py starts.

`python export.py FOLDER`
"""

import sys
from pathlib import Path

import torch

from data import read_config
from model import build_config, build_model, load_tokenizer, save_folder

HERE = Path(__file__).parent


def main():
    config = read_config(HERE / "pocket.json")
    stages = [config["cache"] / f"{stage}.pt" for stage in ("vision", "text", "align", "tune")]
    newest = max((f for f in stages if f.exists()), key=lambda f: f.stat().st_mtime)
    model = build_model(build_config(config["vocab_size"]))
    model.load_state_dict(torch.load(newest, map_location="cpu")["model"])
    target = Path(sys.argv[1])
    save_folder(model, load_tokenizer(config["cache"]), target)
    print(f"{newest.name} → {target}")


if __name__ == "__main__":
    main()
