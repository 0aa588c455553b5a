"""Scores a mixture checkpoint on what is held out: captions, names, yes and no on photographs; drawn questions; small talk.

`python judge_mixture.py --photographs FOLDER [--weights FILE] [--few N]` prints a line per kind. Greedy; for curves while training, the
shipped package is scored by `npm run eval:pocket`.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from data import Encoder, normalise, read_config
from features import INPUT, look, pad_square
from instruct.cider import bleu4, cider_d
from instruct.lexicon import classes
from instruct.photographs import read_photographs
from instruct.small_talk import SmallTalker
from instruct.talk_photographs import PhotographTalker
from lite0 import load_lite0
from mixture import PICTURE_TOKENS, load
from model import EOS, IMAGE
from score import accepted as is_right
from train import patch_features
from world import SIDE

HERE = Path(__file__).parent


class Asker:
    """Greedy answers of a mixture model, one question at a time with its picture in front."""

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer, self.encoder = model, tokenizer, Encoder(tokenizer, PICTURE_TOKENS)
        self.net = load_lite0()

    @torch.no_grad()
    def picture(self, image):
        """A PIL picture → its tokens [105, 256] and the share of its likeliest class."""
        square = pad_square(image.convert("RGB")).resize((INPUT, INPUT), Image.BICUBIC)
        maps, seen, shares = look(self.net, np.asarray(square)[None])
        pixels = torch.from_numpy(normalise(np.asarray(square.resize((SIDE, SIDE), Image.BICUBIC))[None].astype(np.float32)))
        patches = patch_features(self.model.base, pixels)
        tokens = self.model.mixture(patches, torch.from_numpy(maps).float(), torch.from_numpy(seen).long(), torch.from_numpy(shares))
        return tokens[0], float(shares[0, 0])

    @torch.no_grad()
    def ask(self, pictures, question, longest=48):
        """The answer to a question about pictures (tokens of each)."""
        ids = self.encoder.prefix(len(pictures)) + self.encoder.branch([(question, "")], bool(pictures))[0]
        ids = torch.tensor([ids[: len(ids) - 1 - len(self.tokenizer.encode(" ", add_special_tokens=False).ids)]])
        embeds = self.model.base.get_input_embeddings()(ids)
        if pictures:
            embeds[ids == IMAGE] = torch.cat(pictures)
        decoder, cache, answer = self.model.base.model.language_model, None, []
        while len(answer) < longest:
            out = decoder(inputs_embeds=embeds, cache=cache, use_cache=True)
            cache = out.past_key_values
            token = int(self.model.base.lm_head(out.last_hidden_state[0, -1]).argmax())
            if token == EOS:
                break
            answer.append(token)
            embeds = self.model.base.get_input_embeddings()(torch.tensor([[token]]))
        return self.tokenizer.decode(answer).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=HERE / "pocket.json")
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--few", type=int, default=10**6, help="of each kind")
    parser.add_argument("--show", type=int, default=0, help="answers to print of each kind")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = read_config(args.config)
    model, tokenizer = load(args.weights or config["cache"] / "mixture.safetensors", config["cache"] / "mixture-tokenizer.json")
    asker, draw = Asker(model, tokenizer), random.Random(7)
    photographs = read_photographs(args.photographs)
    talker = PhotographTalker(draw)
    talker.learn_company([p for p in photographs if not p.held_out])

    def report(kind, rows):
        """rows of (right, question, answer, wanted)"""
        print(f"{kind}: {100 * np.mean([r[0] for r in rows]):.1f} % of {len(rows)}", flush=True)
        for row in rows[: args.show]:
            print("   ", *row, sep=" | ")

    held = [p for p in photographs if p.held_out]
    scenes, objects = [p for p in held if p.captions][: args.few], [p for p in held if p.label is not None][: args.few]
    answers, yesno = [], []
    for p in scenes:
        tokens, _ = asker.picture(Image.open(p.file))
        answers.append(asker.ask([tokens], "Describe the image briefly."))
        for _ in range(3):
            turn = talker.yesno(p)
            if turn:
                answer = asker.ask([tokens], turn["question"])
                yesno.append((answer.lower().split()[:1] == turn["accepted"] or answer.lower().startswith(turn["accepted"][0]), turn["question"], answer, turn["accepted"][0]))
    flickr = [(a, p.captions) for a, p in zip(answers, scenes) if p.source == "flickr"]
    print(f"captions: CIDEr-D {cider_d(*zip(*flickr)):.3f}, BLEU-4 {bleu4(*zip(*flickr)):.3f} of {len(flickr)}", flush=True)
    for answer, references in flickr[: args.show]:
        print("   ", answer, references[0], sep=" | ")
    report("photo yes/no", yesno)
    names = []
    for p in objects:
        tokens, share = asker.picture(Image.open(p.file))
        answer = asker.ask([tokens], "What is this?")
        kind = classes()[p.label]
        accepted = {w for n in (kind.name, *kind.synonyms) for w in n.lower().split() if len(w) > 2}
        right = bool(accepted & set(answer.lower().replace(".", "").split()))
        names.append((right, "not sure" in answer, answer, f"{kind.name} ({share:.2f})"))
    report("naming", names)
    for right in (True, False):
        group = [n[1] for n in names if n[0] == right]
        print(f"  hedged of the {'right' if right else 'wrong'}: {100 * np.mean(group):.0f} % of {len(group)}" if group else "")
    lines = [json.loads(line) for line in (HERE / "heldout" / "questions.jsonl").read_text().splitlines()]
    lines = [q for q in lines if "known" in q["image"]]
    draw.shuffle(lines)
    kinds, seen = {}, {}
    for q in sorted(lines[: args.few * 4], key=lambda q: q["image"]):
        if q["image"] not in seen:
            seen.clear()
            seen[q["image"]] = asker.picture(Image.open(HERE / "heldout" / "pictures" / q["image"]))[0]
        answer = asker.ask([seen[q["image"]]], q["text"])
        kinds.setdefault(q["kind"], []).append((is_right(q, answer), q["text"], answer, q["answers"]))
    for kind, rows in kinds.items():
        report(kind, rows)
    report("drawn, all but strings", [r for kind, rows in kinds.items() if kind != "string" for r in rows])
    small, talk = SmallTalker(draw), []
    for _ in range(min(args.few, 60)):
        turn = small.turn(False)
        answer = asker.ask([], turn["question"])
        talk.append((answer == turn["answer"], turn["question"], answer, turn["answer"]))
    report("small talk (trained wordings)", talk)


if __name__ == "__main__":
    main()
