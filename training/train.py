"""Trains Pocket LLaVA stage by stage; the same command runs on CPU cores, one GPU, or several through torchrun.

`python train.py vision|text|align|tune [--config pocket.json] [--minutes M]`
A stage resumes from its own checkpoint where it has one, and else starts from the newest checkpoint of the stages before it. Checkpoints
are saved every two minutes, points of the loss curve every 50 steps. The schedule (warm-up, then cosine) follows the share of the minutes
that has been used.
"""

import argparse
import json
import math
import os
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from data import Encoder, Pool, jitter, normalise, open_pools, read_config
from decoder import branch_mask, hidden_where
from model import SYSTEM, build_config, build_model, save_folder, train_tokenizer
from talk import PLACES, Talker
from world import CHARACTERS, CLASSES, COLOUR_NAMES, GRID, OBJECTS, SHAPE_CLASS, SHAPES, TEXT_CLASS, Scene

STAGES = ("vision", "text", "align", "tune")


class Run:
    """The state of a training run: device, rank, clock, model, tokenizer, checkpoint files."""

    def __init__(self, args):
        self.config = read_config(args.config)
        self.stage = args.stage
        self.options = self.config["stages"][args.stage]
        self.minutes = args.minutes or self.options["minutes"]
        self.folder = Path(self.config["cache"])
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        cuda = torch.cuda.is_available()
        if self.world > 1:
            dist.init_process_group("nccl" if cuda else "gloo")
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        torch.set_flush_denormal(True)
        seed = random.SystemRandom().randrange(2**31) if args.seed is None else args.seed
        self.rng = np.random.default_rng(seed + self.rank)
        self.talker = Talker(random.Random(seed + 7919 * self.rank))
        self.tokenizer = self._tokenizer()
        self.model = build_model(build_config(self.config["vocab_size"])).to(self.device)
        self.model.model.vision_tower.config._attn_implementation = "sdpa" if cuda else "eager"
        self.step, self.used, self.optimizer_state, self.heads_state = 0, 0.0, None, None
        self._load()
        self.pool = None if self.stage == "text" else Pool(self.folder / "pool", self.config["pictures"])

    def _tokenizer(self):
        """The tokenizer, trained once on talk about drawn scenes without printed words."""
        from tokenizers import Tokenizer

        file = self.folder / "tokenizer.json"
        if not file.exists():
            pool = Pool(self.folder / "pool", self.config["pictures"])
            talker = Talker(random.Random(1))
            lines = [SYSTEM + " USER: "] * 50
            for chunk in pool.chunks()[:16]:
                for i in range(500):
                    scene = pool.scene(chunk * 500 + i)
                    scene = Scene([t for t in scene.things if t.kind != "text"], scene.photo)
                    for turn in talker.turns(scene, 5) + [talker.small_talk(False)]:
                        lines += [turn["question"], " " + turn["answer"]]
            tokenizer = train_tokenizer(lines, self.config["vocab_size"] - 16)
            tokenizer.save(str(file))
            print("tokenizer:", tokenizer.get_vocab_size(), "tokens")
        return Tokenizer.from_file(str(file))

    def checkpoint(self, stage):
        return self.folder / f"{stage}.pt"

    def _load(self):
        own = self.checkpoint(self.stage)
        if own.exists():
            state = torch.load(own, map_location=self.device)
            self.step, self.used = state["step"], state["minutes"]
            self.optimizer_state, self.heads_state = state["optimizer"], state.get("heads")
            self.model.load_state_dict(state["model"])
            return
        before = STAGES[: STAGES.index(self.stage)]
        if self.stage == "text":
            before = ("vision",)
        for stage in reversed(before):
            if self.checkpoint(stage).exists():
                self.model.load_state_dict(torch.load(self.checkpoint(stage), map_location=self.device)["model"])
                print(f"starting from {stage}")
                return

    def save(self, optimizer, heads=None):
        if self.rank:
            return
        file = self.checkpoint(self.stage)
        state = {"model": self.model.state_dict(), "optimizer": optimizer.state_dict(), "step": self.step, "minutes": self.used}
        if heads is not None:
            state["heads"] = heads.state_dict()
        torch.save(state, file.with_suffix(".tmp"))
        os.replace(file.with_suffix(".tmp"), file)

    def talk(self, scene, n):
        """n turns about a scene, cut into conversations: most have one turn, some up to three."""
        turns = [(t["question"], t["answer"]) for t in self.talker.turns(scene, n)]
        found = []
        while turns:
            k = 1 if self.rng.random() < 0.8 else 3
            found.append(turns[:k])
            turns = turns[k:]
        return found

    def small_talk(self):
        """A conversation without a picture."""
        return [(t["question"], t["answer"]) for t in (self.talker.small_talk(False) for _ in range(2))]


class Heads(nn.Module):
    """Linear heads that predict the dense ground truth from patch features [n, width]; not part of the model."""

    def __init__(self, width):
        super().__init__()
        self.cls = nn.Linear(width, CLASSES)
        self.colour = nn.Linear(width, len(COLOUR_NAMES))
        self.character = nn.Linear(width, 2 * (len(CHARACTERS) + 1))
        self.box = nn.Linear(width, 4)
        self.centre = nn.Linear(width, 2)
        self.photo = nn.Linear(width, 2)


def tower_parameters(model):
    """The tower's parameters that influence vision_feature_layer −2: all but those of the last block and the last norm."""
    unused = ("post_layernorm", f".layers.{model.config.vision_config.num_hidden_layers - 1}.")
    return [p for n, p in model.model.vision_tower.named_parameters() if not any(part in n for part in unused)]


def patch_features(model, pixels, keep=None):
    """Features at vision_feature_layer −2 without the CLS token, [n, 3, H, W] → [n, patches, width]; the last block is not run.

    `keep` [n, k] holds the indices of the patches that go through the blocks; None means all.
    """
    tower = model.model.vision_tower
    tower = getattr(tower, "vision_model", tower)
    hidden = tower.pre_layrnorm(tower.embeddings(pixels))
    if keep is not None:
        rows = torch.cat([torch.zeros_like(keep[:, :1]), keep + 1], 1)
        hidden = hidden.gather(1, rows[..., None].expand(-1, -1, hidden.shape[-1]))
    for layer in tower.encoder.layers[:-1]:
        out = layer(hidden, attention_mask=None)
        hidden = out[0] if isinstance(out, tuple) else out
    return hidden[:, 1:]


def dense_truth(read, device):
    """What each patch shows, as tensors [n, patches, …], from read(name) → array [n, GRID, GRID, …]. "centre" is the center of the patch's
    thing, as a fraction of the picture's side."""
    take = lambda name: torch.from_numpy(read(name)).to(device).flatten(1, 2)
    cls, colour, character, box = take("cls").long(), take("colour").long(), take("character").long(), take("box").float()
    at = torch.arange(GRID * GRID, device=device)
    patch = (torch.stack([at % GRID, at.div(GRID, rounding_mode="floor")], 1) + 0.5) / GRID
    return {"cls": cls, "colour": colour, "character": character, "box": box, "centre": patch + box[..., :2]}


def dense_loss(heads, patches, truth, photo):
    """The heads' loss on patch features [n, patches, width], and the shares of objects and letters that are right."""
    cls, colour, character, box, centre = (truth[k].flatten(0, 1) for k in ("cls", "colour", "character", "box", "centre"))
    flat = patches.flatten(0, 1)  # [n · patches, width]
    weight = torch.ones(CLASSES, device=flat.device)
    weight[0] = 0.15
    things, text, coloured = cls > 0, cls == TEXT_CLASS, colour >= 0
    predicted = heads.cls(flat)
    loss = F.cross_entropy(predicted, cls, weight=weight) + 0.2 * F.cross_entropy(heads.photo(patches.mean(1)), photo)
    if coloured.any():
        loss = loss + 0.5 * F.cross_entropy(heads.colour(flat[coloured]), colour[coloured])
    if things.any():
        loss = loss + 8 * F.smooth_l1_loss(heads.box(flat[things]), box[things], beta=0.05)
        loss = loss + 8 * F.smooth_l1_loss(heads.centre(flat[things]), centre[things], beta=0.05)
    objects = things & (cls < SHAPE_CLASS)
    right = {"objects": (predicted[objects].argmax(-1) == cls[objects]).float().mean()}
    if text.any():
        letters = heads.character(flat[text]).view(-1, len(CHARACTERS) + 1)
        truth_letters = character[text].flatten()
        loss = loss + F.cross_entropy(letters, truth_letters)
        right["letters"] = (letters.argmax(-1) == truth_letters)[truth_letters > 0].float().mean()
    return loss, {name: value.detach() for name, value in right.items()}


def vision_stage(run):
    model, batch = run.model, run.options["per_device_train_batch_size"]
    heads = Heads(model.config.vision_config.hidden_size).to(run.device)
    trained = tower_parameters(model)
    pools = open_pools(run.config)

    def step():
        # Most patches are background. As in masked autoencoders, only some of them go through the blocks until the last part of the stage.
        picked = [pool.sample(run.rng, batch // 2) for pool in pools]
        read = lambda name: np.concatenate([pool.arrays[name][index] for pool, index in zip(pools, picked)])
        pixels = torch.from_numpy(normalise(jitter(run.rng, read("pictures")))).to(run.device)
        truth, keep = dense_truth(read, run.device), None
        if run.used / run.minutes < run.options["all_patches_after"]:
            score = torch.rand(truth["cls"].shape, device=run.device) + (truth["cls"] > 0)
            keep = score.topk(run.options["kept_patches"], 1).indices
            rows = torch.arange(len(keep), device=run.device)[:, None]
            truth = {name: values[rows, keep] for name, values in truth.items()}
        with torch.autocast(run.device.type, torch.bfloat16):
            patches = patch_features(model, pixels, keep)
        return dense_loss(heads, patches.float(), truth, torch.from_numpy(read("photo")).long().to(run.device))

    return step, [{"params": trained + list(heads.parameters())}], heads


def language_loss(model, rows, put_features=None):
    """Mean cross-entropy over the trained positions of int64 rows [n, 4, T] (data.Encoder.row), and the share that is right."""
    ids, labels, segments, positions = rows.unbind(1)
    embeds = model.get_input_embeddings()(ids)
    if put_features is not None:
        embeds = put_features(ids, embeds)
    wanted = F.pad(labels[:, 1:] != -100, (0, 1))
    logits = model.lm_head(hidden_where(model, embeds, positions, branch_mask(segments), wanted)).float()
    target = labels[:, 1:][wanted[:, :-1]]
    return F.cross_entropy(logits, target), (logits.argmax(-1) == target).float().mean()


def text_stage(run):
    """Trains the decoder on talk without pictures, so that it speaks before it sees."""
    model = run.model
    encoder = Encoder(run.tokenizer, 0)
    batch, length = run.options["per_device_train_batch_size"], run.options["row_tokens"]
    pool = Pool(run.folder / "pool", run.config["pictures"])

    def step():
        scenes = [pool.scene(int(index)) for index in pool.sample(run.rng, batch)]
        rows = [encoder.row(run.talk(scene, run.options["turns"]), [], length, pictures=0) for scene in scenes]
        with torch.autocast(run.device.type, torch.bfloat16):
            loss, right = language_loss(model, torch.from_numpy(np.stack(rows)).to(run.device))
        return loss, {"tokens": right}

    return step, [{"params": list(model.model.language_model.parameters())}], None


def word_table(tokenizer, vocabulary):
    """The tokens that say what a patch shows, as distributions over the vocabulary (rows sum to 1, or 0 where there is no word): float
    [CLASSES, vocabulary], [colors, vocabulary], [characters + 1, vocabulary], and [3 rows · 3 columns, vocabulary] for the place of its
    thing's center."""

    def rows(words):
        table = torch.zeros(len(words), vocabulary)
        for number, word in enumerate(words):
            for token in tokenizer.encode(word, add_special_tokens=False).ids if word else []:
                table[number, token] += 1
        return table / table.sum(1, keepdim=True).clamp(min=1)

    names = [""] + [" " + thing.name for thing in OBJECTS] + [" " + shape for shape in SHAPES] + [""]
    return rows(names), rows([" " + colour for colour in COLOUR_NAMES]), rows(["", *CHARACTERS]), rows([" " + PLACES[c, r] for r in range(3) for c in range(3)])


def conversation_stage(run, captions_only):
    model, image_token = run.model, run.model.config.image_token_index
    encoder = Encoder(run.tokenizer, model.config.image_seq_length)
    batch, length = run.options["per_device_train_batch_size"], run.options["row_tokens"]
    unfreeze_after = run.options.get("unfreeze_mm_vision_tower_after", 2.0)
    projector = list(model.model.multi_modal_projector.parameters())
    tower = tower_parameters(model)
    groups = [{"params": projector if captions_only else projector + list(model.model.language_model.parameters())}]
    heads = None
    if unfreeze_after <= 1:
        # A tower that is trained by answers alone forgets what it sees, so the dense ground truth goes on teaching it.
        heads = Heads(model.config.vision_config.hidden_size).to(run.device)
        if run.checkpoint("vision").exists():
            heads.load_state_dict(torch.load(run.checkpoint("vision"), map_location=run.device)["heads"], strict=False)
        groups.append({"params": tower, "lr_scale": run.options["mm_vision_tower_lr"] / run.options["learning_rate"]})
        groups.append({"params": list(heads.parameters())})
    names, colours, characters, places = (table.to(run.device) for table in word_table(run.tokenizer, run.config["vocab_size"]))
    place_tokens = places.any(0).nonzero()[:, 0]

    def row_of(index):
        scene = run.pool.scene(int(index))
        if captions_only:
            turns = [run.talker.caption(scene) if scene.things else run.talker.photo() for _ in range(2)]
            return encoder.row([[(t["question"], t["answer"])] for t in turns], [], length)
        alone = [run.small_talk()] if run.rng.random() < 0.15 else []
        return encoder.row(run.talk(scene, run.options["turns"]), alone, length)

    def words_loss(features, truth):
        """Cross-entropy of the words for what each patch shows, with its feature read as if it were the decoder's last hidden state."""
        cls, colour, character = truth["cls"], truth["colour"], truth["character"]
        things = cls > 0
        wanted = names[cls[things]] + colours[colour[things].clamp(min=0)] * (colour[things] >= 0)[:, None]
        wanted = wanted + characters[character[things][:, 0]] + characters[character[things][:, 1]]
        column, row = ((truth["centre"][things] >= 0.36).long() + (truth["centre"][things] >= 0.64)).unbind(1)
        wanted = wanted + places[3 * row + column]
        share = wanted.sum(1, keepdim=True)
        logits = model.lm_head(model.model.language_model.norm(features[things])).float()
        words = -((wanted / share.clamp(min=1)) * F.log_softmax(logits, -1)).sum(1)[share[:, 0] > 0].mean()
        # The places again, against each other only: without this a tower learns what a thing is but not where.
        return words + F.cross_entropy(logits[:, place_tokens], places[3 * row + column][:, place_tokens])

    planned = [run.pool.sample(run.rng, batch) for _ in range(3)]

    def step():
        planned.append(run.pool.sample(run.rng, batch))
        run.pool.expect(planned[-1])
        index = planned.pop(0)
        rows = torch.from_numpy(np.stack([row_of(i) for i in index])).to(run.device)
        pixels = torch.from_numpy(normalise(jitter(run.rng, run.pool.arrays["pictures"][index]))).to(run.device)
        frozen = run.used / run.minutes < unfreeze_after
        with torch.autocast(run.device.type, torch.bfloat16):
            with torch.set_grad_enabled(not frozen):
                patches = patch_features(model, pixels)
            features = model.model.multi_modal_projector(patches)

            def put(ids, embeds):
                return embeds.masked_scatter((ids == image_token).unsqueeze(-1), features.to(embeds.dtype))

            loss, right = language_loss(model, rows, put)
            truth = dense_truth(lambda name: run.pool.arrays[name][index], run.device)
            words = words_loss(features, truth)
        told = {"tokens": right, "answers": loss.detach(), "words": words.detach()}
        loss = loss + run.options["words_weight"] * words
        if not frozen:
            photo = torch.from_numpy(run.pool.arrays["photo"][index]).long().to(run.device)
            dense, seen = dense_loss(heads, patches.float(), truth, photo)
            loss, told = loss + run.options["dense_weight"] * dense, told | seen
        return loss, told

    return step, groups, heads


def train(run):
    stages = {
        "vision": vision_stage,
        "text": text_stage,
        "align": lambda r: conversation_stage(r, True),
        "tune": lambda r: conversation_stage(r, False),
    }
    for p in run.model.parameters():
        p.requires_grad_(False)
    step, groups, heads = stages[run.stage](run)
    decay = run.options["weight_decay"]
    split = []
    for group in groups:
        for p in group["params"]:
            p.requires_grad_(True)
        scale = group.get("lr_scale", 1.0)
        split.append({"params": [p for p in group["params"] if p.dim() > 1], "weight_decay": decay, "lr_scale": scale})
        split.append({"params": [p for p in group["params"] if p.dim() <= 1], "weight_decay": 0.0, "lr_scale": scale})
    optimizer = torch.optim.AdamW(split, lr=run.options["learning_rate"], betas=(0.9, 0.98))
    if run.heads_state:
        heads.load_state_dict(run.heads_state)
    if run.optimizer_state:
        optimizer.load_state_dict(run.optimizer_state)
        for group, asked in zip(optimizer.param_groups, split):  # the config may have changed since the checkpoint
            group.update(weight_decay=asked["weight_decay"], lr_scale=asked["lr_scale"])
    parameters = [p for g in split for p in g["params"]]
    sync_every = run.options.get("sync_every", 1)
    curve = run.folder / "curve.jsonl"
    before, begun, saved, pictures, average = run.used, time.time(), time.time(), 0, {}
    while run.used < run.minutes or run.step % sync_every:
        share = run.used / run.minutes
        rate = min(1, (run.step + 1) / run.options["warmup_steps"]) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = run.options["learning_rate"] * rate * group["lr_scale"]
        loss, right = step()
        optimizer.zero_grad()
        loss.backward()
        if run.world > 1 and sync_every == 1:
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
            flat = torch.cat([g.flatten() for g in grads])
            dist.all_reduce(flat)
            flat /= run.world
            for p, g in zip(parameters, flat.split([g.numel() for g in grads])):
                p.grad = g.view_as(p)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        run.step += 1
        pictures += run.options["per_device_train_batch_size"] * run.world
        run.used = before + (time.time() - begun) / 60
        if run.world > 1 and run.step % sync_every == 0:  # all processes follow rank 0's clock
            clock = torch.tensor([run.used], device=run.device)
            dist.broadcast(clock, 0)
            run.used = float(clock)
            if sync_every > 1:  # local SGD (Stich 2019): each process steps alone, then all average their weights
                with torch.no_grad():
                    flat = torch.cat([p.flatten() for p in parameters])
                    dist.all_reduce(flat)
                    for p, mean in zip(parameters, (flat / run.world).split([p.numel() for p in parameters])):
                        p.copy_(mean.view_as(p))
        if run.step % 10 == 0:
            for name, value in {"loss": loss.detach(), **right}.items():
                value = float(value)
                if math.isfinite(value):
                    average[name] = 0.9 * average.get(name, value) + 0.1 * value
        if run.step % 50 == 0 and run.rank == 0:
            line = {"stage": run.stage, "step": run.step, "minutes": round(run.used, 2)}
            line |= {"per_second": round(pictures / (time.time() - begun), 1)} | {k: round(v, 4) for k, v in average.items()}
            with curve.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(line, flush=True)
        if time.time() - saved > 120:
            run.save(optimizer, heads)
            saved = time.time()
            if run.stage == "tune" and run.rank == 0:
                save_folder(run.model, run.tokenizer, run.folder / "hf-latest")
    run.save(optimizer, heads)
    if run.rank == 0:
        save_folder(run.model, run.tokenizer, run.folder / "hf-latest")
        print(f"{run.stage} is done: {run.step} steps")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--config", default=Path(__file__).parent / "pocket.json")
    parser.add_argument("--minutes", type=float, help="of training in all; the config's otherwise")
    parser.add_argument("--seed", type=int)
    run = Run(parser.parse_args())
    train(run)


if __name__ == "__main__":
    main()
