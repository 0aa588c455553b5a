"""What is learned of a conversation, by every template, worked out by hand from LLaVA's rules."""

import unittest
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer

from data import Encoder
from llava.masks import IGNORE, spread_pictures, tokenize
from llava.templates import IMAGE, Turn, render, template_names

FIXTURES = Path(__file__).parents[2] / "fixtures"
TURNS = (Turn("user", "What is it?\n<image>"), Turn("assistant", "A cat."), Turn("user", "Why?"), Turn("assistant", "It purrs."))
CAPTION = (Turn("user", "Describe it. <image>"), Turn("assistant", "A cat."))
POLITE = "The assistant gives helpful, detailed, and polite answers to the user's questions."
USER = f"A chat between a curious user and an artificial intelligence assistant. {POLITE}"
HUMAN = USER.replace("user", "human")
MMTAG = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant is able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language.The visual content will be provided with the following format: "
    "<Image>visual content</Image>."
)
LLAVA_2 = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, and assist the user "
    "with a variety of tasks using natural language."
)
MPT = "A conversation between a user and an LLM-based AI assistant. The assistant gives helpful and honest answers."
# Learned text in «».
GOLDEN = {
    "v0": f"{HUMAN}\n\n«###» Human: <image>\nWhat is it?\n«### Assistant: A cat.\n»«###» Human: Why?\n«### Assistant: It purrs.\n»«###»",
    "v0_mmtag": f"{MMTAG}\n\n«###» Human: <Image><image></Image>\nWhat is it?\n«### Assistant: A cat.\n»"
    "«###» Human: Why?\n«### Assistant: It purrs.\n»«###»",
    "v1": f"{USER} USER: <image>\nWhat is it? ASSISTANT:« A cat.</s>»USER: Why? ASSISTANT:« It purrs.</s>»",
    "llava_v1": f"{HUMAN} USER: <image>\nWhat is it? ASSISTANT:« A cat.</s>»USER: Why? ASSISTANT:« It purrs.</s>»",
    "v1_mmtag": f"{MMTAG} USER: <Image><image></Image>\nWhat is it? ASSISTANT:« A cat.</s>»USER: Why? ASSISTANT:« It purrs.</s>»",
    "llama_2": f"[INST] <<SYS>>\n{LLAVA_2}\n<</SYS>>\n\n<image>\nWhat is it? [/INST]« A cat. </s>»<s>[INST] Why? [/INST]« It purrs. </s>»",
    "mistral_instruct": "[INST] <image>\nWhat is it? [/INST]« A cat. </s>»[INST] Why? [/INST]« It purrs. </s>»",
    "mpt": f"<|im_start|>system\n{MPT}<|im_end|><|im_start|>user\n<image>\nWhat is it?<|im_end|><|im_start|>assistant\n«A cat.<|im_end|>»"
    "<|im_start|>user\nWhy?<|im_end|><|im_start|>assistant\n«It purrs.<|im_end|>»",
    "chatml_direct": "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nWhat is it?<|im_end|><|im_start|>assistant\n"
    "«A cat.<|im_end|>»<|im_start|>user\nWhy?<|im_end|><|im_start|>assistant\n«It purrs.<|im_end|>»",
    "plain": "<image>«A cat.\n»",
}
ALIASES = {"vicuna_v1": "v1", "llava_v0": "v0", "default": "v0", "v0_plain": "plain", "llava_llama_2": "llama_2", "mistral_direct": "chatml_direct"}
TOKENIZERS = {name: AutoTokenizer.from_pretrained(FIXTURES / path) for name, path in (("SentencePiece", "tiny-llava"), ("bytes", "../checkpoint"))}


def marked(pieces):
    return "".join(f"«{piece.text}»" if piece.learned else piece.text for piece in pieces)


class Masks(unittest.TestCase):
    def test_every_template_is_written_as_llava_writes_it(self):
        self.assertEqual({*GOLDEN, *ALIASES, "chat"}, set(template_names()))
        for name in [*GOLDEN, *ALIASES]:
            turns = CAPTION if "plain" in name else TURNS
            self.assertEqual(marked(render(name, turns)), GOLDEN[ALIASES.get(name, name)], name)

    def test_the_learned_ids_spell_the_learned_text(self):
        for kind, tokenizer in TOKENIZERS.items():
            for name in GOLDEN:
                with self.subTest(template=name, tokenizer=kind):
                    pieces = render(name, CAPTION if name == "plain" else TURNS)
                    ids, labels = tokenize(tokenizer, pieces)
                    self.assertTrue(all(label in (id, IGNORE) for id, label in zip(ids, labels, strict=True)))
                    said = tokenizer.decode([label for label in labels if label != IGNORE])
                    wanted = "".join(piece.text for piece in pieces if piece.learned)
                    self.assertEqual(said.replace(" ", ""), wanted.replace(" ", ""))
                    self.assertEqual(labels[0], IGNORE)

    def test_vicuna_learns_the_ids_that_llava_learns(self):
        """LLaVA's own rule for v1: rounds end with </s>; all up to "ASSISTANT: " is masked, without the space's own token."""
        tokenizer = TOKENIZERS["SentencePiece"]
        pieces = render("v1", [Turn(turn.role, turn.text.replace("<image>", "").strip()) for turn in TURNS])
        ids, labels = tokenize(tokenizer, pieces)
        text = "".join(piece.text for piece in pieces)
        wanted, at = [IGNORE], 1
        for number, round in enumerate(text.split("</s>")[:-1]):
            instruction = round.split(" ASSISTANT: ")[0] + " ASSISTANT: "  # whose last token is the space
            # Behind </s> no word begins with SentencePiece's space.
            length = lambda part, first=number == 0: len(tokenizer(part if first else f"</s>{part}", add_special_tokens=False)["input_ids"]) - (not first)
            whole, masked = length(round) + 1, length(instruction) - 1
            wanted += [IGNORE] * masked + ids[at + masked : at + whole]
            at += whole
        self.assertEqual(at, len(ids))
        self.assertEqual(labels, wanted)

    def test_a_chat_template_of_the_tokenizers_own(self):
        tokenizer = AutoTokenizer.from_pretrained(FIXTURES / "../checkpoint")
        tokenizer.chat_template = (
            "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
        )
        wanted = (
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<image>\nWhat is it?<|im_end|>\n<|im_start|>assistant\n«A cat.<|im_end|>\n»"
            "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n«It purrs.<|im_end|>\n»"
        )
        self.assertEqual(marked(render("chat", TURNS, "Be brief.", tokenizer)), wanted)
        tokenizer.chat_template = "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
        with self.assertRaisesRegex(ValueError, "changes earlier turns"):
            render("chat", TURNS, None, tokenizer)

    def test_pictures_take_their_places(self):
        self.assertEqual(spread_pictures([1, 9, 2, 9], [-100, -100, 2, -100], 9, [2, 3]), ([1, 9, 9, 2, 9, 9, 9], [-100] * 3 + [2] + [-100] * 3))
        with self.assertRaisesRegex(ValueError, "2 places for pictures and 1 pictures"):
            spread_pictures([9, 9], [IGNORE, IGNORE], 9, [1])

    def test_what_fits_no_template_is_told(self):
        with self.assertRaisesRegex(ValueError, "There is no template v7"):
            render("v7", TURNS)
        with self.assertRaisesRegex(ValueError, "one caption"):
            render("plain", TURNS)

    def test_pocket_llava_is_trained_on_the_same_ids_and_labels(self):
        """Its own recipe packs many conversations behind one picture and encodes them in parts (data.py); the whole has these ids and labels."""
        encoder = Encoder(Tokenizer.from_file(str(FIXTURES.parent / "checkpoint/tokenizer.json")), 3)
        tokenizer = TOKENIZERS["bytes"]
        turns = [("How many cats are there?", "Two."), ("Where is the dog? Use a full sentence.", "It is on the left."), ("hello", "Hello!")]
        for pictures in range(3):
            for count in (1, 2, 3):
                with self.subTest(pictures=pictures, turns=count):
                    said = [Turn(role, text) for pair in turns[:count] for role, text in zip(("user", "assistant"), pair, strict=True)]
                    said[0] = Turn("user", f"{IMAGE}\n" * pictures + said[0].text)
                    ids, labels = spread_pictures(*tokenize(tokenizer, render("v1", said)), tokenizer.convert_tokens_to_ids(IMAGE), [3] * pictures)
                    prefix, (branch, learned) = encoder.prefix(pictures), encoder.branch(turns[:count], pictures > 0)
                    self.assertEqual(prefix + branch, ids)
                    self.assertEqual([IGNORE] * len(prefix) + learned, labels)


if __name__ == "__main__":
    unittest.main()
