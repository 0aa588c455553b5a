"""Trains Pocket LLaVA's mixture of towers on drawn pictures and photographs together; goes on from its own checkpoint.

`python tune_mixture.py --photographs FOLDER --steps N --fall M [--tower]`

The learning rate stays as it is and falls to zero over the last M of all N steps (warmup, stable, decay: Hu et al. 2024, "MiniCPM"), so
that more steps can be added for as long as it has not begun to fall.

Every step has rows of four kinds (shares in `ROWS`): a photograph, a drawn picture, two pictures, and names of classes alone, many to a
row, so that all 1,000 can be said. A row of conversations shares its pictures (decoder.py).
"""

import argparse
import json
import math
import os
import random
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from data import IGNORE, Encoder, Pool, jitter, normalise, read_config
from decoder import PADDING, PREFIX, branch_mask, hidden_where
from features import TOP, VIEWS, photograph_arrays, pool_arrays
from instruct.lexicon import classes, things
from instruct.pairs import Shown, pair_turns
from instruct.photographs import read_photographs
from instruct.small_talk import SmallTalker
from instruct.talk_photographs import PhotographTalker, photo_or_drawing
from mixture import PICTURE_TOKENS, PocketMixture, save, start
from mixture_folder import load_mixture_folder
from model import IMAGE, PAD, SYSTEM, train_tokenizer
from talk import Talker, capital
from train import Heads, dense_loss, dense_truth, language_loss, patch_features, tower_parameters
from world import GRID, Scene

ROWS = {"photo": 5, "drawn": 5, "pair": 4, "names": 1}
LENGTH = 448
VOCABULARY = 4096
DENSE_WEIGHT = 0.5
HEADS_ALONE = 300  # steps for the heads of the dense truth before the tower listens to them
EMA = 0.998
CHECKPOINT = Path(__file__).parent / "checkpoint"


class Source:
    """Rows of training data; all randomness comes from one seed."""

    def __init__(self, config, photographs, seed):
        self.rng = np.random.default_rng(seed)
        draw = random.Random(seed)
        self.photographs = photographs
        self.views, self.pool_maps = photograph_arrays(config, photographs), pool_arrays(config)
        self.pool = Pool(config["cache"] / "pool", config["pictures"])
        self.drawn, self.photo, self.small = Talker(draw), PhotographTalker(draw), SmallTalker(draw)
        self.photo.learn_company([p for p in photographs if not p.held_out])
        self.random = draw
        self.refresh()

    def refresh(self):
        """Looks which views are ready; the cache may still be filling."""
        done = self.views["done"][:].reshape(-1, VIEWS)
        ready = lambda source: [i for i, p in enumerate(self.photographs) if not p.held_out and p.source == source and done[i].all()]
        self.ready = {source: ready(source) for source in ("flickr", "objects", "coco")}
        self.featured = np.flatnonzero(self.pool_maps["done"][:])

    def pick_photograph(self):
        k = self.random.random()
        source = "objects" if k < 0.25 and self.ready["objects"] else "coco" if k < 0.28 and self.ready["coco"] else "flickr"
        number = self.random.choice(self.ready[source])
        return number, number * VIEWS + self.random.randrange(VIEWS)

    def split(self, turns):
        """Turns → conversations: most of one turn, some of three."""
        turns, found = [(t["question"], t["answer"]) for t in turns], []
        while turns:
            k = 1 if self.random.random() < 0.75 else 3
            found.append(turns[:k])
            turns = turns[k:]
        return found

    def alone(self, chance):
        return [self.split([self.small.turn(False) for _ in range(self.random.choice((1, 1, 2)))])[0] for _ in range(2) if self.random.random() < chance]

    def photograph_row(self, encoder):
        number, view = self.pick_photograph()
        seen, shares = self.views["classes"][view], self.views["shares"][view]
        turns = self.photo.turns(self.photographs[number], seen, shares, 20)
        if self.random.random() < 0.2:
            turns.insert(self.random.randrange(len(turns)), self.small.turn(True))
        return encoder.row(self.split(turns), self.alone(0.5), LENGTH), [self.view(view)]

    def drawn_row(self, encoder):
        index = int(self.random.choice(self.featured))
        turns = self.drawn_turns(self.pool.scene(index), 20)
        return encoder.row(self.split(turns), self.alone(0.15), LENGTH), [self.pool_view(index)]

    def drawn_turns(self, scene, n):
        if scene.photo:  # noise: neither pictogram nor photograph
            return [self.drawn.photo() for _ in range(2)]
        turns = self.drawn.turns(scene, n)
        if self.random.random() < 0.5:
            q, a = photo_or_drawing(self.random, False)
            turns.insert(self.random.randrange(min(6, len(turns)) + 1), {"question": self.drawn.style(q), "answer": a})
        return [t for t in turns if not t.get("kind") == "talk"]

    def view(self, view):
        return (self.views["pictures"][view], self.views["maps"][view], self.views["classes"][view], self.views["shares"][view], -1)

    def pool_view(self, index):
        maps = self.pool_maps
        return (self.pool.arrays["pictures"][index], maps["maps"][index], maps["classes"][index], maps["shares"][index], index)

    def pair_row(self, encoder):
        shown, pictures = [], []
        for _ in range(2):
            if self.random.random() < 0.5 and len(self.featured):
                index = int(self.random.choice(self.featured))
                scene = self.pool.scene(index)
                if scene.photo or not scene.things:
                    shown.append(Shown("", (), lambda name: False, False))
                else:
                    names = tuple(self.drawn.groups(scene))
                    shown.append(Shown(capital(self.drawn.nouns(scene)) + ".", names, lambda name, names=names: not any(name in n or n in name for n in names), False))
                pictures.append(self.pool_view(index))
            else:
                number, view = self.pick_photograph()
                p = self.photographs[number]
                name = classes()[p.label].name if p.label is not None else None
                named = tuple(self.photo.sure_things(p)) if name is None else (name,)
                absent = (lambda n, p=p: n not in things() or self.photo.is_absent(p, n)) if name is None else (lambda n, name=name: name not in n and n not in name and n not in ("person",))
                sentence = self.random.choice(p.captions) if p.captions else self.photo.name("", p.label, p.label, 1.0)["answer"]
                shown.append(Shown(sentence, named, absent, True))
                pictures.append(self.view(view))
        turns = pair_turns(self.random, shown, 10)
        return encoder.row(self.split(turns), [], LENGTH, pictures=2), pictures

    def names_row(self, encoder):
        """Classes alone: the prefix without a picture, then per branch TOP class tokens and a question. → row, [(classes, shares)…]."""
        row = np.zeros((4, LENGTH), np.int64)
        row[0], row[1], row[2] = PAD, IGNORE, PADDING
        prefix = encoder.prefix(1)[: -encoder.image_tokens]
        row[0, : len(prefix)], row[2, : len(prefix)], row[3, : len(prefix)] = prefix, PREFIX, np.arange(len(prefix))
        at, branch, told = len(prefix), 1, []
        while True:
            seen = self.rng.choice(len(classes()), TOP, replace=False)
            share = self.random.random() ** 0.6
            rest = np.sort(self.rng.dirichlet(np.ones(TOP)))[::-1] * (1 - share)
            shares = np.array([share, *np.minimum(rest[: TOP - 1], share)], np.float32)
            question = self.photo.style(self.random.choice(["What is this?", "What is it?", "What is shown here?", "What object is this?", "Name the object."]))
            k = self.random.random()
            if k < 0.6:
                turn = self.photo.name(question, None, int(seen[0]), share)
            elif k < 0.7:
                turn = self.photo.describe(SimpleNamespace(label=int(seen[0])), seen, shares)
            elif k < 0.85:
                turn = self.photo.kind(SimpleNamespace(label=int(seen[0]))) if share > 0.3 else None
            else:
                turn = self.photo.is_it(SimpleNamespace(label=int(seen[0])), seen) if share > 0.3 else None
            if turn is None:
                continue
            ids, labels = encoder.branch([(turn["question"], turn["answer"])])
            ids, labels = [IMAGE] * TOP + ids, [IGNORE] * TOP + labels
            if at + len(ids) > LENGTH:
                return row, told
            row[0, at : at + len(ids)], row[1, at : at + len(ids)], row[2, at : at + len(ids)] = ids, labels, branch
            row[3, at : at + len(ids)] = len(prefix) + GRID * GRID + np.arange(len(ids))
            told.append((seen, shares))
            at, branch = at + len(ids), branch + 1


def make_tokenizer(source, file, checkpoint):
    """The checkpoint's, or learned once from everything the model is to say; capitals and digits of drawn words stay single letters."""
    from tokenizers import Tokenizer

    if checkpoint and not file.exists():
        shutil.copy(checkpoint / "tokenizer.json", file)
    if not file.exists():
        lines = [SYSTEM + " USER: "] * 50
        for index in range(0, 4000):
            scene = source.pool.scene(index)
            scene = Scene([t for t in scene.things if t.kind != "text"], scene.photo)
            for turn in source.drawn_turns(scene, 5):
                lines += [turn["question"], " " + turn["answer"]]
        for p in source.photographs:
            if not p.held_out:
                lines += [" " + c for c in p.captions]
        for kind in classes():
            lines += [f" a {kind.name}."] * 4
        for _ in range(6000):
            turn = source.small.turn(source.random.random() < 0.5)
            lines += [turn["question"], " " + turn["answer"]]
        tokenizer = train_tokenizer(lines, VOCABULARY - 16)
        tokenizer.save(str(file))
        print("tokenizer:", tokenizer.get_vocab_size(), "tokens")
    return Tokenizer.from_file(str(file))


class Step:
    """One batch: forward to the loss."""

    def __init__(self, model, source, encoder, tower):
        self.model, self.source, self.encoder, self.tower = model, source, encoder, tower
        self.heads, self.taken = Heads(256) if tower else None, 0

    def __call__(self):
        source, rows, pictures, names = self.source, [], [], []
        self.taken += 1
        for kind, count in ROWS.items():
            for _ in range(count):
                if kind == "names":
                    row, told = source.names_row(self.encoder)
                    names += told
                else:
                    make = {"photo": source.photograph_row, "drawn": source.drawn_row, "pair": source.pair_row}[kind]
                    row, shown = make(self.encoder)
                    pictures += shown
                rows.append(row)
        rows = torch.from_numpy(np.stack(rows))
        squares, maps, seen, shares, index = (np.stack(x) for x in zip(*pictures))
        pixels = torch.from_numpy(normalise(jitter(source.rng, squares)))
        maps = torch.from_numpy(maps).float()
        maps = maps * (torch.rand(maps.shape[0], maps.shape[1], 1) > 0.1)  # forget a tenth of the cells
        model, mixture = self.model, self.model.mixture
        with torch.autocast("cpu", torch.bfloat16):
            with torch.set_grad_enabled(self.tower):
                patches = patch_features(model.base, pixels)
            tokens = mixture(patches, maps, torch.from_numpy(seen).long(), torch.from_numpy(shares))  # [n, 105, 256]
            flat = tokens.flatten(0, 1)
            if names:  # class tokens of the last rows, in their order
                told_seen, told_shares = (torch.from_numpy(np.stack(x)) for x in zip(*names))
                share = torch.stack([told_shares, (told_shares + 1e-3).log()], -1)
                told = mixture.class_vectors[told_seen] + mixture.rank + mixture.share_second(F.gelu(mixture.share_first(share)))
                flat = torch.cat([flat, told.to(flat.dtype).flatten(0, 1)])

            def put(ids, embeds):
                return embeds.masked_scatter((ids == IMAGE).unsqueeze(-1), flat.to(embeds.dtype))

            loss, right = language_loss(model.base, rows, put)
        told = {"tokens": right, "answers": loss.detach()}
        drawn = np.flatnonzero(index >= 0)
        if self.tower and len(drawn):
            arrays = source.pool.arrays
            truth = dense_truth(lambda name: arrays[name][index[drawn]], pixels.device)
            features = patches[drawn].float()
            dense, seen = dense_loss(self.heads, features.detach() if self.taken < HEADS_ALONE else features, truth, torch.from_numpy(arrays["photo"][index[drawn]]).long())
            loss, told = loss + DENSE_WEIGHT * dense, told | seen
        return loss, told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=Path(__file__).parent / "pocket.json")
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True, help="of training in all, those of earlier runs counted")
    parser.add_argument("--fall", type=int, default=0, help="how many of the last steps the learning rate falls over")
    parser.add_argument("--tower", action="store_true", help="the ViT trains too")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--tower-rate", type=float, default=2e-4)
    parser.add_argument("--start", type=Path, help="a model of pictograms alone (export.py) to start from; otherwise checkpoint/ goes on")
    parser.add_argument("--name", default="mixture")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    config = read_config(args.config)
    seed = random.SystemRandom().randrange(2**31)
    source = Source(config, read_photographs(args.photographs), seed)
    tokenizer = make_tokenizer(source, config["cache"] / "mixture-tokenizer.json", None if args.start else CHECKPOINT)
    encoder = Encoder(tokenizer, PICTURE_TOKENS)
    model = PocketMixture(VOCABULARY)
    file, step, used = config["cache"] / f"{args.name}.pt", 0, 0.0
    state = torch.load(file) if file.exists() else None
    if state:
        model.load_state_dict(state["model"])
        step, used = state["step"], state["minutes"]
    elif args.start:
        ready = source.ready["flickr"][:300]
        start(model, tokenizer, args.start, source.views["maps"][[i * VIEWS for i in ready]])
    else:
        load_mixture_folder(CHECKPOINT).give(model)
    model.train()
    for p in model.parameters():
        p.requires_grad_(False)
    make_step = Step(model, source, encoder, args.tower)
    groups = [(list(model.mixture.parameters()) + list(model.base.model.language_model.parameters()), 1.0)]
    if args.tower:
        groups.append((tower_parameters(model.base) + list(make_step.heads.parameters()), args.tower_rate / args.rate))
    split = []
    for parameters, scale in groups:
        for p in parameters:
            p.requires_grad_(True)
        split.append({"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.02, "scale": scale})
        split.append({"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0, "scale": scale})
    optimizer = torch.optim.AdamW(split, lr=args.rate, betas=(0.9, 0.98), fused=True)
    trained = [p for g in split for p in g["params"]]
    mean = [p.detach().clone() for p in trained]
    if state and len(state["mean"]) == len(mean):
        optimizer.load_state_dict(state["optimizer"])
        mean = state["mean"]
        if make_step.heads and state.get("heads"):
            make_step.heads.load_state_dict(state["heads"])
            make_step.taken = HEADS_ALONE
    warm, before, begun, saved, looked, average = step, used, time.time(), time.time(), time.time(), {}

    def keep():
        tmp = file.with_suffix(".tmp")
        heads = make_step.heads.state_dict() if make_step.heads else None
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean, "step": step, "minutes": used, "heads": heads}, tmp)
        os.replace(tmp, file)
        held = [p.detach().clone() for p in trained]
        with torch.no_grad():
            for p, m in zip(trained, mean):
                p.copy_(m)
            save(model, config["cache"] / f"{args.name}.safetensors")
            for p, h in zip(trained, held):
                p.copy_(h)

    while step < args.steps:
        rate = min(1, (step - warm + 1) / 150, max((args.steps - step) / args.fall, 0.02) if args.fall else 1)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * rate * group["scale"]
        loss, told = make_step()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        decay = min(EMA, (step + 1) / (step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(mean, [p.detach() for p in trained], 1 - decay)
        used = before + (time.time() - begun) / 60
        for name, value in {"loss": loss.detach(), **told}.items():
            value = float(value)
            if math.isfinite(value):
                average[name] = 0.98 * average.get(name, value) + 0.02 * value
        if step % 50 == 0:
            line = {"stage": args.name, "step": step, "minutes": round(used, 2), **{k: round(v, 4) for k, v in average.items()}}
            print(line, flush=True)
            with (config["cache"] / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
        if time.time() - saved > 180:
            keep()
            saved = time.time()
        if time.time() - looked > 120:
            source.refresh()
            looked = time.time()
    keep()
    print(f"{args.name} is done: {step} steps")


if __name__ == "__main__":
    main()
