"""Writes tiny random checkpoints of every LLaVA architecture, and what PyTorch (Hugging Face transformers, fp32) computes with them.

`python make_family_golden.py [family …]`   fixtures/families/<family>/ in Hugging Face's layout, <family>.original/ in that of LLaVA's own
                                 repository, <family>.tower/ beside it, and fixtures/families/<family>.golden.json: pixels, rows per picture, features, logits and greedy ids

Weights are kept as f16; the reference is computed from what was kept. Pictures are formulas, so none is stored.
"""

import itertools
import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import AddedToken
from transformers import (
    CLIPVisionConfig,
    Gemma2Config,
    GemmaConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    MistralConfig,
    Phi3Config,
    Qwen2Config,
    Qwen3Config,
    SiglipVisionConfig,
    VipLlavaConfig,
    VipLlavaForConditionalGeneration,
)
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

from make_golden import formula_picture
from model import IMAGE, render_prompt, train_tokenizer

OUT = Path(__file__).parent / "fixtures" / "families"
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
HALF = [0.5, 0.5, 0.5]
NEW_TOKENS = 16

# Pictures of each prompt as (width, height): every family gets square, wide and tall ones, and a single pixel.
ONE_PICTURE = [[(32, 32)], [(64, 48)], [(100, 50)], [(41, 97)], [(1, 1)]]
SEVERAL = [[(64, 48), (30, 70)], [(20, 20), (21, 90), (64, 64)]]
BIG = [[(120, 120)], [(180, 30)], [(97, 161)]]

CLIP = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
SIGLIP = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 30, "patch_size": 8}
TEXT = {"hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 2048}  # fmt: skip
GRID = [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]]  # LLaVA-1.6, height first, in tiles
WIDE_GRID = [[h, w] for h in range(1, 7) for w in range(1, 7)]  # OneVision


DEEP_CLIP = CLIP | {"num_hidden_layers": 12, "intermediate_size": 16}  # for features of several layers
GEMMA = TEXT | {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "rms_norm_eps": 1e-6}
WINDOW = 24  # positions that a layer with a sliding window sees; every prompt is longer


def rope(theta, **scaling):
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta} | scaling}


FAMILIES = {
    "llava-1.5": {
        "kind": "llava", "vision": CLIPVisionConfig(**CLIP), "aspect": "pad", "original": "llava_llama", "bare": True,
        "text": LlamaConfig(**TEXT, rms_norm_eps=1e-5), "prompts": ONE_PICTURE + SEVERAL[:1],
    },
    "llava-1.6-vicuna": {
        "kind": "next", "vision": CLIPVisionConfig(**CLIP), "grid": GRID, "original": "llava_llama",
        "text": LlamaConfig(**TEXT, rms_norm_eps=1e-5), "prompts": ONE_PICTURE,
    },
    "llava-1.6-mistral": {
        "kind": "next", "vision": CLIPVisionConfig(**CLIP), "grid": GRID,
        "text": MistralConfig(**(TEXT | {"num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 16}), rms_norm_eps=1e-5, sliding_window=None, **rope(1e6)),
        "prompts": ONE_PICTURE + SEVERAL[:1],
    },
    "llava-1.6-34b": {
        "kind": "next", "vision": CLIPVisionConfig(**CLIP), "grid": GRID,
        "text": LlamaConfig(**(TEXT | {"hidden_size": 42, "intermediate_size": 56, "num_attention_heads": 7, "num_key_value_heads": 1, "head_dim": 16}), rms_norm_eps=1e-5, **rope(5e6)),
        "prompts": ONE_PICTURE[1:3],
    },
    "llava-onevision": {
        "kind": "onevision", "vision": SiglipVisionConfig(**SIGLIP), "grid": WIDE_GRID, "original": "llava_qwen",
        "text": Qwen2Config(**TEXT, tie_word_embeddings=True, **rope(1e6)), "prompts": ONE_PICTURE + BIG + SEVERAL,
    },
    "llava-interleave": {
        "kind": "llava", "vision": SiglipVisionConfig(**SIGLIP), "layer": -1, "aspect": "pad",
        "text": Qwen2Config(**(TEXT | {"num_key_value_heads": 1}), tie_word_embeddings=True, **rope(1e6)), "prompts": ONE_PICTURE[1:3] + SEVERAL,
    },
    "llava-llama-2": {  # linear projector, crop, 224 pixels' stand-in of another side
        "kind": "llava", "vision": CLIPVisionConfig(**(CLIP | {"image_size": 24})), "linear": True, "aspect": "crop", "only": "llava_llama", "bare": True,
        "text": LlamaConfig(**TEXT, rms_norm_eps=1e-6), "prompts": ONE_PICTURE[:3],
    },
    "llava-v0": {  # three tokens beyond the language model's own, and pictures between two of them
        "kind": "llava", "vision": CLIPVisionConfig(**(CLIP | {"image_size": 24})), "linear": True, "aspect": "crop", "only": "llava", "bare": True, "marks": True,
        "text": LlamaConfig(**TEXT, rms_norm_eps=1e-6), "prompts": ONE_PICTURE[1:3],
    },
    "llava-phi-3": {  # fused matrices, windows in every layer
        "kind": "llava", "vision": CLIPVisionConfig(**CLIP), "aspect": "pad", "original": "llava_phi3", "bare": True,
        "text": Phi3Config(**TEXT, sliding_window=WINDOW), "prompts": ONE_PICTURE[1:3] + SEVERAL[:1],
    },
    "llava-phi-3-128k": {  # LongRoPE, which Phi-3's first files call "su"
        "kind": "llava", "vision": CLIPVisionConfig(**CLIP), "aspect": "pad",
        "text": Phi3Config(**(TEXT | {"max_position_embeddings": 8192}), original_max_position_embeddings=2048, **rope(1e4, rope_type="longrope", original_max_position_embeddings=2048, short_factor=[1, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 2.5], long_factor=[1, 2, 4, 8, 12, 16, 24, 32])),
        "prompts": ONE_PICTURE[1:3],
    },
    "bakllava": {
        "kind": "llava", "vision": CLIPVisionConfig(**CLIP), "aspect": "pad", "original": "llava_mistral", "bare": True,
        "text": MistralConfig(**(TEXT | {"num_key_value_heads": 1}), rms_norm_eps=1e-5, sliding_window=WINDOW), "prompts": ONE_PICTURE[:3],
    },
    "llava-qwen3": {  # norms of queries and keys, YaRN, a window in the last layer only
        "kind": "llava", "vision": SiglipVisionConfig(**SIGLIP), "layer": -1, "aspect": "pad", "original": "llava_qwen3",
        "text": Qwen3Config(**(TEXT | {"num_attention_heads": 4, "num_key_value_heads": 2}), head_dim=16, tie_word_embeddings=True, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1, **rope(1e6, rope_type="yarn", factor=4.0, original_max_position_embeddings=512)),
        "prompts": ONE_PICTURE[1:3] + SEVERAL[:1],
    },
    "llava-gemma": {"kind": "llava", "vision": CLIPVisionConfig(**CLIP), "aspect": "pad", "text": GemmaConfig(**GEMMA), "prompts": ONE_PICTURE[1:3]},
    "llava-gemma-4.39": {  # up to transformers 5.3, Gemma multiplied rows of pictures with its factor, too
        "kind": "llava", "vision": CLIPVisionConfig(**CLIP), "aspect": "pad", "original": "llava_gemma", "version": "4.39.0",
        "text": GemmaConfig(**GEMMA), "prompts": ONE_PICTURE[1:3],
    },
    "llava-gemma-2": {  # windows in every other layer, norms after attention and MLP, capped scores and logits; ReLU in the projector
        "kind": "llava", "vision": SiglipVisionConfig(**SIGLIP), "layer": -1, "aspect": "pad", "projector": "relu",
        "text": Gemma2Config(**(GEMMA | {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 3}), query_pre_attn_scalar=24, sliding_window=WINDOW, attn_logit_softcapping=2.0, final_logit_softcapping=5.0),
        "prompts": ONE_PICTURE[1:3] + SEVERAL[:1],
    },
    "vip-llava": {  # five layers of the tower and a norm before the projector; dynamic scaling, which these lengths don't reach
        "kind": "vip", "vision": CLIPVisionConfig(**DEEP_CLIP), "aspect": "pad", "original": "llava_llama", "bare": True, "tower": "clip_4layers_336",
        "text": LlamaConfig(**TEXT, rms_norm_eps=1e-5, **rope(1e4, rope_type="dynamic", factor=2.0)), "prompts": ONE_PICTURE[1:3],
    },
    "llava-several-layers": {  # a list in vision_feature_layer; Llama 3.1's scaling
        "kind": "llava", "vision": CLIPVisionConfig(**CLIP), "layer": [1, -2, -1], "aspect": "pad", "projector": "gelu_pytorch_tanh",
        "text": LlamaConfig(**TEXT, rms_norm_eps=1e-5, **rope(5e5, rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
        "prompts": ONE_PICTURE[1:3],
    },
}  # fmt: skip


def tokenizer_of(family):
    corpus = ["A chat between a curious user and an assistant. USER: What is this? ASSISTANT: A small red star."] * 20
    tokenizer = train_tokenizer(corpus, 272)
    if family.get("marks"):
        marks = ["<im_patch>", "<im_start>", "<im_end>"]
        tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in marks])
    return tokenizer


def build(family, vocab):
    text, vision = family["text"], family["vision"]
    text.vocab_size, text.pad_token_id, text.bos_token_id, text.eos_token_id = vocab, 0, 1, 2
    siglip = vision.model_type.startswith("siglip")
    if siglip:
        vision.vision_use_head = False
    common = {
        "vision_config": vision, "text_config": text, "image_token_index": IMAGE, "tie_word_embeddings": text.tie_word_embeddings,
        "vision_feature_layer": family.get("layer", -1 if siglip else -2), "vision_feature_select_strategy": "full" if siglip else "default",
        "projector_hidden_act": family.get("projector", "gelu"),
    }  # fmt: skip
    side = vision.image_size
    if "grid" in family:
        common["image_grid_pinpoints"] = [[h * side, w * side] for h, w in family["grid"]]
    if family["kind"] == "next":
        model = LlavaNextForConditionalGeneration(LlavaNextConfig(**common, image_seq_length=(side // vision.patch_size) ** 2))
    elif family["kind"] == "onevision":
        model = LlavaOnevisionForConditionalGeneration(LlavaOnevisionConfig(**common, video_token_index=3))
    elif family["kind"] == "vip":
        del common["vision_feature_layer"], common["vision_feature_select_strategy"]  # the class has its own
        model = VipLlavaForConditionalGeneration(VipLlavaConfig(**common, image_seq_length=(side // vision.patch_size) ** 2))
    else:
        model = LlavaForConditionalGeneration(LlavaConfig(**common, image_seq_length=(side // vision.patch_size) ** 2))
    if family.get("linear"):
        model.model.multi_modal_projector = torch.nn.Linear(vision.hidden_size, text.hidden_size)
    if "version" in family:
        model.model.multi_modal_projector.register_forward_hook(lambda module, inputs, output: output * text.hidden_size**0.5)
    return model.eval()


@torch.no_grad()
def scramble(model, seed):
    """Weights large enough that answers depend on picture and prompt, and exact in f16."""
    generator = torch.Generator().manual_seed(seed)
    gemma = "gemma" in model.config.text_config.model_type
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if "norm" in name and name.endswith("weight"):
            # Gemma's norms add 1 themselves.
            value = (0 if gemma and "language_model" in name else 1) + 0.1 * noise
        elif p.dim() > 1 and "embed" not in name:
            value = noise * 1.4 / math.sqrt(p[0].numel())
        else:
            value = noise * (0.5 if "embed" in name or "newline" in name else 0.1)
            if gemma and "embed_tokens" in name:  # which it scales up
                value = value / p.shape[1] ** 0.5
        p.copy_(value.half().float())


def preprocess(family, pictures):
    """Per picture the pixels of its tiles, [tiles, 3, side, side]."""
    vision = family["vision"]
    side = vision.image_size
    siglip = vision.model_type.startswith("siglip")
    mean, std = (HALF, HALF) if siglip else (CLIP_MEAN, CLIP_STD)
    if "grid" in family:
        pinpoints = [[h * side, w * side] for h, w in family["grid"]]
        common = {"image_grid_pinpoints": pinpoints, "image_mean": mean, "image_std": std, "do_pad": False}
        if family["kind"] == "next":
            processor = LlavaNextImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side}, **common)
            # One picture at a time: the processor cuts each into tiles, however many there are.
            return [torch.tensor(np.array(processor(p)["pixel_values"][0])) for p in pictures]
        processor = LlavaOnevisionImageProcessorPil(size={"height": side, "width": side}, **common)
        return [torch.tensor(np.array(v)) for v in processor([pictures])["pixel_values"]]
    out = []
    for picture in pictures:
        if family["aspect"] == "pad":
            longest = max(picture.size)
            square = Image.new("RGB", (longest, longest), tuple(int(m * 255) for m in mean))
            square.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
            picture = square.resize((side, side), Image.BICUBIC)
        else:
            short = min(picture.size)
            size = tuple(side if s == short else int(side * s / short) for s in picture.size)
            left, top = (size[0] - side) // 2, (size[1] - side) // 2
            picture = picture.resize(size, Image.BICUBIC).crop((left, top, left + side, top + side))
        values = (np.asarray(picture, np.float32) / 255 - np.array(mean)) / np.array(std)
        out.append(torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None])
    return out


def features_of(model, family, pictures, tiles):
    """Per picture its rows in the prompt, [rows, hidden]."""
    more = {"vision_feature_layer": model.config.vision_feature_layer} if family["kind"] == "vip" else {}
    if "grid" in family:
        more["image_sizes"] = torch.tensor([[p.height, p.width] for p in pictures])
    if family["kind"] == "onevision":
        more["batch_num_images"] = torch.tensor([len(pictures)])
    if family["kind"] == "next":
        longest = max(len(t) for t in tiles)
        pixels = torch.stack([torch.cat([t, t.new_zeros(longest - len(t), *t.shape[1:])]) for t in tiles])
    elif family["kind"] == "onevision":
        pixels = torch.stack(tiles)
    else:
        pixels = torch.cat(tiles)
    out = model.model.get_image_features(pixel_values=pixels.float(), **more)
    found = getattr(out, "pooler_output", out)
    return [f.reshape(-1, f.shape[-1]) for f in found], pixels.float(), more


def capped(logits, family):
    """As Gemma2ForCausalLM has them; LLaVA's class leaves out the cap of the language model that it wraps."""
    cap = getattr(family["text"], "final_logit_softcapping", None)
    return cap * torch.tanh(logits / cap) if cap else logits


@torch.no_grad()
def reference(model, family, tokenizer, sizes, checked):
    pictures = [Image.fromarray(formula_picture(w, h)) for w, h in sizes]
    tiles = preprocess(family, pictures)
    features, pixels, more = features_of(model, family, pictures, tiles)
    slot = "<im_start><image><im_end>\n" if family.get("marks") else "<image>\n"
    ids = tokenizer.encode(render_prompt([(slot * len(pictures) + "What is this?", None)])).ids
    rows, next_picture, expanded = [], iter(features), []
    embed = model.get_input_embeddings()
    for i in ids:
        if i == IMAGE:
            rows.append(next(next_picture))
            expanded += [IMAGE] * len(rows[-1])
        else:
            rows.append(embed(torch.tensor([i])))
            expanded.append(i)
    out = model.model.language_model(inputs_embeds=torch.cat(rows)[None], use_cache=True)
    uncapped = model.lm_head(out.last_hidden_state)[0, -1]
    if checked:  # the same through the model's own front door
        whole = model(input_ids=torch.tensor([expanded]), pixel_values=pixels, **more).logits[0, -1]
        assert torch.allclose(whole, uncapped, atol=1e-4), (whole - uncapped).abs().max()
    logits = capped(uncapped, family)
    greedy, cache, last = [int(logits.argmax())], out.past_key_values, logits
    margins = [float(last.topk(2).values.diff().abs())]
    while len(greedy) < NEW_TOKENS:
        out = model.model.language_model(inputs_embeds=embed(torch.tensor([[greedy[-1]]])), past_key_values=cache, use_cache=True)
        last, cache = capped(model.lm_head(out.last_hidden_state)[0, -1], family), out.past_key_values
        margins.append(float(last.topk(2).values.diff().abs()))
        greedy.append(int(last.argmax()))
    numbers = lambda t, step, digits=5: [round(float(v), digits) for v in t.reshape(-1)[::step]]
    return {
        "pictures": sizes, "ids": ids, "rows": [len(f) for f in features], "tiles": [len(t) for t in tiles],
        "pixels": [numbers(t, 389, 4) for t in tiles], "features": [numbers(f, 11) for f in features],
        "logits": numbers(logits, 2), "greedy": greedy, "margin": round(min(margins), 4),
    }  # fmt: skip


def tensors_of(model, family):
    """Under the names of Hugging Face's published checkpoints, f16; a tied head is left out."""
    out = {}
    for name, value in model.state_dict().items():
        if name.endswith("position_ids") or (name.startswith("lm_head.") and model.config.tie_word_embeddings):
            continue
        if name.startswith("lm_head."):
            name = "language_model." + name
        name = name.removeprefix("model.").replace("language_model.", "language_model.model.", 0 if name.startswith("language_model.lm_head") else 1)
        if name.startswith("vision_tower.") and ".vision_model." not in name:
            name = name.replace("vision_tower.", "vision_tower.vision_model.", 1)
        out[name] = value.detach().half().contiguous().clone()
    return out


def original_name(name, vip):
    """The name in a checkpoint of LLaVA's own repository."""
    if name.startswith("multi_modal_projector."):
        rest = name.removeprefix("multi_modal_projector.")
        if vip:
            rest = rest.replace("linear_1.", "final_linear.0.").replace("linear_2.", "final_linear.2.").replace("projector_layernorm.", "clip_layernorm.")
        else:
            rest = rest.replace("linear_1.", "0.").replace("linear_2.", "2.")
        return "model.mm_projector." + rest
    if name.startswith("language_model.lm_head."):
        return name.removeprefix("language_model.")
    if name.startswith("vision_tower."):
        return "model.vision_tower." + name
    if name == "image_newline":
        return "model.image_newline"
    return name.removeprefix("language_model.")


def original_config(model, family, model_type):
    text, vision, config = family["text"], family["vision"], model.config
    keys = [
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size",
        "max_position_embeddings", "rms_norm_eps", "hidden_act", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
    ]  # fmt: skip
    flat = {key: getattr(text, key) for key in keys} | {"rope_theta": text.rope_parameters["rope_theta"]}
    more = ["sliding_window", "use_sliding_window", "max_window_layers", "head_dim"]
    flat |= {key: getattr(text, key) for key in more if family["text"].model_type not in ("llama", "qwen2") and hasattr(text, key)}
    scaling = {key: value for key, value in text.rope_parameters.items() if key not in ("rope_theta", "partial_rotary_factor")}
    if scaling["rope_type"] != "default":
        flat["rope_scaling"] = scaling
    if "version" in family:
        flat["transformers_version"] = family["version"]
    flat |= {
        "model_type": model_type, "mm_hidden_size": vision.hidden_size * (5 if family["kind"] == "vip" else 1), "mm_projector_type": "linear" if family.get("linear") else "mlp2x_gelu",
        "mm_vision_select_layer": -2 if family["kind"] == "vip" else config.vision_feature_layer, "mm_vision_select_feature": "patch",
        "mm_vision_tower": family.get("tower", "tower"),
        "mm_use_im_start_end": bool(family.get("marks")), "mm_use_im_patch_token": False,
    }  # fmt: skip
    if "grid" in family:
        flat["mm_patch_merge_type"] = "spatial_unpad"
        flat["image_aspect_ratio"] = "anyres_max_9" if family["kind"] == "onevision" else "anyres"
        # Width first, as in the original.
        flat["image_grid_pinpoints"] = [[w, h] for h, w in config.image_grid_pinpoints]
    elif family["aspect"] == "pad":
        flat["image_aspect_ratio"] = "pad"
    return flat


def write_json(path, value):
    path.write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")


def write_small(folder, family, tokenizer):
    vision = family["vision"]
    siglip = vision.model_type.startswith("siglip")
    side = vision.image_size
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "tokenizer_config.json", {"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"})
    preprocessor = {"image_mean": HALF if siglip else CLIP_MEAN, "image_std": HALF if siglip else CLIP_STD}
    preprocessor["size"] = {"height": side, "width": side} if siglip else {"shortest_edge": side}
    if not siglip:
        preprocessor["crop_size"] = {"height": side, "width": side}
    if family.get("aspect") == "pad":
        preprocessor["image_aspect_ratio"] = "pad"
    write_json(folder / "preprocessor_config.json", preprocessor)


def write_family(name, family):
    from safetensors.torch import save_file

    tokenizer = tokenizer_of(family)
    vocab = tokenizer.get_vocab_size()
    model = build(family, vocab)
    for seed in itertools.count(1):  # until no two tokens are so close that rounding could swap them
        scramble(model, seed)
        prompts = [reference(model, family, tokenizer, sizes, not family.get("marks")) for sizes in family["prompts"]]
        if min(p["margin"] for p in prompts) > 0.01:
            break
    tensors = tensors_of(model, family)
    if "only" not in family:
        folder = OUT / name
        folder.mkdir()
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        config = model.config.to_dict() | ({"transformers_version": family["version"]} if "version" in family else {})
        for part in (config["text_config"], config["vision_config"]):
            for key in ("chunk_size_feed_forward", "id2label", "label2id", "_name_or_path", "output_attentions", "output_hidden_states"):
                part.pop(key, None)
        write_json(folder / "config.json", config)
        write_small(folder, family, tokenizer)
    model_type = family.get("original", family.get("only"))
    if model_type:
        folder = OUT / f"{name}.original"
        folder.mkdir()
        # Checkpoints up to LLaVA-1.5 come without their tower.
        mine = {original_name(n, family["kind"] == "vip"): t for n, t in tensors.items() if not (family.get("bare") and n.startswith("vision_tower."))}
        torch.save(mine, folder / "pytorch_model.bin")
        write_json(folder / "config.json", original_config(model, family, model_type))
        write_small(folder, family, tokenizer)
        tower = OUT / f"{name}.tower"
        tower.mkdir()
        write_json(tower / "config.json", family["vision"].to_dict())
        if family.get("bare"):
            save_file({n.removeprefix("vision_tower."): t for n, t in tensors.items() if n.startswith("vision_tower.")}, tower / "model.safetensors")
    write_json(OUT / f"{name}.golden.json", {"picture": "channel c of pixel x, y is (7x + 13y + 29c) mod 256", "prompts": prompts})
    print(name, [p["rows"] for p in prompts], "smallest margin", min(p["margin"] for p in prompts))


def main():
    wanted = sys.argv[1:] or FAMILIES
    OUT.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        for old in OUT.glob(f"{name}*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        write_family(name, FAMILIES[name])
    print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")


if __name__ == "__main__":
    main()
