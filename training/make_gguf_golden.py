"""Writes GGUF files with the package `gguf`, as llama.cpp's converters write them, for the converter's reader.

    pip install gguf==0.19.0 && python training/make_gguf_golden.py

fixtures/gguf/types.gguf          every type that is read: a tensor of random blocks, and what gguf's own dequantizer makes of it
fixtures/gguf/<family>.gguf and   checkpoints of fixtures/families, whose golden vectors hold for them: weights are exact in f16
    <family>.mmproj.gguf
fixtures/gguf/mixed.gguf and      every type in one model, and what PyTorch computes with its dequantized weights:
    mixed.mmproj.gguf             fixtures/families/gguf-mixed.golden.json
fixtures/gguf/<own>.gguf and      models of what GGUF can't say of the checkpoints of fixtures/families, with references of their own:
    <own>.mmproj.gguf             fixtures/families/gguf-<own>.golden.json
fixtures/gguf/llava-interleave-00001-of-00003.gguf … the same model in parts
fixtures/gguf/spm.gguf, bare.gguf the SentencePiece models of fixtures/sentencepiece, without tensors
fixtures/gguf/llama-bpe.gguf,     byte-level tokenizers with the splitting of Llama 3 and Qwen2, and what Hugging Face's tokenizers make of
    qwen2.gguf                    texts: <name>.golden.json
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from safetensors.numpy import load_file

FIXTURES = Path(__file__).parent / "fixtures"
OUT = FIXTURES / "gguf"
TYPES = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K, T.IQ4_NL]  # fmt: skip
# Where a block has its halves: (offset, size of what they scale).
HALVES = {T.Q2_K: (80, 82), T.Q3_K: (108,), T.Q4_K: (0, 2), T.Q5_K: (0, 2), T.Q6_K: (208,), T.IQ4_NL: (0,)}  # fmt: skip
# The second half scales what is taken off: half as much, so that values lie on both sides of zero.
FULL_OFFSET = {T.Q2_K: 30, T.Q4_K: 126, T.Q5_K: 126}
FULL = {T.Q2_K: 45, T.Q3_K: 128, T.Q4_K: 945, T.Q5_K: 1953, T.Q6_K: 4064, T.IQ4_NL: 127}


def random_blocks(random, kind, rows, cols, size=1.0):
    """uint8 [rows, bytes of a row]: random integers, and halves that make values of up to about `size`."""
    elements, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (rows * cols // elements, block_bytes), np.uint8)
    for i, at in enumerate(HALVES[kind]):
        halves = (size / (FULL_OFFSET if i else FULL)[kind] * random.uniform(0.5, 1, len(blocks))).astype(np.float16)
        blocks[:, at : at + 2] = halves[:, None].view(np.uint8)
    return blocks.reshape(rows, -1)


def quantized(random, kind, rows, cols, size=1.0):
    """Data of a type as gguf.GGUFWriter takes it. gguf itself quantizes to the simpler types only."""
    if kind in HALVES:
        return random_blocks(random, kind, rows, cols, size)
    return gguf.quantize((random.standard_normal((rows, cols)) * size / 3).astype(np.float32), kind)


def write_types():
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(OUT / "types.gguf", "none")
    for kind in TYPES:
        data = quantized(random, kind, 3, 512)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        writer.add_tensor(f"{kind.name}.expected", gguf.dequantize(data, kind).reshape(3, 512), raw_dtype=T.F32)
    close(writer)


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permuted(weights, heads):
    """Rows as llama.cpp's arch llama has them: it turns neighbours of a head where Hugging Face turns its halves."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def add_byte_level_tokenizer(writer, tokenizer, rows, pre, ids={}, begins=True):
    model, added = tokenizer["model"], {t["id"]: t for t in tokenizer["added_tokens"]}
    tokens, types = [f"[PAD{i}]" for i in range(rows)], [gguf.TokenType.UNUSED] * rows
    for text, i in model["vocab"].items():
        tokens[i], types[i] = text, gguf.TokenType.NORMAL
    for i, token in added.items():
        tokens[i], types[i] = token["content"], gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_bos_token_id(ids.get("bos_token_id", 1))
    writer.add_eos_token_id(ids.get("eos_token_id", 2))
    writer.add_pad_token_id(ids.get("pad_token_id", 0))
    if begins and pre != "smollm":  # whose converter leaves it out
        writer.add_add_bos_token(True)


def write_sentencepiece(name, space_first):
    """A file with nothing but a tokenizer of Llama's kind."""
    from sentencepiece import SentencePieceProcessor

    stem = "tokenizer" if name == "spm" else name
    model = SentencePieceProcessor(model_file=str(FIXTURES / "sentencepiece" / f"{stem}.model"))
    corner = {model.unk_id(): gguf.TokenType.UNKNOWN}
    pieces = range(model.vocab_size())
    kind = lambda i: corner.get(i) or (
        gguf.TokenType.CONTROL if model.is_control(i)
        else gguf.TokenType.BYTE if model.is_byte(i)
        # SentencePiece's own interface does not tell these; their scores are 0.
        else gguf.TokenType.USER_DEFINED if model.id_to_piece(i).startswith("<|")
        else gguf.TokenType.NORMAL
    )  # fmt: skip
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([model.id_to_piece(i) for i in pieces])
    writer.add_token_scores([model.get_score(i) for i in pieces])
    writer.add_token_types([kind(i) for i in pieces])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(space_first)
    writer.add_add_bos_token(space_first)
    close(writer)


TOWER = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.out_proj": "attn_out",
    "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down",
}  # fmt: skip
# As the first converters named them, after what the layers did in another model.
OLD = {"mlp.fc1": "ffn_down", "mlp.fc2": "ffn_up"}


def add_tensor(writer, name, weights, kind=None):
    """Matrices at 16 bits, everything else at 32; or the bytes of a type."""
    if kind is not None:
        writer.add_tensor(name, weights, raw_dtype=kind)
        return
    matrix = weights.ndim > 1 and "position" not in name and "class" not in name
    writer.add_tensor(name, weights.astype(np.float16 if matrix else np.float32))


ARCHS = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "phi3": "phi3", "gemma": "gemma", "gemma2": "gemma2"}


def add_rope_scaling(writer, rope, head_size):
    """llama.cpp's converters write numbers of LongRoPE and of Llama 3 as tensors."""
    kind = rope["rope_type"]
    if kind == "llama3":
        inverse = 1 / rope["rope_theta"] ** (np.arange(0, head_size, 2) / head_size)
        length, factor = 2 * np.pi / inverse, rope["factor"]
        low, high, original = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
        smooth = (original / length - low) / (high - low)
        factors = np.where(length < original / high, 1, np.where(length > original / low, factor, 1 / ((1 - smooth) / factor + smooth)))
        writer.add_tensor("rope_freqs.weight", factors.astype(np.float32))
    elif kind == "longrope":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        for which in ("long", "short"):
            writer.add_tensor(f"rope_factors_{which}.weight", np.array(rope[f"{which}_factor"], np.float32))
    elif kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    else:
        assert kind == "default", kind


def write_decoder(path, config, tensors, tokenizer, pre="gpt-2", kinds={}, name=None, parts=None, template=None):
    text = config["text_config"]
    arch = ARCHS[text["model_type"]]
    heads, kv_heads = text["num_attention_heads"], text["num_key_value_heads"]
    head_size = text.get("head_dim") or text["hidden_size"] // heads
    writer = gguf.GGUFWriter(path, arch, split_max_tensors=parts or 0)
    writer.add_name(name or path.name.removesuffix(".gguf"))
    writer.add_context_length(text["max_position_embeddings"])
    writer.add_embedding_length(text["hidden_size"])
    writer.add_block_count(text["num_hidden_layers"])
    writer.add_feed_forward_length(text["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_dimension_count(head_size)
    writer.add_rope_freq_base(text["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(text["rms_norm_eps"])
    writer.add_vocab_size(text["vocab_size"])
    if text.get("sliding_window") is not None and arch in ("llama", "phi3", "gemma2"):
        writer.add_sliding_window(text["sliding_window"])
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(text["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(text["final_logit_softcapping"])
    if template is not None:
        writer.add_chat_template(template)
    add_rope_scaling(writer, text["rope_parameters"], head_size)
    add_byte_level_tokenizer(writer, tokenizer, text["vocab_size"], pre, text)
    names = gguf.get_tensor_name_map(next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == arch), text["num_hidden_layers"])
    for name, weights in tensors.items():
        plain = name.removeprefix("language_model.").replace("model.text_model.", "model.")
        if not plain.startswith(("model.layers.", "model.embed_tokens.", "model.norm.", "lm_head.")):
            continue
        if arch == "llama" and (".q_proj." in plain or ".k_proj." in plain):
            weights = permuted(weights, heads if "q_proj" in plain else kv_heads)
        if arch.startswith("gemma") and plain.endswith("norm.weight"):
            weights = weights.astype(np.float32) + 1
        add_tensor(writer, names.get_name(plain, (".weight", ".bias")), weights, kinds.get(name))
    close(writer)


def write_mmproj(path, config, tensors, old=False, kinds={}):
    vision = config["vision_config"]
    siglip = vision["model_type"].startswith("siglip")
    layers = [n if n >= 0 else vision["num_hidden_layers"] + 1 + n for n in np.atleast_1d(config["vision_feature_layer"]).tolist()]
    blocks = max(layers)
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_text_encoder", False)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.use_gelu", siglip)
    writer.add_uint32("clip.vision.image_size", vision["image_size"])
    writer.add_uint32("clip.vision.patch_size", vision["patch_size"])
    writer.add_uint32("clip.vision.embedding_length", vision["hidden_size"])
    writer.add_uint32("clip.vision.feed_forward_length", vision["intermediate_size"])
    writer.add_uint32("clip.vision.projection_dim", 768)
    writer.add_uint32("clip.vision.block_count", blocks)
    writer.add_uint32("clip.vision.attention.head_count", vision["num_attention_heads"])
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", vision["layer_norm_eps"])
    half = [0.5, 0.5, 0.5]
    writer.add_array("clip.vision.image_mean", half if siglip else [0.48145466, 0.4578275, 0.40821073])
    writer.add_array("clip.vision.image_std", half if siglip else [0.26862954, 0.26130258, 0.27577711])
    if len(layers) > 1:
        writer.add_array("clip.vision.feature_layer", layers)
    if "image_grid_pinpoints" in config:
        # Width first, as LLaVA's own configs have them.
        writer.add_array("clip.vision.image_grid_pinpoints", [n for h, w in config["image_grid_pinpoints"] for n in (w, h)])
        writer.add_string("clip.vision.mm_patch_merge_type", "spatial_unpad")
        writer.add_string("clip.vision.image_aspect_ratio", "anyres")
    names = TOWER | (OLD if old else {})
    for name, weights in tensors.items():
        if name == "image_newline":
            add_tensor(writer, "model.image_newline" if old else "v.image_newline", weights)
        if name.startswith("multi_modal_projector."):
            _, linear, kind = name.split(".")
            add_tensor(writer, f"mm.{ {'linear_1': 0, 'linear_2': 2}[linear] }.{kind}", weights, kinds.get(name))
        rest = name.removeprefix("vision_tower.vision_model.")
        if rest == name or rest.startswith("post_layernorm"):
            continue
        if rest.startswith("encoder.layers."):
            _, _, at, *module, kind = rest.split(".")
            if int(at) < blocks:
                add_tensor(writer, f"v.blk.{at}.{names['.'.join(module)]}.{kind}", weights, kinds.get(name))
            continue
        rest = rest.replace("embeddings.class_embedding", "class_embd").replace("embeddings.patch_embedding", "patch_embd")
        rest = rest.replace("embeddings.position_embedding", "position_embd").replace("pre_layrnorm", "pre_ln")
        add_tensor(writer, f"v.{rest}", weights)
    close(writer)


def write_idefics3(name):
    """SmolVLM, as llama.cpp's converter writes it."""
    folder = FIXTURES / "families" / name
    config = json.loads((folder / "config.json").read_text())
    vision, preprocessor = config["vision_config"], json.loads((folder / "preprocessor_config.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    template = (folder / "chat_template.jinja").read_text()
    write_decoder(OUT / f"{name}.gguf", config, tensors, tokenizer, "smollm", template=template)
    writer = gguf.GGUFWriter(OUT / f"{name}.mmproj.gguf", "clip")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.IDEFICS3)
    writer.add_vision_projection_dim(config["text_config"]["hidden_size"])
    writer.add_vision_image_size(vision["image_size"])
    writer.add_vision_patch_size(vision["patch_size"])
    writer.add_vision_embedding_length(vision["hidden_size"])
    writer.add_vision_feed_forward_length(vision["intermediate_size"])
    writer.add_vision_block_count(vision["num_hidden_layers"])
    writer.add_vision_head_count(vision["num_attention_heads"])
    writer.add_vision_image_mean(preprocessor["image_mean"])
    writer.add_vision_image_std(preprocessor["image_std"])
    writer.add_vision_attention_layernorm_eps(vision["layer_norm_eps"])
    writer.add_vision_projector_scale_factor(config["scale_factor"])
    writer.add_vision_use_gelu(True)
    writer.add_vision_preproc_image_size(preprocessor["size"]["longest_edge"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, vision["num_hidden_layers"])
    for full, weights in tensors.items():
        if full.startswith(("model.vision_model.", "model.connector.")):
            add_tensor(writer, names.get_name(full, (".weight", ".bias")), weights)
    close(writer)


def write_family(name, old=False, pre="gpt-2", parts=None):
    folder = FIXTURES / "families" / name
    config = json.loads((folder / "config.json").read_text())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    write_decoder(OUT / f"{name}.gguf", config, tensors, tokenizer, pre)
    write_mmproj(OUT / f"{name}.mmproj.gguf", config, tensors, old)
    if parts is not None:
        write_decoder(OUT / f"{name}.gguf", config, tensors, tokenizer, pre, name=name, parts=parts)


# Every type in one model. Queries, keys and values differ, and so do the two layers.
MIXED = {
    "embed_tokens": T.Q8_0, "lm_head": T.Q6_K,
    "layers.0.self_attn.q_proj": T.Q4_K, "layers.0.self_attn.k_proj": T.Q4_K, "layers.0.self_attn.v_proj": T.Q6_K,
    "layers.0.self_attn.o_proj": T.Q4_1, "layers.0.mlp.gate_proj": T.Q2_K, "layers.0.mlp.up_proj": T.Q3_K, "layers.0.mlp.down_proj": T.Q5_K,
    "layers.1.self_attn.q_proj": T.Q4_0, "layers.1.self_attn.k_proj": T.Q4_0, "layers.1.self_attn.v_proj": T.Q4_0,
    "layers.1.self_attn.o_proj": T.IQ4_NL, "layers.1.mlp.gate_proj": T.Q5_0, "layers.1.mlp.up_proj": T.Q5_1, "layers.1.mlp.down_proj": T.Q8_0,
    "layers.0.mlp.fc1": T.Q8_0, "layers.0.mlp.fc2": T.Q4_1, "layers.1.self_attn.out_proj": T.Q5_0, "linear_1": T.Q4_0, "linear_2": T.Q8_0,
}  # fmt: skip


def write_mixed():
    """A model of 256 channels, which blocks of all types fill, and what PyTorch computes with the dequantized weights."""
    import torch
    from transformers import CLIPVisionConfig, LlamaConfig

    import make_family_golden as families

    text = {"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64}
    family = {
        "kind": "llava", "aspect": "pad", "prompts": families.ONE_PICTURE[:2],
        "vision": CLIPVisionConfig(**(families.CLIP | {"hidden_size": 32, "intermediate_size": 64})),
        "text": LlamaConfig(**text, max_position_embeddings=2048, rms_norm_eps=1e-5),
    }  # fmt: skip
    tokenizer = families.tokenizer_of(family)
    model = families.build(family, tokenizer.get_vocab_size())
    for seed in range(1, 100):
        families.scramble(model, seed)
        random = np.random.default_rng(seed)
        tensors = {name: t.numpy() for name, t in families.tensors_of(model, family).items()}
        kinds = {}
        for name, weights in tensors.items():
            kind = next((k for part, k in MIXED.items() if name.endswith(f".{part}.weight")), None)
            # The tower's layers have names of their own.
            if kind is None or ("vision_tower" in name) != ("fc" in name or "out_proj" in name) and "linear" not in name:
                continue
            rows, cols = weights.shape
            kinds[name] = kind
            tensors[name] = quantized(random, kind, rows, cols, 3 * 1.4 / np.sqrt(cols) if "embed" not in name else 1.5)
        whole = {
            name: gguf.dequantize(t, kinds[name]).reshape(t.shape[0], -1) if name in kinds else t.astype(np.float32)
            for name, t in tensors.items()
        }
        own = model.state_dict()
        with torch.no_grad():
            for name, t in whole.items():
                here = next(n for n in own if ours(n) == name)
                own[here].copy_(torch.from_numpy(t))
        prompts = [families.reference(model, family, tokenizer, sizes, True) for sizes in family["prompts"]]
        if min(p["margin"] for p in prompts) > 0.01:
            break
    config = model.config.to_dict()
    write_decoder(OUT / "mixed.gguf", config, tensors, json.loads(tokenizer.to_str()), kinds=kinds)
    write_mmproj(OUT / "mixed.mmproj.gguf", config, tensors, kinds=kinds)
    families.write_json(FIXTURES / "families" / "gguf-mixed.golden.json", {"prompts": prompts})
    print("mixed, smallest margin", min(p["margin"] for p in prompts), "seed", seed)


def own_models():
    """Models whose references in fixtures/families hold for no GGUF file: llama.cpp's keys have no window for the last layers of a Qwen3, and
    none for whether rows of pictures get Gemma's factor, which llama.cpp gives them."""
    from transformers import CLIPVisionConfig, Gemma2Config, LlamaConfig, Qwen3Config, SiglipVisionConfig

    import make_family_golden as families

    one, clip, siglip, text = families.ONE_PICTURE[1:3], families.CLIP, families.SIGLIP, families.TEXT
    return {
        "qwen3": {  # norms of queries and keys, YaRN
            "kind": "llava", "vision": SiglipVisionConfig(**siglip), "layer": -1, "aspect": "pad", "prompts": one + families.SEVERAL[:1],
            "text": Qwen3Config(**(text | {"num_attention_heads": 4, "num_key_value_heads": 2}), head_dim=16, tie_word_embeddings=True, **families.rope(1e6, rope_type="yarn", factor=4.0, original_max_position_embeddings=512)),
        },
        "gemma-2": {  # windows in every other layer, norms after attention and MLP, capped scores and logits
            "kind": "llava", "vision": SiglipVisionConfig(**siglip), "layer": -1, "aspect": "pad", "prompts": one + families.SEVERAL[:1], "version": "4.42.0",
            "text": Gemma2Config(**(families.GEMMA | {"num_hidden_layers": 3}), query_pre_attn_scalar=16, sliding_window=families.WINDOW, attn_logit_softcapping=2.0, final_logit_softcapping=5.0),
        },
        "llama-3": {  # Llama 3's scaling of rotary positions, features of several layers
            "kind": "llava", "vision": CLIPVisionConfig(**clip), "layer": [1, 2, 3], "aspect": "pad", "prompts": one,
            "text": LlamaConfig(**(text | {"max_position_embeddings": 16384, "num_key_value_heads": 1}), rms_norm_eps=1e-5, **families.rope(5e5, rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)),
        },
        "linear": {"kind": "llava", "vision": CLIPVisionConfig(**clip), "linear": True, "aspect": "pad", "prompts": one, "text": LlamaConfig(**text, rms_norm_eps=1e-5)},
    }  # fmt: skip


def write_own(name, family):
    import make_family_golden as families

    tokenizer = families.tokenizer_of(family)
    model = families.build(family, tokenizer.get_vocab_size())
    for seed in range(1, 1000):
        families.scramble(model, seed)
        prompts = [families.reference(model, family, tokenizer, sizes, True) for sizes in family["prompts"]]
        if min(p["margin"] for p in prompts) > 0.01:
            break
    tensors = {n: t.numpy() for n, t in families.tensors_of(model, family).items()}
    if family.get("linear"):
        tensors = {n.replace("multi_modal_projector.", "multi_modal_projector.linear_1."): t for n, t in tensors.items()}
    config = model.config.to_dict()
    write_decoder(OUT / f"{name}.gguf", config, tensors, json.loads(tokenizer.to_str()))
    write_mmproj(OUT / f"{name}.mmproj.gguf", config, tensors)
    families.write_json(FIXTURES / "families" / f"gguf-{name}.golden.json", {"prompts": prompts})
    print(name, "smallest margin", min(p["margin"] for p in prompts), "seed", seed)


CORPUS = [
    "I'm sure they'll say it's theirs, won't you? WE'VE seen 12345 birds on 3 trees.", "A small  red star.\n\n  Two blanks, and\ttabs.\r\n",
    "Straße, größer als 7 Häuser; naïve café.", "你好,世界!图片里有什么?", "x = {'a': [1, 22, 333, 4444]}  # a comment", "👍🏽 ok...",
]  # fmt: skip
TEXTS = CORPUS + [
    "", " ", "   ", "\n", " \n  \n\n", "a\n\n\nb", "'s 'S 'll 'LL 're''d", "1234567890", "1 22 333 4444 55555", "٣٤٥٦ ½ ⅷ", "don'T", "x1y22z333",
    "_under_score_", "  leading", "trailing  ", "tab\t\tend", "\u00a0nbsp\u3000wide", "e\u0301 é ﬁ Å", "你好 世界", "한국어 テスト ไทย", "🦙🦙 👩‍👩‍👧", "a.b,c;d!?...",
    "http://example.org/a?b=c#d", "\x07\x00bell", "A<|end|>B", "<|end|>\n<|begin_of_text|>", "straightforwardly unseen wordsmithery",
]  # fmt: skip


def write_splitting(name):
    """A file with nothing but a byte-level tokenizer, and the ids of Hugging Face's own class."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import Qwen2Tokenizer
    from transformers.convert_slow_tokenizer import TikTokenConverter

    llama = name == "llama-bpe"
    specials = ["<|begin_of_text|>", "<|end|>"]
    if llama:
        # Llama 3's tokenizer is OpenAI's kind; the pattern is the converter's own.
        pattern = TikTokenConverter().pattern
        tokenizer = Tokenizer(models.BPE(ignore_merges=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ])  # fmt: skip
    else:
        tokenizer = Qwen2Tokenizer()._tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in specials])
    if llama:
        # A word that its merges don't make: it is that token all the same.
        state = json.loads(tokenizer.to_str())
        state["model"]["vocab"]["Ġunseen"] = len(state["model"]["vocab"])
        tokenizer = Tokenizer.from_str(json.dumps(state))
        tokenizer.post_processor = processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", 0)])
    state = json.loads(tokenizer.to_str())
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", "llama" if llama else "qwen2")
    rows = max([*state["model"]["vocab"].values(), *(t["id"] for t in state["added_tokens"])]) + 1
    add_byte_level_tokenizer(writer, state, rows, name, {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}, begins=False)
    close(writer)
    texts = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
    (OUT / f"{name}.golden.json").write_text(json.dumps({"texts": texts}, separators=(",", ":"), ensure_ascii=False) + "\n")


def ours(name):
    """As make_family_golden.tensors_of names a model's parameters."""
    if name.startswith("lm_head."):
        return "language_model." + name
    name = name.removeprefix("model.").replace("language_model.", "language_model.model.", 1)
    if name.startswith("vision_tower.") and ".vision_model." not in name:
        return name.replace("vision_tower.", "vision_tower.vision_model.", 1)
    return name


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_types()
    write_sentencepiece("spm", True)
    write_sentencepiece("bare", False)
    write_family("llava-1.5", old=True)
    write_family("llava-1.6-vicuna", old=True)
    write_family("llava-1.6-mistral")
    write_family("llava-1.6-34b")
    write_family("llava-interleave", parts=12)
    write_family("llava-phi-3")
    write_family("llava-phi-3-128k")
    write_family("llava-gemma-4.39")
    write_idefics3("smolvlm")
    write_idefics3("smolvlm2")
    write_mixed()
    for name, family in own_models().items():
        write_own(name, family)
    write_splitting("llama-bpe")
    write_splitting("qwen2")
    print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")


if __name__ == "__main__":
    sys.exit(main())
