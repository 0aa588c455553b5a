"""Sharded training on two CPU processes: FSDP and DeepSpeed's ZeRO, by the configurations beside the scripts, give one process's losses.

DeepSpeed compiles its communication at its first run (a minute or two); its tests need `pip install deepspeed`.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from llava.projector import read_projector
from llava.train import main

TRAINING = Path(__file__).parents[2]
TINY = TRAINING / "fixtures/tiny-llava"
SCRIPTS = TRAINING / "llava/scripts"
HAS_DEEPSPEED = importlib.util.find_spec("deepspeed") is not None
ZERO = {"zero2": ("--deepspeed", str(SCRIPTS / "zero2.json")), "zero3": ("--deepspeed", str(SCRIPTS / "zero3.json"))}
FSDP = ("--fsdp", "full_shard", "--fsdp_config", str(SCRIPTS / "fsdp.json"))
STAGES = {
    "all": (),
    "projector": ("--tune_mm_mlp_adapter", "True"),
    "lora": ("--lora_enable", "True", "--lora_r", "4", "--lora_dropout", "0"),
}


class Sharded(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        rng, entries = np.random.default_rng(0), []
        for n in range(12):
            Image.fromarray(rng.integers(0, 255, (24, 30, 3), dtype=np.uint8)).save(self.folder / f"{n}.png")
            turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A cat sits. " * (n % 3 + 1)}]
            entries.append({"id": str(n), "conversations": turns, "image": f"{n}.png"})
        (self.folder / "data.json").write_text(json.dumps(entries))

    def options(self, out, batch, *more):
        return [
            "--model_name_or_path", str(TINY), "--data_path", str(self.folder / "data.json"), "--output_dir", str(self.folder / out),
            "--use_cpu", "--bf16", "False", "--max_steps", "3", "--per_device_train_batch_size", str(batch), "--learning_rate", "1e-3",
            "--lr_scheduler_type", "constant", "--logging_steps", "1", "--report_to", "none", "--save_strategy", "no",
            "--group_by_modality_length", "True", "--dataloader_num_workers", "0", "--disable_tqdm", "True", *more,
        ]  # fmt: skip

    def sharded_losses(self, out, more):
        """Losses of two processes, out of what they print."""
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29532", "-m", "llava.train"]
        # DeepSpeed calls the virtual environment's ninja.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TRAINING)}
        command += [*self.options(out, 2, "--ddp_backend", "gloo", *more)]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr[-3000:])
        return [float(loss) for loss in re.findall(r"'loss': '?([0-9.]+)", run.stdout + run.stderr)]

    def compare(self, sharding, options, stages=tuple(STAGES)):
        for stage in stages:
            with self.subTest(sharding=sharding, stage=stage):
                trainer = main(self.options(f"one-{stage}", 4, *STAGES[stage]))
                wanted = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
                got = self.sharded_losses(f"{sharding}-{stage}", (*STAGES[stage], *options))
                self.assertEqual(len(got), len(wanted))
                # A LoRA begins with random numbers, which are others where ZeRO-3 has split the base: its first loss is that of the base.
                np.testing.assert_allclose(got[:1], wanted[:1], rtol=1e-3)
                np.testing.assert_allclose(got, wanted, rtol=1e-2 if stage == "lora" else 1e-3)
                one, two = (self.weights(f"{name}-{stage}", stage) for name in ("one", sharding))
                self.assertEqual(one.keys(), two.keys())
                for name, tensor in one.items():
                    self.assertEqual(tensor.shape, two[name].shape, name)
                    if stage != "lora":
                        self.assertLess((tensor - two[name]).abs().max().item(), 1e-4, name)

    def weights(self, out, stage):
        if stage == "projector":
            return read_projector(self.folder / out)
        if stage == "lora":
            return load_file(self.folder / out / "adapter_model.safetensors")
        return AutoModelForImageTextToText.from_pretrained(self.folder / out).state_dict()

    def test_fsdp(self):
        self.compare("fsdp", FSDP)

    @unittest.skipUnless(HAS_DEEPSPEED, "DeepSpeed is not installed: pip install deepspeed")
    def test_zero_2(self):
        self.compare("zero2", ZERO["zero2"])

    @unittest.skipUnless(HAS_DEEPSPEED, "DeepSpeed is not installed: pip install deepspeed")
    def test_zero_3(self):
        self.compare("zero3", ZERO["zero3"])


if __name__ == "__main__":
    unittest.main()
