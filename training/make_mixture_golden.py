"""Writes a tiny random checkpoint of the mixture of towers and what PyTorch computes with it: fixtures/mixture/ and
fixtures/mixture.golden.json (pixels by a formula, picture tokens, the photograph's logit, greedy ids)."""

import json
from pathlib import Path

import torch
from torch import nn

from lite0 import Lite
from make_family_golden import scramble, tokenizer_of
from mixture import Mixture
from mixture_folder import Reference, save_mixture_folder
from model import build_config, build_model

OUT = Path(__file__).parent / "fixtures"
STAGES = [(1, 8, 1, 1, 3), (6, 16, 2, 2, 3), (6, 24, 1, 2, 5)]
IMAGE_SIZE, SIDE, CLASSES, TOP = 48, 32, 20, 3


def formula(size):
    """CLIP-normalized pixels [1, 3, size, size]."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.stack([torch.sin(x * 0.37 + c) + torch.cos(y * (0.21 + 0.1 * c)) for c in range(3)])[None].float()


def main():
    tokenizer = tokenizer_of({})
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8, "projection_dim": 32}  # fmt: skip
    text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 512}  # fmt: skip
    base = build_model(build_config(tokenizer.get_vocab_size(), vision, text)).eval()
    scramble(base, 1)
    net = Lite(STAGES, 8, 64, CLASSES)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in net.parameters():
            fan = p[0].numel() if p.dim() > 1 else 1
            p.copy_(torch.randn(p.shape, generator=generator) * (1.6 / fan**0.5 if p.dim() > 1 else 0.3))
        cells = IMAGE_SIZE // 8
        mixture = Mixture(32, 24, 64, 32, CLASSES, TOP, cells, SIDE // 8)
        for p in mixture.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) * (1 / p.shape[-1] ** 0.5))
        mixture.map_mean.copy_(torch.randn(24, generator=generator))
        mixture.map_scale.copy_(0.5 + torch.rand(24, generator=generator))
    photograph = nn.Linear(24, 1)
    with torch.no_grad():  # half of the pictures at random are photographs to it
        photograph.weight.copy_(torch.randn(1, 24, generator=generator))
        noise = torch.rand(9, 3, 8, 8, generator=generator) * 255
        maps = net((nn.functional.interpolate(noise, (IMAGE_SIZE, IMAGE_SIZE), mode="bicubic") - 127) / 128)[0]
        photograph.bias.copy_(-(maps.mean((2, 3)) @ photograph.weight.T).median())
    save_mixture_folder(base, mixture, net, photograph, tokenizer, OUT / "mixture", IMAGE_SIZE, STAGES)
    pixels = formula(IMAGE_SIZE)
    tokens, shares, logit = Reference(base, mixture, net, photograph)(pixels)
    golden = {"imageSize": IMAGE_SIZE, "tokens": tokens[0].flatten().tolist(), "shares": shares[0].tolist(), "photograph": logit[0].tolist()}
    (OUT / "mixture.golden.json").write_text(json.dumps(golden) + "\n")
    print(tokens.shape, shares, logit)


if __name__ == "__main__":
    main()
