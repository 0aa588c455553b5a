"""Writes the mixture that tune_mixture.py trains as the checkpoint folder that `llava convert` reads.

`python export_mixture.py FOLDER --photographs FOLDER [--weights FILE[:SHARE] …]`; of several files it takes the mean of their weights
("Model soups", Wortsman et al. 2022).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from data import read_config
from features import INPUT, VIEWS, photograph_arrays, pool_arrays
from instruct.photographs import read_photographs
from lite0 import FEATURES, STAGES, load_lite0
from mixture import load
from mixture_folder import save_mixture_folder

HERE = Path(__file__).parent


def fit_photograph(config, photographs):
    """Logistic regression on the means of the classifier's maps: photographs against drawn pictures and noise. → Linear(FEATURES, 1)
    and its accuracy on what it was not fitted to."""
    views, pool = photograph_arrays(config, photographs), pool_arrays(config)
    rng = np.random.default_rng(5)
    done = np.flatnonzero(pool["done"][:])
    drawn = rng.choice(done, min(8000, len(done)), replace=False)
    number = np.arange(len(photographs) * VIEWS)
    held = np.array([p.held_out for p in photographs]).repeat(VIEWS)
    ready = views["done"][:] > 0
    taken = rng.choice(number[ready & ~held], 8000, replace=False)
    means = lambda arrays, index: torch.from_numpy(arrays["maps"][np.sort(index)].astype(np.float32).mean(1))
    x = torch.cat([means(views, taken), means(pool, drawn)])
    y = torch.cat([torch.ones(len(taken)), torch.zeros(len(drawn))])
    held_x = torch.cat([means(views, number[ready & held]), means(pool, np.setdiff1d(done, drawn)[:2000])])
    held_y = torch.cat([torch.ones(int((ready & held).sum())), torch.zeros(len(held_x) - int((ready & held).sum()))])
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    head = nn.Linear(FEATURES, 1)
    nn.init.zeros_(head.weight)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")
    at = (x - mean) / deviation

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(head(at)[:, 0], y) + 1e-3 * head.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        head.weight /= deviation
        head.bias -= head.weight @ mean
        right = (head(held_x)[:, 0] > 0) == (held_y > 0)
    return head, float(right[held_y > 0].float().mean()), float(right[held_y == 0].float().mean())


def mean_of(weights, tokenizer_file):
    """The model whose weights are the mean of those in `weights` (FILE or FILE:SHARE), and its tokenizer."""
    parts = [(file, float(share or 1)) for file, _, share in (given.partition(":") for given in weights)]
    model, tokenizer = load(parts[0][0], tokenizer_file)
    total = sum(share for _, share in parts)
    mean = {name: tensor * (parts[0][1] / total) if tensor.is_floating_point() else tensor for name, tensor in model.state_dict().items()}
    for file, share in parts[1:]:
        for name, tensor in load(file, tokenizer_file)[0].state_dict().items():
            if tensor.is_floating_point():
                mean[name] += tensor * (share / total)
    model.load_state_dict(mean)
    return model, tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", default=HERE / "pocket.json")
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--weights", nargs="+", default=[])
    args = parser.parse_args()
    config = read_config(args.config)
    model, tokenizer = mean_of(args.weights or [str(config["cache"] / "mixture.safetensors")], config["cache"] / "mixture-tokenizer.json")
    head, photographs, drawn = fit_photograph(config, read_photographs(args.photographs))
    print(f"told apart on held-out views: photographs {100 * photographs:.2f} %, drawn {100 * drawn:.2f} %")
    save_mixture_folder(model.base, model.mixture, load_lite0(), head, tokenizer, args.folder, INPUT, STAGES, [HERE / "MODEL_CARD.md"], pack=True)
    print(args.folder)


if __name__ == "__main__":
    main()
