"""Samples as tensors: pictures opened when they are asked for, text tokenized with its labels, batches padded on the right."""

import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset

from .masks import IGNORE, spread_pictures, tokenize
from .templates import IMAGE, render


class Conversations(Dataset):
    """Items are dicts of `input_ids` and `labels` [tokens] and, with pictures, what the processor makes of them."""

    def __init__(self, samples, processor, template, max_length=2048, aspect="pad"):
        self.samples, self.processor, self.template = samples, processor, template
        self.max_length, self.aspect = max_length, aspect
        self.image = processor.tokenizer.convert_tokens_to_ids(IMAGE)

    def __len__(self):
        return len(self.samples)

    @property
    def modality_lengths(self):
        """Words of each sample, negative for text alone, as LLaVA's sampler wants them."""
        return [max(1, s.words) * (1 if s.pictures else -1) for s in self.samples]

    def __getitem__(self, number):
        sample = self.samples[number]
        seen = [self.see(picture) for picture in sample.pictures]
        pieces = render(self.template, sample.turns, sample.system, self.processor.tokenizer)
        ids, labels = tokenize(self.processor.tokenizer, pieces)
        ids, labels = spread_pictures(ids, labels, self.image, [count for count, _ in seen])
        cut = ids[: self.max_length]
        if self.image in ids[self.max_length :]:
            raise ValueError(f"Conversation {sample.id}: its pictures don't fit --model_max_length {self.max_length}; give more tokens.")
        item = {"input_ids": torch.tensor(cut), "labels": torch.tensor(labels[: self.max_length])}
        for key in ("pixel_values", "image_sizes"):
            if seen and key in seen[0][1]:
                item[key] = torch.cat([tensors[key] for _, tensors in seen])
        return item

    def see(self, path):
        """How many features a picture has, and the processor's tensors of it."""
        try:
            with Image.open(path) as file:
                picture = ImageOps.exif_transpose(file).convert("RGB")
        except OSError as error:
            raise ValueError(f"The picture {path} can't be opened: {error}") from error
        if self.aspect == "pad":
            picture = padded(picture, self.processor.image_processor.image_mean)
        # The processor knows how many places its model's features take, whatever the class.
        made = self.processor(images=[picture], text=IMAGE, return_tensors="pt")
        return int((made["input_ids"] == self.image).sum()), made


def padded(picture, mean):
    """LLaVA-1.5's `expand2square`: the picture in the middle of a square of the mean color."""
    side = max(picture.size)
    square = Image.new("RGB", (side, side), tuple(int(part * 255) for part in mean))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


class Collator:
    """Batches: `input_ids`, `labels` and `attention_mask` [batch, longest], and the pictures of all items together.

    A batch without any picture gets `blank`, (features, tensors) of an empty one, behind the first item's text, where nothing attends to
    it: so every process's projector has a gradient, which DDP and ZeRO wait for, and it is zero.
    """

    def __init__(self, pad, image, blank=None):
        self.pad, self.image, self.blank = pad, image, blank

    def __call__(self, items):
        seen = [item for item in items if "pixel_values" in item]
        places = self.blank[0] if self.blank and not seen else 0
        longest = max([len(items[0]["input_ids"]) + places, *(len(item["input_ids"]) for item in items)])
        batch = {
            "input_ids": torch.full((len(items), longest), self.pad),
            "labels": torch.full((len(items), longest), IGNORE),
            "attention_mask": torch.zeros(len(items), longest, dtype=torch.long),
        }
        for row, item in enumerate(items):
            size = len(item["input_ids"])
            batch["input_ids"][row, :size] = item["input_ids"]
            batch["labels"][row, :size] = item["labels"]
            batch["attention_mask"][row, :size] = 1
        if places:
            size = len(items[0]["input_ids"])
            batch["input_ids"][0, size : size + places] = self.image
            seen = [self.blank[1]]
        for key in ("pixel_values", "image_sizes"):
            parts = [item[key] for item in seen if key in item]
            if parts:
                batch[key] = joined(parts)
        return batch


def joined(parts):
    """One tensor of all pictures; those of anyres with fewer tiles are filled up with zeros, which the model leaves out again."""
    if parts[0].dim() < 5:
        return torch.cat(parts)
    most = max(part.shape[1] for part in parts)
    return torch.cat([torch.nn.functional.pad(part, (0, 0) * 3 + (0, most - part.shape[1])) for part in parts])
