"""Both stages of LLaVA: `python -m llava.train --help`, or under `torchrun`, `accelerate launch` or `deepspeed`.

Options are LLaVA's and those of transformers' TrainingArguments; the scripts in `llava/scripts` hold its recipes. A run that finds
`checkpoint-*` in its output folder goes on from the last of them. What comes out is a Hugging Face folder, a PEFT adapter
(`--lora_enable`), or a projector (`--tune_mm_mlp_adapter`), which `llava convert` takes as they are.
"""

import atexit
import os
import sys
from pathlib import Path

import torch
from PIL import Image
from transformers import HfArgumentParser, set_seed
from transformers.trainer_utils import get_last_checkpoint

from .arguments import DataArguments, LlavaArguments, ModelArguments, problem_of
from .build import build
from .conversations import read_data
from .dataset import Collator, Conversations
from .trainer import LlavaTrainer


def main(argv=None):
    model_args, data_args, training = HfArgumentParser((ModelArguments, DataArguments, LlavaArguments)).parse_args_into_dataclasses(argv)
    problem = problem_of(model_args, data_args, training)
    if problem:
        raise ValueError(problem)
    set_seed(training.seed)
    # Pictures and labels are columns that the model's forward does not name.
    training.remove_unused_columns = False
    training.label_names = ["labels"]
    data = read_data(data_args.data_path, data_args.image_folder, data_args.data_weights, training.seed)
    held_out = read_data(data_args.validation_data_path, data_args.image_folder) if data_args.validation_data_path else None
    if training.process_index == 0:
        print(f"Training on {data.report()}.")
        if held_out:
            print(f"Validation on {held_out.report()}.")
    if training.deepspeed and training.use_cpu:
        # accelerate starts DeepSpeed's communication for accelerators alone, and ZeRO-3 would split the weights for one process.
        from deepspeed import init_distributed

        init_distributed(dist_backend="gloo")
    model, processor = build(model_args, training)
    if training.process_index == 0:
        # Under ZeRO-3 a parameter is empty here, and `ds_numel` is its size.
        sizes = [(getattr(p, "ds_numel", p.numel()), p.requires_grad) for p in model.parameters()]
        print(f"{sum(size for size, trains in sizes if trains):,} of {sum(size for size, _ in sizes):,} parameters train.")
    trainer = trainer_for(model, processor, model_args, data_args, training, data, held_out)
    trainer.train(resume_from_checkpoint=last_checkpoint(training.output_dir))
    trainer.save_state()
    trainer.save_model(training.output_dir)
    if training.process_index == 0:
        processor.save_pretrained(training.output_dir)
    # A process that ends while another still writes takes the group from under it.
    trainer.accelerator.wait_for_everyone()
    return trainer


def trainer_for(model, processor, model_args, data_args, training, data, held_out=None):
    """The Trainer over the data; `held_out` may be None."""
    if model_args.compile:
        training.torch_compile = True
    options = {"processor": processor, "template": model_args.version, "max_length": training.model_max_length}
    train = Conversations(data.samples, aspect=data_args.image_aspect_ratio, **options)
    validation = Conversations(held_out.samples, aspect=data_args.image_aspect_ratio, **options) if held_out else None
    pad = processor.tokenizer.pad_token_id
    return LlavaTrainer(
        model=model,
        args=training,
        train_dataset=train,
        eval_dataset=validation,
        data_collator=Collator(pad, train.image, blank_picture(processor) if any(not s.pictures for s in data.samples) else None),
        processing_class=processor,
        projector_only=model_args.tune_mm_mlp_adapter,
    )


def blank_picture(processor):
    """(features, tensors) of an empty picture, for batches of text alone."""
    made = processor(images=[Image.new("RGB", (32, 32))], text="<image>", return_tensors="pt")
    return int((made["input_ids"] == processor.tokenizer.convert_tokens_to_ids("<image>")).sum()), made


def last_checkpoint(folder):
    return get_last_checkpoint(folder) if Path(folder).is_dir() else None


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"llava.train: {error}")
    finally:
        shared = torch.distributed.is_initialized()
        if shared:
            torch.distributed.destroy_process_group()
    if shared:
        # Threads of DeepSpeed's communication on the CPU are not joined: now and then they abort a process that has done all its work
        # while the interpreter takes itself down. So what is registered for the end runs, and the rest is left out.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
