"""Hugging Face's Trainer with LLaVA's sampler, a learning rate of its own for the projector, and small checkpoints of the first stage."""

from pathlib import Path

import torch
from transformers import PreTrainedModel, Trainer

from .projector import load_projector, write_projector
from .sampler import ModalitySampler


class LlavaTrainer(Trainer):
    def __init__(self, *args, projector_only=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.projector_only = projector_only

    def _get_train_sampler(self, train_dataset=None):
        dataset = self.train_dataset if train_dataset is None else train_dataset
        if not self.args.group_by_modality_length:
            return super()._get_train_sampler(dataset)
        world = self.args.world_size * self.args.gradient_accumulation_steps
        return ModalitySampler(dataset.modality_lengths, self.args.train_batch_size, world, self.args.seed)

    def create_optimizer(self, model=None):
        """Groups by learning rate and weight decay, as LLaVA's trainer makes them."""
        model = self.model if model is None else model
        if self.optimizer is not None:
            return self.optimizer
        own = {"multi_modal_projector": self.args.mm_projector_lr, "vision_tower": self.args.mm_vision_tower_lr}
        decayed, groups = set(self.get_decay_parameter_names(model)), {}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                rate = next((rate for part, rate in own.items() if part in name and rate is not None), self.args.learning_rate)
                groups.setdefault((name in decayed, rate), []).append(parameter)
        make, options = self.get_optimizer_cls_and_kwargs(self.args, model)
        self.optimizer = make(
            [{"params": p, "weight_decay": self.args.weight_decay if decays else 0.0, "lr": rate} for (decays, rate), p in groups.items()],
            **options,
        )
        return self.optimizer

    def _save(self, output_dir=None, state_dict=None):
        if not self.projector_only:
            return super()._save(output_dir, state_dict)
        # Of the first stage only the projector is new, and a checkpoint of it resumes all the same. Every process comes here with
        # `state_dict` where weights are split over processes; the first one's is whole.
        if not self.args.should_save:
            return None
        folder = Path(output_dir or self.args.output_dir)
        write_projector(folder, self.model.state_dict() if state_dict is None else state_dict)
        self.accelerator.unwrap_model(self.model).config.save_pretrained(folder)
        self.processing_class.save_pretrained(folder)
        torch.save(self.args, folder / "training_args.bin")
        return None

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None):
        model = self.model if model is None else model
        if self.projector_only:
            load_projector(model, resume_from_checkpoint)
        elif isinstance(model, PreTrainedModel) and not self.is_fsdp_enabled:
            # The Trainer compares the names in the file with the model's, and files of LLaVA are written with older names than that;
            # `from_pretrained` knows both.
            saved = type(model).from_pretrained(resume_from_checkpoint, dtype=model.dtype)
            model.load_state_dict(saved.state_dict())
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
