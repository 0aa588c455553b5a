"""Writes reference vectors from PyTorch (Hugging Face transformers, fp32) that the converter and the engine are tested against.

`python make_golden.py tiny`    a tiny random checkpoint in fixtures/tiny-llava and fixtures/tiny-llava.golden.json
`python make_golden.py pocket`  fixtures/pocket.golden.json for checkpoint/: 20 prompts about held-out pictures
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from data import normalise
from mixture_folder import load_mixture_folder
from model import build_config, build_model, load_model, load_tokenizer, render_prompt, save_folder, train_tokenizer
from world import PAD_COLOUR

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"


def formula_picture(width, height):
    """uint8 [height, width, 3]: channel c of pixel x, y is (7x + 13y + 29c) mod 256."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((7 * x + 13 * y + 29 * c) % 256).astype(np.uint8)


def pad_to_square(picture):
    """LLaVA's `pad`: the picture in the middle of a square of the mean colour."""
    width, height = picture.size
    side = max(width, height)
    square = Image.new("RGB", (side, side), PAD_COLOUR)
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


def preprocess(picture, side):
    """PIL picture → pixel values [1, 3, side, side]."""
    resized = pad_to_square(picture.convert("RGB")).resize((side, side), Image.BICUBIC)
    return torch.from_numpy(normalise(np.asarray(resized, np.float32)[None]))


def expand(ids, image_token, rows):
    """One image token → as many as the picture has rows."""
    return [t for i in ids for t in ([i] * rows if i == image_token else [i])]


@torch.no_grad()
def run(model, ids, pixels, new_tokens, encode=None):
    """Logits after the prompt, and greedy ids; the end-of-sequence token does not end it. `encode` gives the picture's tokens where the
    model's own tower does not."""
    ids = torch.tensor([ids])
    if encode:
        embeds = model.get_input_embeddings()(ids)
        tokens = encode(pixels).to(embeds.dtype)
        embeds = embeds.masked_scatter((ids == model.config.image_token_index).unsqueeze(-1), tokens)
        out = model(inputs_embeds=embeds, use_cache=True)
    else:
        out = model(input_ids=ids, pixel_values=pixels, use_cache=True)
    logits, cache = out.logits[0, -1], out.past_key_values
    greedy = [int(logits.argmax())]
    while len(greedy) < new_tokens:
        out = model(input_ids=torch.tensor([[greedy[-1]]]), past_key_values=cache, use_cache=True)
        greedy.append(int(out.logits[0, -1].argmax()))
    return logits, greedy


def golden(model, tokenizer, prompts, side, new_tokens, positions, encode=None, rows=None):
    """One record per (picture fields, PIL picture, prompt text); `encode` gives the `rows` tokens of a picture (see `run`)."""
    records = []
    for fields, picture, text in prompts:
        pixels = preprocess(picture, side)
        ids = tokenizer.encode(text).ids
        full = expand(ids, model.config.image_token_index, rows or model.config.image_seq_length)
        logits, greedy = run(model, full, pixels, new_tokens, encode)
        picked = range(len(logits)) if positions is None else positions
        top = logits.topk(2).values
        records.append(
            fields
            | {
                "prompt": text,
                "ids": ids,
                "positions": list(picked),
                "logits": [round(float(logits[p]), 5) for p in picked],
                "greedy": greedy,
                "margin": round(float(top[0] - top[1]), 4),
            }
        )
    return records


def write(name, value):
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / name).write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(name, (FIXTURES / name).stat().st_size, "bytes")


def tiny():
    corpus = ["A chat between a curious user and an assistant. USER: What is this? ASSISTANT: A small red star."] * 20
    tokenizer = train_tokenizer(corpus, 400)
    vocab = -(-tokenizer.get_vocab_size() // 32) * 32
    config = build_config(
        vocab,
        vision={"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32, "patch_size": 8},
        text={
            "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
            "head_dim": 32, "max_position_embeddings": 512, "tie_word_embeddings": False,
        },
    )  # fmt: skip
    model = build_model(config, seed=7).eval()
    with torch.no_grad():  # larger than at initialisation, so that the answers depend on the picture and the prompt
        for name, p in model.named_parameters():
            p.copy_(p * 6 if p.dim() > 1 and "embed" not in name else p + 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(len(name))))
    save_folder(model, tokenizer, FIXTURES / "tiny-llava", dtype=torch.float32, shards=2)
    model = load_model(FIXTURES / "tiny-llava")
    prompts = []
    for width, height, question in ((32, 32, "What is this?"), (50, 20, "A small red star."), (9, 31, "What is a chat?")):
        picture = Image.fromarray(formula_picture(width, height))
        prompts.append(({"width": width, "height": height}, picture, render_prompt([("<image>\n" + question, None)])))
    records = golden(model, tokenizer, prompts, 32, 24, None)
    with torch.no_grad():
        features = model.model.get_image_features(pixel_values=preprocess(prompts[0][1], 32), vision_feature_layer=-2, vision_feature_select_strategy="default")
        features = getattr(features, "pooler_output", features)
        features = features[0] if isinstance(features, (list, tuple)) else features
    write(
        "tiny-llava.golden.json",
        {
            "picture": "channel c of pixel x, y is (7x + 13y + 29c) mod 256",
            "features": [round(float(v), 5) for v in features.reshape(-1)],
            "prompts": records,
        },
    )


def pocket():
    folder = HERE / "checkpoint"
    pocket, tokenizer = load_mixture_folder(folder), load_tokenizer(folder)
    questions = [json.loads(line) for line in (HERE / "heldout" / "questions.jsonl").read_text().splitlines()]
    kinds = {}
    for q in questions:
        kinds.setdefault(q["kind"], []).append(q)
    chosen = [qs[i % len(qs)] for i in range(3) for qs in kinds.values()][:20]
    prompts = []
    for q in chosen:
        picture = Image.open(HERE / "heldout" / "pictures" / q["image"])
        prompts.append(({"image": q["image"], "question": q["text"]}, picture, render_prompt([("<image>\n" + q["text"], None)])))
    positions = list(range(5, tokenizer.get_vocab_size(), 37))
    records = golden(pocket.base, tokenizer, prompts, pocket.side, 64, positions, pocket.encode, pocket.rows)
    write("pocket.golden.json", {"prompts": records})


if __name__ == "__main__":
    {"tiny": tiny, "pocket": pocket}[sys.argv[1]]()
