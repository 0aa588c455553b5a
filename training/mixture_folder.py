"""Writes a mixture model as a checkpoint folder that `llava convert` reads, and says what such a folder computes.

Layout beside a Hugging Face LLaVA folder: `model_type` is "llava_mixture"; `classifier_config` has the classifier's shape; tensors are

    language_model.*, vision_tower.*           as in llava-hf checkpoints
    classifier.*                               the convolutions, batch normalization folded in
    multi_modal_projector.linear_1, linear_2   over [tower ⊕ classifier] features; the whitening of the maps is folded in
    class_tokens.embedding, rank, share_1, share_2
    photograph.weight, bias                    over the mean of the classifier's map: positive for photographs

Any of them may be int8 with a scale per row beside it, `<name>_step`: the classifier's matrices always are, and with `packed` all large ones
are, which halves the folder. What the folder holds is the model; `load_mixture_folder` gives it in fp32.

`Reference` is the arithmetic of the converted vision graph, from pixels on.
"""

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import LlavaConfig, LlavaForConditionalGeneration

from lite0 import Lite
from mixture import Mixture
from model import IMAGE_MEAN, IMAGE_STD, export_tensors, llava_hf_name, save_folder, write_json


def as_bytes(weight):
    """float [rows, …] → int8 of the same shape and float scales [rows], symmetric; what they stand for is what the checkpoint means."""
    rows = weight.detach().float().flatten(1)
    scales = rows.abs().amax(1).clamp(min=1e-12) / 127
    return (rows / scales[:, None]).round().clamp(-127, 127).to(torch.int8).view(weight.shape).contiguous(), scales


def classifier_tensors(net):
    """The classifier's tensors by their names in the folder; the net's own weights become what the folder holds."""
    tensors = {}
    for name, value in net.named_parameters():
        if name.endswith(".weight"):
            whole, scales = as_bytes(value)
            tensors[f"classifier.{name}"], tensors[f"classifier.{name}_step"] = whole, scales
            value.data = whole.float() * scales.view(-1, *[1] * (value.dim() - 1))
        else:
            tensors[f"classifier.{name}"] = value.detach().half()
            value.data = value.data.half().float()
    return tensors


def packed(tensors, most=2**14):
    """The same tensors with matrices of at least `most` values as int8 with a scale per row."""
    found = {}
    for name, value in tensors.items():
        if value.dim() > 1 and value.numel() >= most and value.is_floating_point():
            found[name], found[f"{name}_step"] = as_bytes(value)
        else:
            found[name] = value
    return found


def unpacked(tensors):
    """What the tensors of a folder stand for, in fp32."""
    found = {}
    for name, value in tensors.items():
        if not name.endswith("_step"):
            steps = tensors.get(f"{name}_step")
            found[name] = value.float() if steps is None else value.float() * steps.view(-1, *[1] * (value.dim() - 1))
    return found


def folded_projector(mixture):
    """linear_1 with the whitening of the classifier's maps inside. The rows of the spreading matrix sum to one, so a constant passes it."""
    width = mixture.first.weight.shape[1] - mixture.map_mean.numel()
    weight, bias = mixture.first.weight.detach().clone(), mixture.first.bias.detach().clone()
    weight[:, width:] *= mixture.map_scale
    return weight, bias - weight[:, width:] @ mixture.map_mean


def mixture_tensors(mixture, photograph):
    weight, bias = folded_projector(mixture)
    return {
        "multi_modal_projector.linear_1.weight": weight,
        "multi_modal_projector.linear_1.bias": bias,
        "multi_modal_projector.linear_2.weight": mixture.second.weight,
        "multi_modal_projector.linear_2.bias": mixture.second.bias,
        "class_tokens.embedding.weight": mixture.class_vectors,
        "class_tokens.rank": mixture.rank,
        "class_tokens.share_1.weight": mixture.share_first.weight,
        "class_tokens.share_1.bias": mixture.share_first.bias,
        "class_tokens.share_2.weight": mixture.share_second.weight,
        "class_tokens.share_2.bias": mixture.share_second.bias,
        "photograph.weight": photograph.weight,
        "photograph.bias": photograph.bias,
    }


def save_mixture_folder(base, mixture, net, photograph, tokenizer, folder, image_size, stages, files=(), pack=False):
    """`base` is the LlavaForConditionalGeneration with tower and decoder, `photograph` a Linear(features, 1). Afterwards all weights in
    memory are what the folder holds (unless it is packed), so that a reference can be computed from them."""
    folder = Path(folder)
    with torch.no_grad():
        for tensor in [*base.state_dict().values(), *mixture.parameters(), *photograph.parameters()]:
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
    work = folder.with_name(folder.name + ".mixture")
    save_folder(base, tokenizer, work)
    tensors = {name: value for name, value in export_tensors(base, torch.float16).items() if not name.startswith("multi_modal_projector.")}
    own = {name: value.detach().half().contiguous().clone() for name, value in mixture_tensors(mixture, photograph).items()}
    tensors |= own
    save_file((packed(tensors) if pack else tensors) | classifier_tensors(net), work / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((work / "config.json").read_text())
    side = config["vision_config"]["image_size"] // config["vision_config"]["patch_size"]
    config |= {
        "architectures": ["LlavaMixtureForConditionalGeneration"],
        "model_type": "llava_mixture",
        "image_seq_length": side * side + mixture.rank.shape[0],
        "projector_hidden_size": mixture.first.weight.shape[0],
        "classifier_config": {
            "model_type": "efficientnet_lite",
            "image_size": image_size,
            "stem_channels": net.stem.weight.shape[0],
            "stages": [list(stage) for stage in stages],
            "head_channels": net.head.weight.shape[0],
            "num_labels": net.classifier.weight.shape[0],
            "class_tokens": mixture.rank.shape[0],
        },
    }
    write_json(work / "config.json", config)
    processor = json.loads((work / "preprocessor_config.json").read_text())
    processor |= {"size": {"shortest_edge": image_size}, "crop_size": {"height": image_size, "width": image_size}}
    write_json(work / "preprocessor_config.json", processor)
    for file in files:
        shutil.copy(file, work / ("README.md" if Path(file).name == "MODEL_CARD.md" else Path(file).name))
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)


def load_mixture_folder(folder):
    """A folder's model in fp32: a PocketModel."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    shape = config["classifier_config"]
    tensors = unpacked(load_file(folder / "model.safetensors"))
    base = LlavaForConditionalGeneration(LlavaConfig(**(config | {"model_type": "llava"}))).float()
    with torch.no_grad():
        for name, value in base.state_dict().items():
            if name.startswith(("model.multi_modal_projector.", "lm_head.")) or name.endswith("position_ids"):
                continue
            if llava_hf_name(name) not in tensors:
                raise ValueError(f"{folder} has no tensor {llava_hf_name(name)}")
            value.copy_(tensors[llava_hf_name(name)])
        base.tie_weights()
    stages = [tuple(stage) for stage in shape["stages"]]
    net = Lite(stages, shape["stem_channels"], shape["head_channels"], shape["num_labels"])
    net.load_state_dict({name.removeprefix("classifier."): value for name, value in tensors.items() if name.startswith("classifier.")})
    projector = (tensors["multi_modal_projector.linear_1.weight"], tensors["multi_modal_projector.linear_1.bias"])
    embedding, vision = tensors["class_tokens.embedding.weight"], config["vision_config"]
    cells = shape["image_size"] // (2 * math.prod(stage[3] for stage in stages))
    grid, features = vision["image_size"] // vision["patch_size"], stages[-1][1]
    middle, (classes, width) = projector[0].shape[0], embedding.shape
    mixture = Mixture(vision["hidden_size"], features, middle, width, classes, shape["class_tokens"], cells, grid)
    photograph = nn.Linear(features, 1)
    with torch.no_grad():
        for name, value in mixture_tensors(mixture, photograph).items():
            value.copy_(tensors[name])  # but for linear_1, of which it has a copy
    for module in (base.model.vision_tower, mixture, net, photograph):
        module.double()
    return PocketModel(base.eval(), Reference(base, mixture, net, photograph, [x.double() for x in projector]), shape["image_size"])


@dataclass
class PocketModel:
    """A LLaVA whose picture tokens come from `encode`: float [n, 3, side, side] of CLIP-normalized pixels → [n, tokens, width].

    Its towers compute in fp64: in fp32 PyTorch's rounding alone moves a token's values by 0.03 of 40, six times as much as the graph's."""

    base: LlavaForConditionalGeneration
    reference: "Reference"
    side: int

    def encode(self, pixels):
        return self.reference(pixels.double())[0].float()

    def give(self, model):
        """Copies the weights into a PocketMixture, to go on training."""
        with torch.no_grad():
            model.base.model.vision_tower.load_state_dict(self.base.model.vision_tower.state_dict())
            model.base.model.language_model.load_state_dict(self.base.model.language_model.state_dict())
            model.mixture.load_state_dict(self.reference.mixture.state_dict())
            for mine, value in zip((model.mixture.first.weight, model.mixture.first.bias), self.reference.first):
                mine.copy_(value)

    @property
    def rows(self):
        """Tokens of a picture."""
        return self.reference.mixture.rank.shape[0] + self.reference.mixture.spread.shape[0]


def resize_matrix(source, target):
    """float [target, source]: cubic interpolation with a = −0.5 over a widened support, as Pillow's BICUBIC resizes one axis."""
    scale = source / target
    support = 2 * max(scale, 1)
    matrix = torch.zeros(target, source, dtype=torch.float64)
    for i in range(target):
        center = (i + 0.5) * scale
        first, last = max(int(center - support + 0.5), 0), min(int(center + support + 0.5), source)
        x = ((torch.arange(first, last, dtype=torch.float64) - center + 0.5) / max(scale, 1)).abs()
        a = -0.5
        near, far = ((a + 2) * x - (a + 3)) * x * x + 1, (((x - 5) * x + 8) * x - 4) * a
        weights = torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
        matrix[i, first:last] = weights / weights.sum()
    return matrix.float()


class Reference:
    """float [n, 3, S, S] of CLIP-normalized pixels at the classifier's side → picture tokens, class shares and the photograph's logit,
    from the very weights that a folder holds."""

    def __init__(self, base, mixture, net, photograph, first=None):
        """`first`: weight and bias of the projector's first layer as the folder has them, if they are known."""
        self.base, self.mixture, self.net, self.photograph = base.eval(), mixture, net.eval(), photograph
        self.first = first or tuple(x.half().float() for x in folded_projector(mixture))

    @torch.no_grad()
    def __call__(self, pixels):
        mean, deviation = (torch.tensor(x, dtype=pixels.dtype).view(1, 3, 1, 1) for x in (IMAGE_MEAN, IMAGE_STD))
        classed = (pixels * deviation + mean) * (255 / 128) - 127 / 128
        maps, logits = self.net(classed)
        side = self.base.config.vision_config.image_size
        matrix = resize_matrix(pixels.shape[-1], side).to(pixels.dtype)
        small = (matrix @ (classed @ matrix.T)).clamp(-127 / 128, 1)
        tower = self.base.model.vision_tower(
            ((small + 127 / 128) * (128 / 255) - mean) / deviation, output_hidden_states=True
        ).hidden_states[-2][:, 1:]
        cells = maps.flatten(2).transpose(1, 2)
        joined = torch.cat([tower, self.mixture.spread @ cells], -1)
        tokens = self.mixture.second(F.gelu(F.linear(joined, *self.first)))
        shares, seen = logits.softmax(-1).topk(self.mixture.rank.shape[0], -1)
        m = self.mixture
        told = m.class_vectors[seen] + m.rank + m.share_second(F.gelu(m.share_first(torch.stack([shares, (shares + 1e-3).log()], -1))))
        return torch.cat([tokens, told], 1), shares, self.photograph(cells.mean(1))
