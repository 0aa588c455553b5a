"""A LLaVA to train: out of a language model and a vision tower, or one to go on from; what of it trains; LoRA and QLoRA."""

import torch
from transformers import (
    AutoConfig, AutoImageProcessor, AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer, LlavaConfig,
    LlavaForConditionalGeneration, LlavaProcessor,
)  # fmt: skip
from transformers.models.llava.modeling_llava import LlavaMultiModalProjector

from .projector import load_projector, projector_of
from .templates import IMAGE

LLAVAS = ("llava", "llava_next", "llava_onevision", "vipllava")


def build(model_args, training):
    """(model, processor): weights loaded, what trains set. ValueError says what does not fit together."""
    dtype = torch.float32 if training.bits >= 16 else torch.bfloat16
    config = AutoConfig.from_pretrained(model_args.model_name_or_path)
    if config.model_type in LLAVAS:
        model = AutoModelForImageTextToText.from_pretrained(model_args.model_name_or_path, dtype=dtype, **quantized(training))
        processor = AutoProcessor.from_pretrained(model_args.model_name_or_path)
    elif model_args.vision_tower is None:
        raise ValueError(f"{model_args.model_name_or_path} is a {config.model_type} and sees nothing; name a --vision_tower.")
    else:
        model, processor = compose(model_args, dtype, quantized(training))
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.unk_token or processor.tokenizer.eos_token
    if model_args.pretrain_mm_mlp_adapter:
        load_projector(model, model_args.pretrain_mm_mlp_adapter)
    choose_trained(model, model_args)
    if training.bf16 and training.bits >= 16:
        # What learns stays in float32 under autocast; what only computes takes half the memory.
        for parameter in model.parameters():
            if not parameter.requires_grad and not hasattr(parameter, "ds_id"):  # ZeRO-3 keeps its parts by its own configuration
                parameter.data = parameter.data.to(torch.bfloat16)
    if training.lora_enable:
        model = with_lora(model, model_args, training)
    elif training.gradient_checkpointing and (model_args.tune_mm_mlp_adapter or model_args.freeze_backbone):
        model.enable_input_require_grads()
    return model, processor


def compose(model_args, dtype, quantization):
    """A LLaVA-1.5 of a language model and a tower; its projector is new. The tokenizer learns `<image>` where it lacks it."""
    text = AutoModelForCausalLM.from_pretrained(model_args.model_name_or_path, dtype=dtype, **quantization)
    vision = vision_model(model_args.vision_tower, dtype)
    tokenizer = AutoTokenizer.from_pretrained(model_args.model_name_or_path)
    if IMAGE not in tokenizer.get_vocab():
        tokenizer.add_tokens([IMAGE], special_tokens=True)
    if len(tokenizer) > text.get_input_embeddings().num_embeddings:
        text.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=64)
    has_class = "clip" in vision.config.model_type
    strategy = "default" if model_args.mm_vision_select_feature == "patch" and has_class else "full"
    config = LlavaConfig(
        vision_config=vision.config,
        text_config=text.config,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        vision_feature_layer=model_args.mm_vision_select_layer,
        vision_feature_select_strategy=strategy,
        projector_hidden_act="gelu",
        image_seq_length=(vision.config.image_size // vision.config.patch_size) ** 2 + (strategy == "full" and has_class),
        tie_word_embeddings=bool(text.config.tie_word_embeddings),
    )
    # Nothing is made twice: only the projector's weights are new.
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(config)
    model.model.vision_tower, model.model.language_model, model.lm_head = vision, text.model, text.lm_head
    model.model.multi_modal_projector = LlavaMultiModalProjector(config).to(dtype)
    model.generation_config = text.generation_config
    processor = LlavaProcessor(
        image_processor=AutoImageProcessor.from_pretrained(model_args.vision_tower),
        tokenizer=tokenizer,
        patch_size=vision.config.patch_size,
        vision_feature_select_strategy=strategy,
        image_token=IMAGE,
        num_additional_image_tokens=int(has_class),
        chat_template=tokenizer.chat_template,
    )
    return model, processor


def vision_model(path, dtype):
    """The tower alone, also out of a checkpoint of CLIP or SigLIP with its text model."""
    config = AutoConfig.from_pretrained(path)
    vision = getattr(config, "vision_config", config)
    if vision.model_type not in ("clip_vision_model", "siglip_vision_model"):
        raise ValueError(f"The vision tower {path} is a {vision.model_type}; CLIP's and SigLIP's can be trained with.")
    return AutoModel.from_pretrained(path, config=vision, dtype=dtype)


def quantized(training):
    """What `from_pretrained` needs for QLoRA (Dettmers et al. 2023): frozen matrices of the language model in 4 or 8 bits."""
    if training.bits >= 16:
        return {}
    from transformers import BitsAndBytesConfig

    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=training.bits == 4,
            load_in_8bit=training.bits == 8,
            llm_int8_skip_modules=["multi_modal_projector", "vision_tower", "lm_head", "model.multi_modal_projector", "model.vision_tower"],
            bnb_4bit_compute_dtype=torch.bfloat16 if training.bf16 else torch.float16,
            bnb_4bit_use_double_quant=training.double_quant,
            bnb_4bit_quant_type=training.quant_type,
        )
    }


def choose_trained(model, model_args):
    """Sets `requires_grad`: the first stage trains the projector alone, the second all but the tower, as LLaVA's scripts have it."""
    model.requires_grad_(False)
    if not model_args.tune_mm_mlp_adapter and not model_args.freeze_backbone:
        for part in (model.model.language_model, model.lm_head):
            for parameter in part.parameters():
                parameter.requires_grad_(parameter.is_floating_point())  # what is quantized stays as it is
    if model_args.unfreeze_mm_vision_tower and not model_args.tune_mm_mlp_adapter:
        model.model.vision_tower.requires_grad_(True)
    if not model_args.freeze_mm_mlp_adapter:
        projector_of(model).requires_grad_(True)


def with_lora(model, model_args, training):
    """LoRA on every linear layer of the language model but its head; the projector trains whole, as in LLaVA."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if training.bits < 16:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=training.gradient_checkpointing)
    elif training.gradient_checkpointing:
        model.enable_input_require_grads()
    layers = model.model.language_model.named_modules()
    names = sorted({name.rsplit(".", 1)[-1] for name, module in layers if isinstance(module, torch.nn.Linear)})
    config = LoraConfig(
        r=training.lora_r,
        lora_alpha=training.lora_alpha,
        lora_dropout=training.lora_dropout,
        bias=training.lora_bias,
        target_modules=rf".*language_model.*\.({'|'.join(names)})",
        modules_to_save=None if model_args.freeze_mm_mlp_adapter else ["multi_modal_projector"],
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)
