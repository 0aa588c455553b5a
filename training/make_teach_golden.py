"""Golden numbers for src/teach: two answers about one picture, trained by transformers' LLaVA with peft's LoRA.

    python training/make_teach_golden.py

The models are fixtures/tiny-llava, and a random one over Qwen2. Writes fixtures/teach and fixtures/teach-qwen2: peft's own
adapter folder before the first step, the gradients of the first step under the same names, the matrices after three steps of AdamW, and in teach.json
the rows that went into the decoder, what was learned, and each step's loss.
"""

import base64
import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration, Qwen2Config

FIXTURES = Path(__file__).parent / "fixtures"
RATE, DECAY, STEPS = 0.01, 0.01, 3


def main() -> None:
    llava = LlavaForConditionalGeneration.from_pretrained(FIXTURES / "tiny-llava", dtype=torch.float32)
    write_golden(llava, FIXTURES / "teach", "tiny-llava")
    qwen = tiny_qwen2()
    # Before peft gives them other names.
    weights = {f"language_model.model.{name}": value.detach().clone() for name, value in qwen.model.language_model.named_parameters()}
    write_golden(qwen, FIXTURES / "teach-qwen2", "tiny-qwen2")
    save_file(weights, FIXTURES / "teach-qwen2" / "model.safetensors")


def tiny_qwen2() -> LlavaForConditionalGeneration:
    """A LLaVA over Qwen2 as LLaVA-OneVision's 0.5B is: biases of queries, keys and values, grouped heads, output tied to the embeddings."""
    torch.manual_seed(3)
    text = Qwen2Config(
        vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=True,
    )
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8, projection_dim=16,
    )
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=127, image_seq_length=16, tie_word_embeddings=True)
    model = LlavaForConditionalGeneration(config).float().eval()
    with torch.no_grad():
        for name, parameter in model.model.language_model.named_parameters():
            # As wide as trained weights are, and biases and norms that are not 0 and 1.
            parameter.normal_(1.0 if "norm" in name else 0.0, 0.1 if parameter.dim() == 1 else 0.15)
    assert model.lm_head.weight is model.get_input_embeddings().weight
    return model


def write_golden(llava: LlavaForConditionalGeneration, out: Path, base_name: str) -> None:
    torch.manual_seed(7)
    out.mkdir(exist_ok=True)
    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=rf".*language_model.*\.({'|'.join(names)})")
    model = get_peft_model(llava, config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zeros at first, which would leave A without a gradient
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)
    saved = json.loads((out / "adapter_config.json").read_text())
    (out / "adapter_config.json").write_text(json.dumps(saved | {"base_model_name_or_path": base_name}, indent=2) + "\n")

    image_token = llava.config.image_token_index
    pixels = torch.randn(1, 3, 32, 32)
    features = llava.get_image_features(pixel_values=pixels)
    rows = features.pooler_output[0].shape[0] if hasattr(features, "pooler_output") else features[0].shape[0]
    beginning = [1, 20, 21, 22] + [image_token] * rows + [30]
    ends = [([40, 41, 42, 43], [50, 51, 2]), ([60, 61], [70, 71, 72, 73, 2])]
    count = sum(len(answer) for _, answer in ends)

    def loss_of(question: list[int], answer: list[int]) -> torch.Tensor:
        ids = torch.tensor([beginning + question + answer])
        labels = torch.tensor([[-100] * (len(beginning) + len(question)) + answer])
        logits = model(input_ids=ids, pixel_values=pixels).logits[:, :-1]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")

    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=RATE, weight_decay=DECAY)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = sum(loss_of(*end) for end in ends) / count
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            save_file({plain(n): p.grad.clone() for n, p in trained.items()}, out / "gradients.safetensors")
        optimizer.step()
    save_file({plain(n): p.detach().clone() for n, p in trained.items()}, out / "after.safetensors")

    with torch.no_grad():
        table = llava.get_input_embeddings()
        embeds = table(torch.tensor(beginning + [i for q, a in ends for i in q + a]))
        picture = features.pooler_output[0] if hasattr(features, "pooler_output") else features[0]
        embeds[4 : 4 + rows] = picture
    golden = {
        "beginning": len(beginning),
        "ends": [{"question": len(q), "answer": a} for q, a in ends],
        "embeds": base64.b64encode(embeds.numpy().astype("<f4").tobytes()).decode(),
        "rate": RATE,
        "decay": DECAY,
        "losses": losses,
    }
    (out / "teach.json").write_text(json.dumps(golden, indent=1) + "\n")


def plain(name: str) -> str:
    """As peft saves it."""
    return name.replace(".default.", ".")


if __name__ == "__main__":
    main()
