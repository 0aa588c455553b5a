"""Builds Pocket LLaVA as Hugging Face classes, and its tokenizer, and writes the model folder.

Knows the shape of the model and the prompt format; knows nothing of pictures, talk or training.
"""

import json
import os
import shutil
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

SPECIALS = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
PAD, BOS, EOS, UNK, IMAGE = range(5)
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
ASSISTANT = " ASSISTANT:"
IMAGE_MEAN = [0.48145466, 0.4578275, 0.40821073]
IMAGE_STD = [0.26862954, 0.26130258, 0.27577711]

# LLaVA's `vicuna_v1`: the space after "ASSISTANT:" belongs to the answer; no space after </s>.
CHAT_TEMPLATE = (
    "{%- if messages[0]['role'] == 'system' -%}"
    "{%- set system = messages[0]['content'] if messages[0]['content'] is string"
    " else messages[0]['content'][0]['text'] -%}"
    "{%- set turns = messages[1:] -%}"
    "{%- else -%}"
    "{%- set system = '" + SYSTEM.replace("'", "\\'") + "' -%}"
    "{%- set turns = messages -%}"
    "{%- endif -%}"
    "{{- system + ' ' -}}"
    "{%- for message in turns -%}"
    "{%- if message['role'] == 'user' -%}"
    "{{- 'USER: ' -}}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] if part['type'] == 'image' -%}{{- '<image>\\n' -}}{%- endfor -%}"
    "{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] -}}{%- endfor -%}"
    "{%- endif -%}"
    "{%- elif message['role'] == 'assistant' -%}"
    "{{- ' ASSISTANT: ' -}}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] -}}{%- endfor -%}"
    "{%- endif -%}"
    "{{- '</s>' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- ' ASSISTANT:' -}}{%- endif -%}"
)


def render_prompt(turns):
    """The vicuna_v1 text of [(question, answer | None)...]; a question may start with `<image>\\n`."""
    text = SYSTEM + " "
    for question, answer in turns:
        text += "USER: " + question + ASSISTANT
        if answer is not None:
            text += " " + answer + "</s>"
    return text


def train_tokenizer(corpus, vocab_size):
    """Byte-level BPE trained on lines of talk. The corpus has no words in capitals, so those stay single letters and reading is spelling."""
    tokenizer = Tokenizer(models.BPE(unk_token=None, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    spec = json.loads(tokenizer.to_str())
    vocab, merges = spec["model"]["vocab"], spec["model"]["merges"]
    # Makes " ASSISTANT" one token by a chain of merges from its left end, which affects no other word in capitals.
    left = "ĠA"
    if left not in vocab:
        vocab[left] = len(vocab)
        merges.append(["Ġ", "A"])
    for letter in "SSISTANT":
        merges.append([left, letter])
        left += letter
        if left not in vocab:  # a corpus with many occurrences may have merged parts of it already
            vocab[left] = len(vocab)
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", BOS)]
    )
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIALS])
    return tokenizer


def build_config(vocab_size, vision=None, text=None, **top):
    """The LlavaConfig of Pocket LLaVA; `vision` and `text` override single fields for tiny fixtures."""
    vision_config = CLIPVisionConfig(
        **{
            "hidden_size": 256,
            "intermediate_size": 1024,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
            "image_size": 160,
            "patch_size": 16,
            "projection_dim": 256,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-5,
            **(vision or {}),
        }
    )
    text_config = LlamaConfig(
        **{
            "vocab_size": vocab_size,
            "hidden_size": 256,
            "intermediate_size": 768,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 64,
            "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-5,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
            "tie_word_embeddings": True,
            "pad_token_id": PAD,
            "bos_token_id": BOS,
            "eos_token_id": EOS,
            **(text or {}),
        }
    )
    side = vision_config.image_size // vision_config.patch_size
    config = LlavaConfig(
        vision_config=vision_config,
        text_config=text_config,
        image_token_index=IMAGE,
        image_seq_length=side * side,
        projector_hidden_act="gelu",
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=text_config.tie_word_embeddings,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
        **top,
    )
    return config


def build_model(config, seed=0):
    """A newly initialized model in fp32."""
    torch.manual_seed(seed)
    return LlavaForConditionalGeneration(config)


def llava_hf_name(name):
    """The name a tensor has in llava-hf checkpoints, given transformers' module name."""
    if name.startswith("lm_head."):
        return "language_model." + name
    name = name.removeprefix("model.")
    if name.startswith("language_model."):
        return name.replace("language_model.", "language_model.model.", 1)
    return name.replace("vision_tower.", "vision_tower.vision_model.", 1) if ".vision_model." not in name else name


def export_tensors(model, dtype):
    """The state dict under llava-hf's names, without a tied head."""
    tied = model.config.text_config.tie_word_embeddings
    tensors = {}
    for name, value in model.state_dict().items():
        if name.startswith("lm_head.") and tied:
            continue
        if name.endswith("position_ids"):
            continue
        tensors[llava_hf_name(name)] = value.detach().to(dtype).contiguous().clone()
    return tensors


def save_folder(model, tokenizer, folder, dtype=torch.float16, shards=None):
    """Writes the Hugging Face folder under another name and renames it into place, so that readers never see a half-written one."""
    from safetensors.torch import save_file

    folder = Path(folder)
    tmp = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.mkdir(parents=True)
    tensors = export_tensors(model, dtype)
    meta = {"format": "pt"}
    if shards:
        names = sorted(tensors)
        per = -(-len(names) // shards)
        weight_map, total = {}, 0
        for index in range(shards):
            part = {n: tensors[n] for n in names[index * per : (index + 1) * per]}
            file = f"model-{index + 1:05d}-of-{shards:05d}.safetensors"
            save_file(part, tmp / file, metadata=meta)
            weight_map.update({n: file for n in part})
            total += sum(t.numel() * t.element_size() for t in part.values())
        write_json(tmp / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})
    else:
        save_file(tensors, tmp / "model.safetensors", metadata=meta)
    config = model.config.to_dict()
    config["architectures"] = ["LlavaForConditionalGeneration"]
    for part in ("", "text_config", "vision_config"):
        target = config[part] if part else config
        target["dtype"] = str(dtype).removeprefix("torch.")
        target.pop("_name_or_path", None)
    config["text_config"]["rope_theta"] = 10000.0
    write_json(tmp / "config.json", config)
    write_json(
        tmp / "generation_config.json",
        {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "do_sample": False, "max_new_tokens": 256},
    )
    tokenizer.save(str(tmp / "tokenizer.json"))
    write_json(
        tmp / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "add_bos_token": True,
            "add_eos_token": False,
            "added_tokens_decoder": {
                str(i): {
                    "content": t,
                    "lstrip": False,
                    "normalized": False,
                    "rstrip": False,
                    "single_word": False,
                    "special": True,
                }
                for i, t in enumerate(SPECIALS)
            },
            "bos_token": "<s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "image_token": "<image>",
            "clean_up_tokenization_spaces": False,
            "model_max_length": config["text_config"]["max_position_embeddings"],
            "processor_class": "LlavaProcessor",
            "chat_template": CHAT_TEMPLATE,
        },
    )
    (tmp / "chat_template.jinja").write_text(CHAT_TEMPLATE + "\n")
    image_size, patch_size = config["vision_config"]["image_size"], config["vision_config"]["patch_size"]
    image = {
        "image_processor_type": "CLIPImageProcessor",
        "processor_class": "LlavaProcessor",
        "image_aspect_ratio": "pad",
        "do_pad": True,
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": image_size},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": image_size, "width": image_size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": IMAGE_MEAN,
        "image_std": IMAGE_STD,
    }
    write_json(tmp / "preprocessor_config.json", image)
    write_json(
        tmp / "processor_config.json",
        {
            "processor_class": "LlavaProcessor",
            "image_token": "<image>",
            "num_additional_image_tokens": 1,
            "patch_size": patch_size,
            "vision_feature_select_strategy": "default",
        },
    )
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.rename(folder, old)
    os.rename(tmp, folder)
    shutil.rmtree(old, ignore_errors=True)


def write_json(path, value):
    """JSON with a stable layout and a final newline."""
    Path(path).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def load_tokenizer(folder):
    """The tokenizers.Tokenizer of a model folder."""
    return Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))


def load_model(folder, dtype=torch.float32):
    """The model of a folder, in fp32 by default, in eval mode."""
    return LlavaForConditionalGeneration.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").eval()
