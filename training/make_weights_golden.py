"""Writes a tiny language model, a delta and a LoRA adapter as LLaVA's training leaves them, and what PyTorch and peft make of them:
reference vectors for `llava apply-delta`, `make-delta`, `merge-lora` and `convert --base`.

    pip install peft && python training/make_weights_golden.py
"""

import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).parent / "fixtures" / "weights"
HIDDEN, FFN, VOCAB, ADDED = 16, 24, 20, 3
VISION = 8
LLAVA = {
    "mm_vision_tower": "tiny-clip",
    "mm_hidden_size": VISION,
    "mm_vision_select_layer": -2,
    "mm_vision_select_feature": "patch",
}


def llama(vocab=VOCAB):
    config = LlamaConfig(
        hidden_size=HIDDEN,
        intermediate_size=FFN,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        vocab_size=vocab,
        max_position_embeddings=64,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config)


def flat(config, **more):
    keys = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim"]
    keys += ["vocab_size", "max_position_embeddings", "rms_norm_eps", "hidden_act", "tie_word_embeddings"]
    return {**{key: getattr(config, key) for key in keys}, **more}


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def half(state):
    return {name: tensor.detach().half().contiguous() for name, tensor in state.items()}


def write_base(model):
    """fp16, in two shards of torch.save, beside the buffers that files of those days carried along."""
    state = half(model.state_dict())
    state["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.arange(4).float()
    names = list(state)
    shards = {"pytorch_model-00001-of-00002.bin": names[:9], "pytorch_model-00002-of-00002.bin": names[9:]}
    for file, inside in shards.items():
        (OUT / "base").mkdir(parents=True, exist_ok=True)
        torch.save({name: state[name] for name in inside}, OUT / "base" / file)
    weight_map = {name: file for file, inside in shards.items() for name in inside}
    write(OUT / "base" / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": weight_map})
    write(OUT / "base" / "config.json", flat(model.config, model_type="llama", architectures=["LlamaForCausalLM"]))
    return state


def write_delta(base):
    """A model with a linear projector and three more tokens; golden: what adding in half precision gives."""
    model = llama(VOCAB + ADDED)
    target = half(model.state_dict())
    for name, tensor in target.items():
        own = base[name]
        view = tensor[: own.shape[0], : own.shape[1]] if tensor.dim() == 2 else tensor
        view.copy_(own + (torch.randn_like(own.float()) * 0.02).half())
    target["model.mm_projector.weight"] = torch.randn(HIDDEN, VISION).half()
    target["model.mm_projector.bias"] = torch.randn(HIDDEN).half()

    delta = {name: tensor.clone() for name, tensor in target.items()}
    for name in delta:
        if name in base:
            view = delta[name][: base[name].shape[0], : base[name].shape[1]] if delta[name].dim() == 2 else delta[name]
            view -= base[name]
    applied = {name: tensor.clone() for name, tensor in delta.items()}
    for name in applied:
        if name in base:
            view = applied[name][: base[name].shape[0], : base[name].shape[1]] if applied[name].dim() == 2 else applied[name]
            view += base[name]
    (OUT / "delta").mkdir(parents=True, exist_ok=True)
    torch.save(delta, OUT / "delta" / "pytorch_model.bin")
    write(OUT / "delta" / "config.json", flat(model.config, model_type="llava", **LLAVA, mm_use_im_start_end=True))
    save_file(target, OUT / "target.safetensors")
    save_file(applied, OUT / "applied.safetensors")


def write_lora(model):
    """An adapter on every linear layer of the decoder but the head, made and merged by peft; the projector is trained whole."""
    model.load_state_dict({name: tensor.half().float() for name, tensor in model.state_dict().items()})
    model.model.mm_projector = torch.nn.Sequential(
        torch.nn.Linear(VISION, HIDDEN), torch.nn.GELU(), torch.nn.Linear(HIDDEN, HIDDEN)
    )
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    wrapped = get_peft_model(model, LoraConfig(r=6, lora_alpha=12, target_modules=targets, task_type="CAUSAL_LM"))
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    wrapped.save_pretrained(OUT / "lora")
    (OUT / "lora" / "README.md").unlink(missing_ok=True)
    path = OUT / "lora" / "adapter_config.json"
    adapter_config = json.loads(path.read_text())
    adapter_config["target_modules"] = sorted(adapter_config["target_modules"])
    adapter_config["base_model_name_or_path"] = "tiny/base"
    write(path, adapter_config)
    others = {name: tensor.detach().half() for name, tensor in wrapped.named_parameters() if "mm_projector" in name}
    torch.save(others, OUT / "lora" / "non_lora_trainables.bin")
    projector = {name.removeprefix("base_model.model."): tensor for name, tensor in others.items()}
    (OUT / "projector").mkdir(parents=True, exist_ok=True)
    torch.save(projector, OUT / "projector" / "mm_projector.bin")
    config = flat(model.config, model_type="llava_llama", **LLAVA, mm_projector_type="mlp2x_gelu", image_aspect_ratio="pad")
    write(OUT / "lora" / "config.json", config)
    write(OUT / "projector" / "config.json", config)
    save_file(half(wrapped.merge_and_unload().state_dict()), OUT / "merged.safetensors")


def main():
    torch.manual_seed(2)
    shutil.rmtree(OUT, ignore_errors=True)
    model = llama()
    base = write_base(model)
    write_delta(base)
    write_lora(model)


if __name__ == "__main__":
    main()
