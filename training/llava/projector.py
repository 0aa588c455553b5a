"""Projector-only checkpoints, in LLaVA's layout (`mm_projector.bin`) and in Hugging Face's (`projector.safetensors`)."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

BIN, SAFETENSORS = "mm_projector.bin", "projector.safetensors"
LAYERS = {"linear_1": "0", "linear_2": "2"}


def write_projector(folder, state):
    """Writes both files from a state dict of the whole model or of the projector."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ours = {}
    for name, tensor in state.items():
        if "multi_modal_projector." in name:
            ours[name.rsplit("multi_modal_projector.", 1)[1]] = tensor.detach().cpu().contiguous()
    if not ours:
        raise ValueError("There is no projector among these weights.")
    save_file({f"multi_modal_projector.{name}": tensor for name, tensor in ours.items()}, folder / SAFETENSORS)
    theirs = {}
    for name, tensor in ours.items():
        layer, kind = name.split(".")
        theirs[f"model.mm_projector.{LAYERS[layer]}.{kind}"] = tensor
    torch.save(theirs, folder / BIN)


def read_projector(path):
    """The projector's state dict by the names of transformers' class, from a file or a folder in either layout."""
    path = Path(path)
    if path.is_dir():
        path = next((path / name for name in (SAFETENSORS, BIN) if (path / name).is_file()), path / BIN)
    if not path.is_file():
        raise ValueError(f"There is no projector at {path}. Give {BIN} or {SAFETENSORS} of a first stage.")
    state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    numbers = {number: layer for layer, number in LAYERS.items()}
    found = {}
    for name, tensor in state.items():
        if "mm_projector." in name:
            number, kind = name.rsplit("mm_projector.", 1)[1].split(".")
            found[f"{numbers.get(number, number)}.{kind}"] = tensor
        elif "multi_modal_projector." in name:
            found[name.rsplit("multi_modal_projector.", 1)[1]] = tensor
    if not found:
        raise ValueError(f"{path} holds no projector; its first tensor is {next(iter(state), 'none')}.")
    return found


def load_projector(model, path):
    """Puts a projector's weights into a LLaVA; ValueError where its shapes are of another model's."""
    target, state = projector_of(model), read_projector(path)
    wanted = {name: tuple(tensor.shape) for name, tensor in target.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if wanted != given:
        raise ValueError(f"The projector at {path} is of another model: it has {given}, and this model needs {wanted}.")
    target.load_state_dict(state)


def projector_of(model):
    """The projector of a LLaVA of transformers, also inside PEFT's wrappers."""
    return next(module for name, module in model.named_modules() if name.endswith("multi_modal_projector"))
