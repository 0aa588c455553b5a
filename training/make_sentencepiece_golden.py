"""Trains a tiny SentencePiece model like Llama's (BPE with byte fallback) on the repository's own documents, and writes it with the ids that the
SentencePiece library gives for a few texts: the reference for the converter's reader of tokenizer.model.

    pip install sentencepiece && python training/make_sentencepiece_golden.py
"""

import json
import os
import pathlib

import sentencepiece

HERE = pathlib.Path(__file__).parent
OUT = HERE / "fixtures" / "sentencepiece"
TEXTS = [
    "A chat between a curious user and an artificial intelligence assistant.",
    "USER: What is this? ASSISTANT:",
    "\nWhat is shown here?",
    "two  spaces,   three, and a tab\there",
    " leading and trailing ",
    "ÄÖÜ straße, 你好, 🦙!",
    "3,14159 (x+y)^2 == z",
    "<|im_start|>user\nWhat?<|im_end|>",
    "",
]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    os.chdir(OUT)  # a model keeps the names that its trainer was given
    corpus = [(HERE.parent / name).read_text() for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
    lines = [line for text in corpus for line in text.splitlines() if line.strip()]
    (OUT / "corpus.txt").write_text("\n".join(lines))
    write("tokenizer", "golden", vocab_size=700)
    # Like Yi's: no space is added before a text, and some special tokens occur in the training texts as they are.
    write("bare", "bare", vocab_size=400, add_dummy_prefix=False, user_defined_symbols=["<|im_start|>", "<|im_end|>"])
    (OUT / "corpus.txt").unlink()


def write(name, golden_name, **options):
    sentencepiece.SentencePieceTrainer.train(
        input="corpus.txt",
        model_prefix=name,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=0.999,
        split_digits=True,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    (OUT / f"{name}.vocab").unlink()
    model = sentencepiece.SentencePieceProcessor(model_file=str(OUT / f"{name}.model"))
    lead = len(model.encode("<unk>"))
    golden = {
        "pieces": model.vocab_size(),
        "texts": [
            # No space is added after a special token, as in Llama's tokenizer with legacy=False.
            {"text": text, "ids": model.encode(text), "after": model.encode("<unk>" + text)[lead:], "decoded": model.decode(model.encode(text))}
            for text in TEXTS
        ],
    }
    (OUT / f"{golden_name}.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
