"""What can be set, in the names and with the defaults of LLaVA's train.py, and what its users asked for besides."""

from dataclasses import dataclass, field

from transformers import TrainingArguments

from .templates import template_names


@dataclass
class ModelArguments:
    model_name_or_path: str = field(metadata={"help": "a language model, or a LLaVA to go on from: a folder or a name on the hub"})
    version: str = field(default="v1", metadata={"help": f"conversation template: {', '.join(template_names())}"})
    vision_tower: str | None = field(default=None, metadata={"help": "a CLIP or SigLIP model; needed where the model is no LLaVA yet"})
    mm_vision_select_layer: int = field(default=-2, metadata={"help": "whose hidden states are the features; LLaVA's scripts say -2"})
    mm_vision_select_feature: str = field(default="patch", metadata={"help": "patch, or cls_patch to keep the class token"})
    mm_projector_type: str = field(default="mlp2x_gelu", metadata={"help": "mlp2x_gelu; LLaVA's class in transformers has no other"})
    pretrain_mm_mlp_adapter: str | None = field(default=None, metadata={"help": "a projector of the first stage, in either layout"})
    tune_mm_mlp_adapter: bool = field(default=False, metadata={"help": "train the projector alone: the first stage"})
    freeze_mm_mlp_adapter: bool = False
    freeze_backbone: bool = field(default=False, metadata={"help": "the language model stays as it is"})
    unfreeze_mm_vision_tower: bool = field(default=False, metadata={"help": "the vision tower trains, too, as in LLaVA-1.6"})
    compile: bool = field(default=False, metadata={"help": "torch.compile; worth it on GPUs for runs of an hour and more"})


@dataclass
class DataArguments:
    data_path: list[str] = field(metadata={"help": "LLaVA's JSON, or JSON lines; several files may be given"})
    data_weights: list[float] | None = field(default=None, metadata={"help": "how often each file is taken, 1 each by default"})
    validation_data_path: list[str] | None = field(default=None, metadata={"help": "its loss is logged with --eval_strategy"})
    image_folder: str | None = field(default=None, metadata={"help": "where pictures lie; beside each data file by default"})
    image_aspect_ratio: str = field(default="pad", metadata={"help": "pad, square, or anyres for a model of 1.6 or OneVision"})
    is_multimodal: bool = field(default=True, metadata={"help": "kept for LLaVA's scripts; the data says which samples have pictures"})
    lazy_preprocess: bool = field(default=True, metadata={"help": "kept for LLaVA's scripts; pictures are always opened when needed"})


@dataclass
class LlavaArguments(TrainingArguments):
    model_max_length: int = field(default=2048, metadata={"help": "tokens of a conversation with its pictures; longer ones are cut"})
    group_by_modality_length: bool = False
    mm_projector_lr: float | None = field(default=None, metadata={"help": "a learning rate of its own for the projector"})
    mm_vision_tower_lr: float | None = field(default=None, metadata={"help": "a learning rate of its own for the vision tower"})
    bits: int = field(default=16, metadata={"help": "4 or 8 quantizes the frozen language model (QLoRA); needs bitsandbytes and a GPU"})
    double_quant: bool = True
    quant_type: str = "nf4"
    lora_enable: bool = False
    lora_r: int = 64
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    lora_bias: str = "none"
    warmup_ratio: float = field(default=0.0, metadata={"help": "share of all steps; transformers 5 takes it as a --warmup_steps below 1"})

    def __post_init__(self):
        if self.warmup_ratio and not self.warmup_steps:
            self.warmup_steps = self.warmup_ratio
        super().__post_init__()


def problem_of(model, data, training):
    """The first contradiction in what was asked for, as a sentence; None where there is none."""
    if model.version not in template_names():
        return f"There is no template {model.version}. Known are {', '.join(template_names())}."
    if model.tune_mm_mlp_adapter and model.freeze_mm_mlp_adapter:
        return "--tune_mm_mlp_adapter trains the projector and --freeze_mm_mlp_adapter keeps it. Leave one out."
    if model.tune_mm_mlp_adapter and training.lora_enable:
        return "--tune_mm_mlp_adapter trains the projector alone, so there is nothing for --lora_enable to do. Leave one out."
    if training.bits not in (4, 8, 16, 32):
        return f"--bits {training.bits} is not known; 4, 8 and 16 are."
    if training.bits < 16 and not training.lora_enable:
        return f"--bits {training.bits} freezes the language model; add --lora_enable."
    if model.mm_projector_type != "mlp2x_gelu":
        return f"--mm_projector_type {model.mm_projector_type} can't be trained here: LLaVA's class in transformers has mlp2x_gelu."
    if data.image_aspect_ratio not in ("pad", "square", "anyres"):
        return f"--image_aspect_ratio {data.image_aspect_ratio} is not known; pad, square and anyres are."
    if model.mm_vision_select_feature not in ("patch", "cls_patch"):
        return f"--mm_vision_select_feature {model.mm_vision_select_feature} is not known; patch and cls_patch are."
    return None
