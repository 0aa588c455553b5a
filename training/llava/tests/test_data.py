"""Data files, the sampler's batches and what is said of bad input, on files of the tests' own."""

import json
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from PIL import Image

from llava.conversations import read_data
from llava.sampler import ModalitySampler

SAY = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A cat."}]


class Reading(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        Image.new("RGB", (8, 8)).save(self.folder / "a.png")

    def write(self, name, text):
        (self.folder / name).write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return self.folder / name

    def test_what_cant_be_learned_from_is_counted_by_reason(self):
        entries = [
            {"id": "good", "image": "a.png", "conversations": SAY},
            {"id": "text", "conversations": [{"from": "gpt", "value": "Hello!"}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes?"}]},
            {"id": "gone", "image": "b.png", "conversations": SAY},
            {"id": "no picture", "conversations": SAY},
            {"id": "no place", "image": "a.png", "conversations": [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "?"}]},
            {"id": "twice", "conversations": [{"from": "human", "value": "What?"}] * 2},
            {"id": "alone", "conversations": [{"from": "human", "value": "What?"}]},
            {"id": "who", "conversations": [{"from": "cat", "value": "Miaow"}]},
            "nonsense",
        ]
        data = read_data([self.write("a.json", entries)])
        self.assertEqual([sample.id for sample in data.samples], ["good", "text"])
        self.assertEqual(sum(data.left_out.values()), 7)
        self.assertIn("1 whose picture is missing", data.report())
        self.assertEqual([turn.text for turn in data.samples[1].turns], ["Hi", "Yes?"])

    def test_json_lines_a_byte_order_mark_and_weights(self):
        talk = {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}
        lines = "\ufeff" + "\r\n".join(json.dumps({**talk, "id": str(n)}) for n in range(10))
        other = self.write("other.json", [{**talk, "id": "other"}])
        files = [self.write("lines.jsonl", lines), other]
        self.assertEqual(len(read_data(files).samples), 11)
        for _ in range(2):
            drawn = [sample.id for sample in read_data(files, weights=[0.5, 3], seed=4).samples]
            self.assertEqual(len(drawn), 8)
            self.assertEqual(drawn.count("other"), 3)
        self.assertEqual(drawn, [sample.id for sample in read_data(files, weights=[0.5, 3], seed=4).samples])

    def test_bad_files_are_a_sentence(self):
        for text, said in (("[{", "line 1"), ("{}\n{", "Line 2"), ("[]", "no conversation"), ("", "no conversation")):
            with self.assertRaisesRegex(ValueError, said):
                read_data([self.write("bad.json", text)])
        with self.assertRaisesRegex(ValueError, "can't be read"):
            read_data([self.folder / "none.json"])
        with self.assertRaisesRegex(ValueError, "2 weights"):
            read_data(["a"], weights=[1, 2])


class Sampling(unittest.TestCase):
    def test_every_sample_once_in_steps_of_one_kind(self):
        lengths = [(i % 37 + 1) * (1 if i % 3 else -1) for i in range(203)]
        sampler = ModalitySampler(lengths, batch=4, world=2, seed=5)
        order = list(sampler)
        self.assertEqual(sorted(order), list(range(203)))
        steps = [order[i : i + 8] for i in range(0, 203, 8)]
        mixed = [step for step in steps if len({lengths[i] > 0 for i in step}) > 1]
        self.assertLessEqual(len(mixed), 1)
        self.assertTrue(not mixed or mixed[0] in steps[-2:])
        # Within a step each process's batch begins with its longest, and their sums are alike.
        for step in steps[:-2]:
            halves = [[abs(lengths[i]) for i in half] for half in (step[:4], step[4:])]
            self.assertTrue(all(half == sorted(half, reverse=True) for half in halves))
            self.assertLess(abs(sum(halves[0]) - sum(halves[1])), max(map(max, halves)))

    def test_the_order_is_the_epochs_alone(self):
        lengths = [5, -3, 8, 2, -9, 4, 1, -1]
        sampler = ModalitySampler(lengths, 2, seed=1)
        first = list(sampler)
        sampler.set_epoch(1)
        self.assertNotEqual(list(sampler), first)
        sampler.set_epoch(0)
        self.assertEqual(list(sampler), first)
        self.assertEqual(Counter(first), Counter(range(8)))


if __name__ == "__main__":
    unittest.main()
