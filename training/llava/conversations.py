"""LLaVA's training data: JSON lists or JSON lines of {id, image?, conversations: [{from, value}]}, several files with weights.

Pictures are only looked for here, and opened when their sample is taken. What can't be used is left out and counted by reason.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .templates import IMAGE, Turn

SPEAKERS = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


@dataclass(frozen=True)
class Sample:
    """`pictures` are paths. `words` is LLaVA's measure of a conversation's length for its sampler: words of all turns."""

    id: str
    turns: tuple[Turn, ...]
    pictures: tuple[Path, ...] = ()
    system: str | None = None

    @property
    def words(self):
        return sum(len(turn.text.split()) for turn in self.turns)


@dataclass
class Data:
    samples: list[Sample] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)

    def report(self):
        """One sentence for the start of training."""
        with_pictures = sum(bool(sample.pictures) for sample in self.samples)
        text = f"{len(self.samples)} conversations, {with_pictures} of them with pictures"
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.left_out.most_common())
        return f"{text}; left out: {reasons}" if reasons else text


def read_data(files, image_folder=None, weights=None, seed=0):
    """All samples of all files. A weight of 0.5 takes every second sample of its file by a draw from `seed`, 2 takes each twice.

    Raises ValueError where a file is no such data, and where nothing in it can be used.
    """
    weights = [1.0] * len(files) if not weights else weights
    if len(weights) != len(files):
        raise ValueError(f"There are {len(files)} data files and {len(weights)} weights. Give one weight for each file, or none.")
    data, rng = Data(), random.Random(seed)
    for file, weight in zip(files, weights, strict=True):
        if not weight >= 0:
            raise ValueError(f"The weight {weight} of {file} is below zero.")
        found = Data()
        for entry in read_entries(Path(file)):
            sample = sample_of(entry, Path(image_folder) if image_folder else Path(file).parent)
            if isinstance(sample, Sample):
                found.samples.append(sample)
            else:
                found.left_out[sample] += 1
        if not found.samples:
            raise ValueError(f"{file} holds no conversation that can be learned from; {found.report()}.")
        data.left_out += found.left_out
        whole = int(weight)
        data.samples += found.samples * whole
        data.samples += rng.sample(found.samples, round((weight - whole) * len(found.samples)))
    if not data.samples:
        raise ValueError("The weights leave no conversation to train on.")
    return data


def read_entries(file):
    """The objects of a JSON list or of JSON lines."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The data file {file} can't be read: {error}") from error
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"The data file {file} is no valid JSON from line {error.lineno} on: {error.msg}.") from error
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise ValueError(f"Line {number} of {file} is no valid JSON: {error.msg}. Each line is one conversation.") from error
    return entries


def sample_of(entry, image_folder):
    """A Sample, or why it is left out. A leading answer is dropped, as LLaVA drops it."""
    turns, system = [], None
    conversations = entry.get("conversations") if isinstance(entry, dict) else None
    if not isinstance(conversations, list):
        return "without a list of conversations"
    for turn in conversations:
        role = SPEAKERS.get(str(turn.get("from", turn.get("role", ""))).lower()) if isinstance(turn, dict) else None
        text = turn.get("value", turn.get("content")) if isinstance(turn, dict) else None
        if role is None or not isinstance(text, str):
            return "with a turn of an unknown speaker or without text"
        if role == "system":
            system = text
        elif role == "assistant" and not turns:
            continue
        else:
            turns.append(Turn(role, text))
    if any(turn.role != ("user", "assistant")[number % 2] for number, turn in enumerate(turns)):
        return "whose turns don't alternate"
    if len(turns) % 2:
        turns.pop()
    if not turns:
        return "without an answer"
    names = entry.get("image", entry.get("images"))
    names = [] if names is None else names if isinstance(names, list) else [names]
    places = sum(turn.text.count(IMAGE) for turn in turns)
    if any(IMAGE in turn.text for turn in turns if turn.role == "assistant"):
        return "with <image> in an answer"
    if places != len(names):
        return "with more places for pictures than pictures" if places > len(names) else "with more pictures than places for them"
    pictures = tuple(image_folder / name for name in names)
    if not all(picture.is_file() for picture in pictures):
        return "whose picture is missing"
    return Sample(str(entry.get("id", "")), tuple(turns), pictures, system)
