"""Pocket LLaVA with two towers: today's ViT for pictograms, shapes and letters, and a frozen classifier for photographs (a mixture of
encoders, as in Shi et al. 2024, "Eagle", joined per token before the projector).

    picture [3, 224, 224] ── to 160 ── ViT ──────────────── [100, 256] ┐
                        └── EfficientNet-Lite0 ─ 7×7 → 10×10 [100, 320] ┴ projector ─▶ [100, 256] ┐
                                            └─ likeliest 5 classes ─ learned vectors ─▶ [5, 256]   ┴─▶ 105 picture tokens

Knows shapes and how to start from the model before; knows no pictures, talk or training.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn

from features import CELLS, TOP
from instruct.lexicon import classes
from lite0 import CLASSES, FEATURES
from model import build_config, build_model, load_model, load_tokenizer
from world import GRID

WIDTH, MIDDLE = 256, 512
PICTURE_TOKENS = GRID * GRID + TOP


def spread_matrix(cells=CELLS, grid=GRID):
    """float [grid², cells²]: bilinear interpolation of the classifier's cells to the first tower's."""
    each = torch.eye(cells * cells).view(cells * cells, 1, cells, cells)
    return F.interpolate(each, (grid, grid), mode="bilinear", align_corners=False).flatten(1).T.contiguous()


class Mixture(nn.Module):
    """What a LLaVA has besides its ViT and its decoder: joins both towers' features and puts the classes behind them."""

    def __init__(self, tower=WIDTH, features=FEATURES, middle=MIDDLE, width=WIDTH, classes=CLASSES, top=TOP, cells=CELLS, grid=GRID):
        super().__init__()
        self.first = nn.Linear(tower + features, middle)
        self.second = nn.Linear(middle, width)
        self.class_vectors = nn.Parameter(torch.zeros(classes, width))
        self.share_first = nn.Linear(2, 32)
        self.share_second = nn.Linear(32, width)
        self.rank = nn.Parameter(torch.zeros(top, width))
        self.register_buffer("spread", spread_matrix(cells, grid))
        self.register_buffer("map_mean", torch.zeros(features))
        self.register_buffer("map_scale", torch.ones(features))

    def forward(self, patches, maps, seen, shares):
        """patches [n, 100, 256] of the ViT, maps [n, 49, 320], classes and shares [n, 5] → picture tokens [n, 105, 256]."""
        spread = self.spread @ ((maps.float() - self.map_mean) * self.map_scale)  # [n, 100, 320]
        joined = self.second(F.gelu(self.first(torch.cat([patches, spread.to(patches.dtype)], -1))))
        share = torch.stack([shares, (shares + 1e-3).log()], -1)
        told = self.class_vectors[seen] + self.rank + self.share_second(F.gelu(self.share_first(share)))
        return torch.cat([joined, told.to(joined.dtype)], 1)


class PocketMixture(nn.Module):
    """The whole model; `base` is a LlavaForConditionalGeneration whose projector is not used."""

    def __init__(self, vocab_size):
        super().__init__()
        self.base = build_model(build_config(vocab_size))
        self.base.model.vision_tower.config._attn_implementation = "eager"
        self.mixture = Mixture()
        self.base.model.multi_modal_projector = nn.Identity()


def start(model, tokenizer, folder, maps):
    """Starts from the checkpoint before: its towers and blocks as they are, embeddings by the words they share, and a projector that gives
    what the old one gave until the classifier's features have learned to speak. `maps` [n, 49, 320] is a sample to whiten by."""
    old, old_tokenizer = load_model(folder), load_tokenizer(folder)
    state = old.state_dict()
    new = model.base.state_dict()
    for name, value in state.items():
        if name in new and new[name].shape == value.shape:
            new[name].copy_(value)
    embedding = state["model.language_model.embed_tokens.weight"]
    vocabulary, table = old_tokenizer.get_vocab(), model.base.model.language_model.embed_tokens.weight
    decode = lambda i: tokenizer.decode([i], skip_special_tokens=False)
    with torch.no_grad():
        common = embedding.mean(0)
        for text, index in tokenizer.get_vocab().items():
            if text in vocabulary:
                table[index] = embedding[vocabulary[text]]
                continue
            pieces = old_tokenizer.encode(decode(index), add_special_tokens=False).ids
            table[index] = 0.5 * (embedding[pieces].mean(0) if pieces else common) + 0.02 * torch.randn(WIDTH) * embedding.std()
        mixture = model.mixture
        nn.init.trunc_normal_(mixture.first.weight, std=0.02)
        nn.init.zeros_(mixture.first.bias)
        nn.init.zeros_(mixture.second.weight)
        nn.init.trunc_normal_(mixture.second.weight[:, WIDTH:], std=0.02)
        mixture.first.weight[:WIDTH] = 0
        mixture.first.weight[:WIDTH, :WIDTH] = state["model.multi_modal_projector.linear_1.weight"]
        mixture.first.bias[:WIDTH] = state["model.multi_modal_projector.linear_1.bias"]
        mixture.second.weight[:, :WIDTH] = state["model.multi_modal_projector.linear_2.weight"]
        mixture.second.bias.copy_(state["model.multi_modal_projector.linear_2.bias"])
        nn.init.zeros_(mixture.share_second.weight)
        nn.init.zeros_(mixture.share_second.bias)
        nn.init.trunc_normal_(mixture.rank, std=0.02)
        for kind in classes():
            ids = tokenizer.encode(" " + kind.name, add_special_tokens=False).ids
            mixture.class_vectors[kind.index] = table[ids].mean(0)
        sample = torch.as_tensor(maps).float().flatten(0, 1)
        mixture.map_mean.copy_(sample.mean(0))
        mixture.map_scale.copy_(1 / (sample.std(0) + 1e-3))


def save(model, file):
    """All weights as one file of fp16 tensors (safetensors), for going on and for export."""
    from safetensors.torch import save_file

    tensors = {name: value.detach().half().contiguous().clone() for name, value in model.state_dict().items() if not name.startswith("base.lm_head.")}
    file = Path(file)
    save_file(tensors, file.with_suffix(".tmp"), metadata={"format": "pt", "picture_tokens": json.dumps(PICTURE_TOKENS)})
    file.with_suffix(".tmp").replace(file)


def load(file, tokenizer_file):
    """A saved model in fp32 with its tokenizer."""
    from safetensors.torch import load_file

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    state = load_file(file)
    model = PocketMixture(state["base.model.language_model.embed_tokens.weight"].shape[0])
    missing, unexpected = model.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
    if unexpected or any(not name.startswith("base.lm_head.") for name in missing):
        raise ValueError(f"{file} does not fit the model: {[*missing, *unexpected][:4]}")
    return model.eval(), tokenizer
