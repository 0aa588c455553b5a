"""Writes PEFT adapters of every mergeable kind for tiny checkpoints of fixtures/families, and PyTorch's logits with each of them.

`python make_adapter_golden.py`   fixtures/adapters/<kind>/ as peft saves it (weights kept as f16), fixtures/adapters.golden.json

The reference is the unmerged adapter on its base. peft's own merge has to give the same, except where embeddings and output layer share one
matrix: there peft changes both, and the merged model differs from the trained one.
"""

import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import LlavaForConditionalGeneration

from make_family_golden import CLIP_MEAN, CLIP_STD, HALF, write_json
from make_golden import formula_picture
from model import IMAGE

HERE = Path(__file__).parent / "fixtures"
OUT = HERE / "adapters"
IDS = [1, 40, IMAGE, 41, 42, 43, 7, 90]

KINDS = {
    "bias-lora-only": {"target_modules": ["q_proj", "v_proj"], "bias": "lora_only"},
    "bias-all": {"target_modules": ["q_proj", "v_proj"], "bias": "all"},
    "patterns": {
        "target_modules": ["q_proj", "o_proj", "down_proj", "linear_1"], "use_rslora": True,
        "rank_pattern": {"layers.1.self_attn.q_proj": 3, "linear_1": 1}, "alpha_pattern": {r"^model.language_model.layers.\d+.mlp.down_proj": 7, "o_proj": 1},
    },
    "dora": {"target_modules": ["q_proj", "v_proj", "down_proj", "fc1", "linear_2"], "use_dora": True},
    "embeddings-and-head": {"target_modules": ["embed_tokens", "lm_head", "gate_proj"]},
    "whole-modules": {"target_modules": ["up_proj"], "modules_to_save": ["multi_modal_projector", "embed_tokens", "lm_head", "vision_tower"]},
    "kernels": {"target_modules": ["patch_embedding", "position_embedding", "k_proj"]},
    "dora-of-all": {"target_modules": ["patch_embedding", "embed_tokens", "lm_head"], "use_dora": True},
    "lora-bias": {"target_modules": r".*vision_tower.*\.(fc1|out_proj)", "lora_bias": True},
    "tokens": {"target_modules": ["q_proj"], "trainable_token_indices": [5, 40, 41, 271]},
    "tied-head": {"base": "llava-interleave", "target_modules": ["lm_head", "v_proj"]},
}  # fmt: skip


def pixels(side, siglip):
    mean, std = (HALF, HALF) if siglip else (CLIP_MEAN, CLIP_STD)
    picture = torch.from_numpy(formula_picture(side, side).copy()).float() / 255
    return ((picture - torch.tensor(mean)) / torch.tensor(std)).permute(2, 0, 1)[None].float()


@torch.no_grad()
def logits_of(model):
    vision = model.config.vision_config
    rows = (vision.image_size // vision.patch_size) ** 2
    ids = [i for known in IDS for i in ([known] * rows if known == IMAGE else [known])]
    return model(input_ids=torch.tensor([ids]), pixel_values=pixels(vision.image_size, "siglip" in vision.model_type)).logits[0, -1]


def scramble(model):
    """Everything that was trained moves by something that is exact in f16."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                noise = torch.randn(p.shape, generator=generator)
                fresh = "lora_" in name and "magnitude" not in name
                p.copy_((0.3 * noise if fresh else p + 0.1 * noise).half().float())


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    golden = {"ids": IDS, "kinds": {}}
    for kind, settings in KINDS.items():
        torch.manual_seed(3)
        below = settings.pop("base", "llava-1.5")
        base = LlavaForConditionalGeneration.from_pretrained(HERE / "families" / below).float().eval()
        before = logits_of(base)
        model = get_peft_model(base, LoraConfig(r=2, lora_alpha=3, **settings)).eval()
        scramble(model)
        logits = logits_of(model)
        model.save_pretrained(OUT / kind)
        (OUT / kind / "README.md").unlink()
        config = json.loads((OUT / kind / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = f"tiny/{below}"
        config = {k: sorted(v) if isinstance(v, list) else v for k, v in config.items() if v not in (None, {}, [])}
        write_json(OUT / kind / "adapter_config.json", config)
        path = OUT / kind / "adapter_model.safetensors"
        state = load_file(path)
        assert all((t.half().float() == t).all() for t in state.values())
        save_file({name: t.half() for name, t in state.items()}, path, metadata={"format": "pt"})
        merged = logits_of(model.merge_and_unload())
        apart = (merged - logits).abs().max()
        print(kind, len(state), path.stat().st_size, "moved", float((logits - before).abs().max()), "merged", float(apart))
        assert apart < 1e-4 or kind.startswith("tied")
        golden["kinds"][kind] = {"base": below, "logits": [round(float(v), 5) for v in logits[::4]]}
    write_json(HERE / "adapters.golden.json", golden)
    print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")


if __name__ == "__main__":
    main()
