"""Training on a tiny LLaVA: equal to a plain loop, equal in two processes, resumed, and its results read again. CPU, in float32."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor, HfArgumentParser

from llava.arguments import DataArguments, LlavaArguments, ModelArguments
from llava.build import build
from llava.conversations import read_data
from llava.projector import projector_of, read_projector
from llava.train import last_checkpoint, main, trainer_for

TRAINING = Path(__file__).parents[2]
TINY = TRAINING / "fixtures/tiny-llava"


class Runs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        rng, entries = np.random.default_rng(0), []
        for n in range(12):
            Image.fromarray(rng.integers(0, 255, (24 + n, 30, 3), dtype=np.uint8)).save(self.folder / f"{n}.png")
            question = {"from": "human", "value": "<image>\nWhat is it?" if n % 4 else "Hello"}
            answer = {"from": "gpt", "value": "A cat sits. " * (n % 3 + 1)}
            entries.append({"id": str(n), "conversations": [question, answer], **({"image": f"{n}.png"} if n % 4 else {})})
        (self.folder / "data.json").write_text(json.dumps(entries))

    def options(self, out, *more):
        return [
            "--model_name_or_path", str(TINY), "--data_path", str(self.folder / "data.json"), "--output_dir", str(self.folder / out),
            "--use_cpu", "--bf16", "False", "--max_steps", "4", "--per_device_train_batch_size", "4", "--learning_rate", "1e-3",
            "--lr_scheduler_type", "cosine", "--warmup_steps", "1", "--logging_steps", "1", "--report_to", "none", "--save_strategy", "no",
            "--group_by_modality_length", "True", "--dataloader_num_workers", "0", "--disable_tqdm", "True", *more,
        ]  # fmt: skip

    def losses(self, trainer):
        return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]

    def weights(self, out):
        return AutoModelForImageTextToText.from_pretrained(self.folder / out).state_dict()

    def assert_same(self, one, two, tolerance):
        self.assertEqual(one.keys(), two.keys())
        for name, tensor in one.items():
            self.assertLessEqual((tensor - two[name]).abs().max().item(), tolerance, name)

    def test_a_step_is_that_of_a_plain_loop(self):
        """Loss, gradients and two steps of AdamW against a loop without Trainer, collator or sampler of ours."""
        parsed = HfArgumentParser((ModelArguments, DataArguments, LlavaArguments)).parse_args_into_dataclasses(
            self.options("a", "--max_grad_norm", "0", "--mm_projector_lr", "5e-4", "--lr_scheduler_type", "constant", "--warmup_steps", "0")
        )
        model_args, data_args, training = parsed
        training.remove_unused_columns, training.label_names = False, ["labels"]
        data = read_data(data_args.data_path)
        model, processor = build(model_args, training)
        trainer = trainer_for(model, processor, model_args, data_args, training, data)
        order = list(trainer._get_train_sampler())
        grads = {}
        plain = AutoModelForImageTextToText.from_pretrained(TINY, dtype=torch.float32)
        plain.model.vision_tower.requires_grad_(False)
        groups = [
            {"params": [p for n, p in plain.named_parameters() if p.requires_grad and "multi_modal_projector" not in n], "lr": 1e-3},
            {"params": list(projector_of(plain).parameters()), "lr": 5e-4},
        ]
        optimizer, wanted = torch.optim.AdamW(groups, weight_decay=0.0), []
        for step in range(2):
            total, count = 0, 0
            for number in order[step * 4 : step * 4 + 4]:
                sample = trainer.train_dataset[number]
                out = plain(input_ids=sample["input_ids"][None], pixel_values=sample.get("pixel_values"))
                kept = sample["labels"][1:] != -100
                logp = torch.log_softmax(out.logits[0, :-1][kept].float(), -1)
                total = total - logp.gather(1, sample["labels"][1:][kept][:, None]).sum()
                count += int(kept.sum())
            (total / count).backward()
            wanted.append((total / count).item())
            if step == 0:
                grads = {n: p.grad.clone() for n, p in plain.named_parameters() if p.grad is not None}
            optimizer.step()
            optimizer.zero_grad()
        batch = trainer.data_collator([trainer.train_dataset[i] for i in order[:4]])
        model.zero_grad()
        model(**batch).loss.backward()
        got = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        for name, grad in grads.items():
            scale = max(grad.abs().max().item(), 1e-3)
            self.assertLess((got[name] - grad).abs().max().item() / scale, 1e-4, name)
        model.zero_grad()
        training.max_steps = 2
        trainer.train()
        for ours, theirs in zip(self.losses(trainer), wanted, strict=True):
            self.assertAlmostEqual(ours, theirs, delta=1e-4)
        self.assert_same(dict(model.named_parameters()), dict(plain.named_parameters()), 1e-4)

    def test_two_processes_give_the_weights_of_one(self):
        main(self.options("one"))
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TRAINING)}
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29531", "-m", "llava.train"]
        more = ["--per_device_train_batch_size", "2", "--ddp_backend", "gloo"]
        run = subprocess.run([*command, *self.options("two", *more)], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr[-2000:])
        self.assert_same(self.weights("one"), self.weights("two"), 1e-4)

    def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(self):
        for stage, more in (("all", ()), ("projector", ("--tune_mm_mlp_adapter", "True"))):
            with self.subTest(stage):
                saves = ("--save_strategy", "steps", "--save_steps", "2", *more)
                main(self.options(f"whole-{stage}", *saves))
                main(self.options(f"cut-{stage}", *saves))
                # As if it had been killed after its second step.
                cut = self.folder / f"cut-{stage}"
                for file in cut.rglob("*"):
                    if file.is_file() and "checkpoint-2" not in file.parts:
                        file.unlink()
                (cut / "checkpoint-4").rmdir()
                self.assertTrue(str(last_checkpoint(cut)).endswith("checkpoint-2"))
                again = main(self.options(f"cut-{stage}", *saves))
                self.assertEqual(again.state.global_step, 4)
                if stage == "all":
                    self.assert_same(self.weights("whole-all"), self.weights("cut-all"), 1e-6)
                else:
                    self.assert_same(read_projector(self.folder / "whole-projector"), read_projector(cut), 1e-6)

    def test_a_projector_is_written_in_both_layouts_and_begins_the_next_stage(self):
        trainer = main(self.options("projector", "--tune_mm_mlp_adapter", "True"))
        moved = {name for name, p in trainer.model.named_parameters() if p.requires_grad}
        self.assertTrue(moved and all("multi_modal_projector" in name for name in moved))
        first, second = (read_projector(self.folder / "projector" / name) for name in ("mm_projector.bin", "projector.safetensors"))
        self.assert_same(first, second, 0)
        theirs = torch.load(self.folder / "projector/mm_projector.bin", weights_only=True)
        self.assertEqual(set(theirs), {f"model.mm_projector.{n}.{kind}" for n in (0, 2) for kind in ("weight", "bias")})
        held = self.options(
            "next", "--pretrain_mm_mlp_adapter", str(self.folder / "projector/mm_projector.bin"), "--freeze_mm_mlp_adapter", "True",
            "--validation_data_path", str(self.folder / "data.json"), "--eval_strategy", "steps", "--eval_steps", "2",
        )  # fmt: skip
        again = main(held)
        self.assert_same(first, {n: t for n, t in projector_of(again.model).state_dict().items()}, 0)
        self.assertEqual(sum("eval_loss" in entry for entry in again.state.log_history), 2)
        AutoProcessor.from_pretrained(self.folder / "next")

    def test_lora_is_written_as_peft_reads_it(self):
        from peft import PeftModel

        trained = main(self.options("lora", "--lora_enable", "True", "--lora_r", "4", "--lora_alpha", "8", "--mm_projector_lr", "2e-4"))
        base = AutoModelForImageTextToText.from_pretrained(TINY)
        model = PeftModel.from_pretrained(base, self.folder / "lora").eval()
        sample = trained.train_dataset[1]
        inputs = {"input_ids": sample["input_ids"][None], "pixel_values": sample["pixel_values"]}
        with torch.no_grad():
            ours, theirs = trained.model.eval()(**inputs).logits, model(**inputs).logits
            untouched = AutoModelForImageTextToText.from_pretrained(TINY).eval()(**inputs).logits
        self.assertLess((ours - theirs).abs().max().item(), 1e-5)
        self.assertGreater((ours - untouched).abs().max().item(), 1e-3)
        names = [name for name, p in trained.model.named_parameters() if p.requires_grad]
        self.assertTrue(all("vision_tower" not in name and ("lora_" in name or "multi_modal_projector" in name) for name in names))

    @unittest.skipUnless(importlib.util.find_spec("bitsandbytes"), "bitsandbytes is not installed: pip install bitsandbytes")
    def test_qlora_trains_over_4_bits(self):
        """The decoder's matrices are in 4 bits and stay as they are; adapter and projector learn in floating point."""
        more = ("--lora_enable", "True", "--lora_r", "4", "--lora_dropout", "0", "--bits", "4", "--bf16", "True")
        trained = main(self.options("qlora", *more))
        kinds = {name: str(p.dtype) for name, p in trained.model.named_parameters()}
        decoder = [kind for name, kind in kinds.items() if "language_model" in name and "proj.base_layer.weight" in name]
        self.assertTrue(decoder and all(kind == "torch.uint8" for kind in decoder), decoder)
        self.assertFalse([name for name, kind in kinds.items() if "uint8" in kind and ("vision_tower" in name or "projector" in name)])
        changed = load_file(self.folder / "qlora/adapter_model.safetensors")
        ups = [tensor for name, tensor in changed.items() if "lora_B" in name]
        self.assertTrue(ups and all(tensor.abs().max() > 0 for tensor in ups))

    def test_contradictions_are_a_sentence(self):
        for more, said in (
            (("--version", "v7"), "no template v7"),
            (("--tune_mm_mlp_adapter", "True", "--lora_enable", "True"), "Leave one out"),
            (("--bits", "4"), "add --lora_enable"),
            (("--model_max_length", "8"), "pictures don't fit"),
            (("--pretrain_mm_mlp_adapter", str(self.folder)), "no projector at"),
        ):
            with self.assertRaisesRegex(ValueError, said):
                main(self.options("bad", *more))


if __name__ == "__main__":
    unittest.main()
