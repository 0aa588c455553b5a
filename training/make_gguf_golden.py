"""Writes GGUF files with the package `gguf`, as llama.cpp's converters write them, for the converter's reader.

    pip install gguf==0.19.0 && python training/make_gguf_golden.py

fixtures/gguf/types.gguf          every type that is read: a tensor of random blocks, and what gguf's own dequantizer makes of it
fixtures/gguf/<family>.gguf and   checkpoints of fixtures/families, whose golden vectors hold for them: weights are exact in f16
    <family>.mmproj.gguf
fixtures/gguf/mixed.gguf and      every type in one model, and what PyTorch computes with its dequantized weights:
    mixed.mmproj.gguf             fixtures/families/gguf-mixed.golden.json
fixtures/gguf/spm.gguf, bare.gguf the SentencePiece models of fixtures/sentencepiece, without tensors
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


def add_byte_level_tokenizer(writer, tokenizer, rows, pre):
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
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
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


DECODER = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip
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


def write_decoder(path, config, tensors, tokenizer, pre="gpt-2", kinds={}):
    text = config["text_config"]
    arch = "qwen2" if text["model_type"] == "qwen2" else "llama"
    heads, kv_heads = text["num_attention_heads"], text["num_key_value_heads"]
    head_size = text.get("head_dim") or text["hidden_size"] // heads
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name(path.name.removesuffix(".gguf"))
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
    add_byte_level_tokenizer(writer, tokenizer, text["vocab_size"], pre)
    for name, weights in tensors.items():
        if name == "language_model.lm_head.weight":
            add_tensor(writer, "output.weight", weights, kinds.get(name))
        rest = name.removeprefix("language_model.model.")
        if rest == name:
            continue
        if rest in ("embed_tokens.weight", "norm.weight"):
            add_tensor(writer, {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[rest], weights, kinds.get(name))
            continue
        _, layer, *module, kind = rest.split(".")
        module = ".".join(module)
        if arch == "llama" and module in ("self_attn.q_proj", "self_attn.k_proj"):
            weights = permuted(weights, heads if "q_proj" in module else kv_heads)
        add_tensor(writer, f"blk.{layer}.{DECODER[module]}.{kind}", weights, kinds.get(name))
    close(writer)


def write_mmproj(path, config, tensors, old=False, kinds={}):
    vision = config["vision_config"]
    siglip = vision["model_type"].startswith("siglip")
    layer = config["vision_feature_layer"]
    blocks = layer if layer >= 0 else vision["num_hidden_layers"] + 1 + layer
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


def write_family(name, old=False, pre="gpt-2"):
    folder = FIXTURES / "families" / name
    config = json.loads((folder / "config.json").read_text())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    write_decoder(OUT / f"{name}.gguf", config, tensors, tokenizer, pre)
    write_mmproj(OUT / f"{name}.mmproj.gguf", config, tensors, old)


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
    write_family("llava-interleave")
    write_mixed()
    print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")


if __name__ == "__main__":
    sys.exit(main())
