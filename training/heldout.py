"""Makes the held-out set: unseen scenes with questions and answers, some in unseen fonts, on unseen backgrounds or in the unseen style.

`python heldout.py`            draws heldout/pictures and writes heldout/questions.jsonl
`python heldout.py answers`    writes the fp32 checkpoint's answers and heldout/hash.json
`python heldout.py score [model folder] [--limit n]`   prints the score per kind of question for a model folder
"""

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from data import normalise, read_config
from mixture_folder import load_mixture_folder
from model import load_tokenizer, render_prompt
from score import accepted, table
from talk import Talker
from world import KNOWN_STYLES, SIDE, UNSEEN_STYLE, Artist

HERE = Path(__file__).parent
FOLDER = HERE / "heldout"
KNOWN, UNSEEN = 440, 100  # pictures in known styles, and in the unseen one
PER_PICTURE = 5
NEW_TOKENS = 48


def draw(config):
    pictures = FOLDER / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*"):
        old.unlink()
    sprites, seed = config["cache"] / "sprites", config["heldout_seed"]
    talker = Talker(random.Random(seed))
    lines = []
    for group, styles, n in (("known", KNOWN_STYLES, KNOWN), ("unseen", (UNSEEN_STYLE,), UNSEEN)):
        artists = [Artist(seed + side + len(styles), sprites, "heldout", styles, side) for side in (SIDE, 224, 288)]
        for i in range(n):
            artist = artists[i % len(artists)]
            picture, scene, _ = artist.scene()
            while not scene.photo and not scene.things:
                picture, scene, _ = artist.scene()
            left, above = (0, 0) if scene.photo else artist.inset
            side = artist.side
            name = f"{group}-{i:04d}.webp"
            image = Image.fromarray(picture[above : side - above, left : side - left])
            image.save(pictures / name, quality=88, method=6)
            for turn in talker.turns(scene, PER_PICTURE):
                if turn["kind"] in ("talk", "detail"):
                    continue
                lines.append(
                    {
                        "question_id": len(lines) + 1,
                        "image": name,
                        "text": turn["question"],
                        "category": turn["kind"],
                        "kind": turn["kind"],
                        "style": group,
                        "answers": turn["accepted"],
                        "match": turn["match"],
                    }
                )
    write_lines(FOLDER / "questions.jsonl", lines)
    size = sum(f.stat().st_size for f in pictures.iterdir())
    print(f"{KNOWN + UNSEEN} pictures, {size / 2**20:.2f} MiB, {len(lines)} questions")


def write_lines(path, records):
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@torch.no_grad()
def answer(pocket, tokenizer, questions, batch=24):
    """Greedy answers to questions asked alone, in the order given; rows of one prompt length go through together."""
    from make_golden import preprocess

    model, image_token = pocket.base, pocket.base.config.image_token_index
    features, prepared = {}, []
    for number, q in enumerate(questions):
        if q["image"] not in features:
            features[q["image"]] = pocket.encode(preprocess(Image.open(FOLDER / "pictures" / q["image"]), pocket.side))[0]
        prepared.append((number, tokenizer.encode(render_prompt([("<image>\n" + q["text"], None)])).ids))
    answers = [""] * len(questions)
    prepared.sort(key=lambda p: len(p[1]))
    embed = model.get_input_embeddings()
    while prepared:
        length = len(prepared[0][1])
        rows = [p for p in prepared[:batch] if len(p[1]) == length]
        prepared = prepared[len(rows) :]
        embeds = []
        for number, ids in rows:
            at = ids.index(image_token)
            table_ = embed(torch.tensor(ids))
            embeds.append(torch.cat([table_[:at], features[questions[number]["image"]], table_[at + 1 :]]))
        out = model.model.language_model(inputs_embeds=torch.stack(embeds), use_cache=True)
        written, alive = [[] for _ in rows], [True] * len(rows)
        for _ in range(NEW_TOKENS):
            best = model.lm_head(out.last_hidden_state[:, -1]).argmax(-1)
            for i, token in enumerate(best.tolist()):
                if token == model.config.text_config.eos_token_id:
                    alive[i] = False
                elif alive[i]:
                    written[i].append(token)
            if not any(alive):
                break
            out = model.model.language_model(inputs_embeds=embed(best[:, None]), past_key_values=out.past_key_values, use_cache=True)
        for (number, _), ids in zip(rows, written):
            answers[number] = tokenizer.decode(ids).strip()
    return answers


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def main():
    config = read_config(HERE / "pocket.json")
    command = sys.argv[1] if len(sys.argv) > 1 else "draw"
    if command == "draw":
        return draw(config)
    questions = read_lines(FOLDER / "questions.jsonl")
    if command == "score":
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "checkpoint"
        limit = int(sys.argv[3]) if len(sys.argv) > 3 else len(questions)
        questions = random.Random(0).sample(questions, min(limit, len(questions)))
        texts = answer(load_mixture_folder(folder), load_tokenizer(folder), questions)
        print(table([(q, accepted(q, t)) for q, t in zip(questions, texts)]))
        shown = {}
        for q, t in zip(questions, texts):
            if not accepted(q, t) and shown.setdefault(q["kind"], 0) < 2:
                shown[q["kind"]] += 1
                print(f"  {q['kind']}: {q['image']} {q['text']!r} → {t!r}, not {q['answers']}")
        return None
    checkpoint = HERE / "checkpoint"
    texts = answer(load_mixture_folder(checkpoint), load_tokenizer(checkpoint), questions)
    write_lines(FOLDER / "answers-fp32.jsonl", [{"question_id": q["question_id"], "text": t} for q, t in zip(questions, texts)])
    print(table([(q, accepted(q, t)) for q, t in zip(questions, texts)]))
    pictures = sorted((FOLDER / "pictures").iterdir())
    digest = "".join(f"{p.name} {sha256(p.read_bytes())}\n" for p in pictures)
    hashes = {
        "questions": sha256((FOLDER / "questions.jsonl").read_bytes()),
        "answers": sha256((FOLDER / "answers-fp32.jsonl").read_bytes()),
        "checkpoint": sha256((checkpoint / "model.safetensors").read_bytes()),
        "pictures": sha256(digest.encode()),
    }
    (FOLDER / "hash.json").write_text(json.dumps(hashes, indent=2) + "\n")
    return None


if __name__ == "__main__":
    main()
