"""Writes tiny random checkpoints of Idefics3's and SmolVLM2's classes, and what PyTorch (Hugging Face transformers, fp32) computes with them.

`python make_smolvlm_golden.py [squares]`  fixtures/families/smolvlm/ and smolvlm2/, and fixtures/families/<name>.golden.json: token ids, pixels,
                                 features, logits and greedy ids, with pictures cut into squares and whole; fixtures/squares.golden.json:
                                 how many squares pictures of many sizes become in the published models, and pixels of some

Weights are kept as f16; the reference is computed from what was kept. Pictures are formulas, so none is stored.
"""

import itertools
import json
import shutil
import sys

import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    LlamaConfig,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from make_family_golden import HALF, NEW_TOKENS, OUT, scramble, write_json
from make_golden import formula_picture

# SmolVLM's own.
CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == 'image' %}{{':'}}"
    "{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<fake_token_around_image>", "<image>", "<end_of_utterance>"]
MARKS = ["<global-img>"] + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
TEXT = {"hidden_size": 96, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 32}  # fmt: skip
TOWER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 8}

# Between the likeliest token and the next.
LEAST_MARGIN = 0.01

# Pictures of each prompt as (width, height), and whether they are cut into squares.
PROMPTS = [
    ([(64, 64)], False), ([(64, 64)], True), ([(100, 50)], False), ([(100, 50)], True), ([(41, 97)], True), ([(300, 170)], True),
    ([(1, 1)], False), ([(7, 200)], True), ([(64, 48), (30, 70)], False), ([(64, 48), (30, 70)], True),
]  # fmt: skip

FAMILIES = {
    # As the models of 256M and 500M: marks are tokens.
    "smolvlm": {
        "config": Idefics3Config, "model": Idefics3ForConditionalGeneration, "scale": 4, "marks": True, "longest": 4,
        "vision": TOWER | {"image_size": 64}, "tied": True,
    },
    # As those of 2.2B and SmolVLM2: three patches on a side of a square, marks in letters, a head of its own.
    "smolvlm2": {
        "config": SmolVLMConfig, "model": SmolVLMForConditionalGeneration, "scale": 3, "marks": False, "longest": 3,
        "vision": TOWER | {"image_size": 54}, "tied": False,
    },
}  # fmt: skip


def tokenizer_of(family):
    """Byte-level BPE with single digits, as SmolLM2's; two line breaks are one token."""
    tokenizer = Tokenizer(models.BPE(unk_token=None, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    specials = SPECIALS + (MARKS if family["marks"] else [])
    corpus = ["User: What is this?\nAssistant: A small red star.\n\nrow col"] * 20
    trainer = trainers.BpeTrainer(
        vocab_size=290 + len(specials), special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=2,
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in specials])
    return tokenizer


def build(family, tokenizer):
    token = tokenizer.token_to_id
    text = LlamaConfig(
        **TEXT, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=1024, rms_norm_eps=1e-5, tie_word_embeddings=family["tied"],
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0}, bos_token_id=token("<|im_start|>"),
        eos_token_id=token("<end_of_utterance>"), pad_token_id=token("<|im_end|>"),
    )  # fmt: skip
    vision = {"model_type": family["config"].sub_configs_defaults["vision_config"].model_type, **family["vision"]}
    config = family["config"](
        vision_config=vision, text_config=text, image_token_id=token("<image>"), scale_factor=family["scale"],
        tie_word_embeddings=family["tied"],
    )  # fmt: skip
    return family["model"](config).eval()


def processor_of(family, tokenizer):
    side = family["vision"]["image_size"]
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end_of_utterance>", bos_token="<|im_start|>", pad_token="<|im_end|>")
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": family["longest"] * side}, max_image_size={"longest_edge": side}, image_mean=HALF, image_std=HALF
    )
    rows = (side // family["vision"]["patch_size"] // family["scale"]) ** 2
    return Idefics3Processor(images, fast, image_seq_len=rows, chat_template=CHAT_TEMPLATE)


@torch.no_grad()
def reference(model, processor, sizes, cut):
    pictures = [Image.fromarray(formula_picture(w, h)) for w, h in sizes]
    content = [{"type": "image"} for _ in pictures] + [{"type": "text", "text": "What is this?"}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    # One picture at a time: in a batch the processor fills up those with fewer squares.
    tiles = [processor.image_processor([p], do_image_splitting=cut, return_tensors="pt")["pixel_values"][0] for p in pictures]
    inputs = processor(text=prompt, images=[pictures], do_image_splitting=cut, return_tensors="pt")
    assert torch.equal(inputs["pixel_values"][0], torch.cat(tiles))
    seen = model.model.get_image_features(inputs["pixel_values"], inputs["pixel_attention_mask"])
    features = torch.cat([f.reshape(-1, processor.image_seq_len, f.shape[-1]) for f in getattr(seen, "pooler_output", seen)])

    out = model(**inputs, use_cache=True)
    first = last = out.logits[0, -1]
    greedy, margins = [], []
    while len(greedy) < NEW_TOKENS:
        margins.append(float(last.topk(2).values.diff().abs()))
        greedy.append(int(last.argmax()))
        # Nobody knows which picture an image token in the answer would stand for.
        if min(margins) <= LEAST_MARGIN or greedy[-1] == model.config.image_token_id:
            return None
        if len(greedy) < NEW_TOKENS:
            out = model(input_ids=torch.tensor([[greedy[-1]]]), past_key_values=out.past_key_values, use_cache=True)
            last = out.logits[0, -1]
    # Each run of image tokens as one.
    image = model.config.image_token_id
    short, run = [], 0
    for i in inputs["input_ids"][0].tolist():
        run = run + 1 if i == image else 0
        if i != image or run % processor.image_seq_len == 1:
            short.append(i)
    numbers = lambda t, step, digits=5: [round(float(v), digits) for v in t.reshape(-1)[::step]]
    per_picture = torch.split(features, [len(t) for t in tiles])
    return {
        "pictures": sizes, "detail": "every" if cut else "quick", "ids": short, "rows": [len(t) * processor.image_seq_len for t in tiles],
        "tiles": [len(t) for t in tiles], "pixels": [numbers(t, 389, 4) for t in tiles], "features": [numbers(f, 11) for f in per_picture],
        "logits": numbers(first, 2), "greedy": greedy, "margin": round(min(margins), 4),
    }  # fmt: skip


def write_family(name, family):
    tokenizer = tokenizer_of(family)
    model, processor = build(family, tokenizer), processor_of(family, tokenizer)
    for seed in itertools.count(1):  # until no two tokens are so close that rounding could swap them
        scramble(model, seed)
        found = (reference(model, processor, sizes, cut) for sizes, cut in PROMPTS)
        prompts = list(itertools.takewhile(lambda prompt: prompt is not None, found))
        if len(prompts) == len(PROMPTS):
            break
    for old in OUT.glob(f"{name}*"):
        if old.name in (name, f"{name}.golden.json"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    folder = OUT / name
    folder.mkdir(parents=True)
    tensors = {n: t.detach().half().contiguous().clone() for n, t in model.state_dict().items() if not (family["tied"] and n == "lm_head.weight")}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict()
    for part in (config["text_config"], config["vision_config"]):
        for key in ("chunk_size_feed_forward", "id2label", "label2id", "_name_or_path", "output_attentions", "output_hidden_states"):
            part.pop(key, None)
    write_json(folder / "config.json", config)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "tokenizer_config.json", {"bos_token": "<|im_start|>", "eos_token": "<end_of_utterance>", "tokenizer_class": "PreTrainedTokenizerFast"})  # fmt: skip
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    images = processor.image_processor
    write_json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "Idefics3ImageProcessor", "processor_class": "Idefics3Processor", "do_convert_rgb": True, "do_resize": True,
            "size": dict(images.size), "resample": 1, "do_image_splitting": True, "max_image_size": dict(images.max_image_size), "do_rescale": True,
            "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": HALF, "image_std": HALF, "do_pad": True,
        },
    )  # fmt: skip
    write_json(folder / "processor_config.json", {"image_seq_len": processor.image_seq_len, "processor_class": "Idefics3Processor"})
    picture = "channel c of pixel x, y is (7x + 13y + 29c) mod 256"
    write_json(OUT / f"{name}.golden.json", {"picture": picture, "prompts": prompts})
    print(name, [p["tiles"] for p in prompts], "smallest margin", min(p["margin"] for p in prompts))


def write_squares():
    """Squares per picture as (square's side, longest edge, width, height, rows, columns), and numbers of what the tower gets."""
    kinds = [(512, 2048), (384, 1536), (364, 1456)]
    shapes = [(1, 1), (3, 4000), (4000, 3), (512, 512), (512, 513), (640, 480), (480, 640), (1000, 333), (333, 1000), (1920, 1080), (2048, 512), (2049, 511), (5000, 4999)]  # fmt: skip
    counts, pixels = [], []
    for side, longest in kinds:
        images = Idefics3ImageProcessorPil(size={"longest_edge": longest}, max_image_size={"longest_edge": side}, image_mean=HALF, image_std=HALF)
        for width, height in shapes if side == 512 else shapes[2:9]:
            picture = Image.fromarray(formula_picture(width, height))
            out = images([picture], return_row_col_info=True, return_tensors="pt")
            counts.append([side, longest, width, height, out["rows"][0][0], out["cols"][0][0]])
        for width, height, cut in [(640, 480, True), (333, 1000, True), (700, 300, False)]:
            values = images([Image.fromarray(formula_picture(width, height))], do_image_splitting=cut, return_tensors="pt")["pixel_values"][0]
            pixels.append({
                "size": side, "longestEdge": longest, "width": width, "height": height, "every": cut, "tiles": len(values),
                "average": round(float(values.double().mean()), 6), "values": [round(float(v), 4) for v in values.reshape(-1)[::99991]],
            })  # fmt: skip
    write_json(OUT.parent / "squares.golden.json", {"counts": counts, "pixels": pixels})


if __name__ == "__main__":
    if "squares" in sys.argv[1:]:
        sys.exit(write_squares())
    for name, family in FAMILIES.items():
        write_family(name, family)
    write_squares()
