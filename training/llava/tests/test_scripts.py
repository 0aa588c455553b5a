"""The launch scripts as they stand, on one CPU process with parts of a tiny LLaVA: both stages, LoRA, QLoRA, tasks, ScienceQA."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, CLIPVisionModel

from llava.projector import read_projector

TRAINING = Path(__file__).parents[2]
TINY = TRAINING / "fixtures/tiny-llava"
LORA = {"finetune_lora", "finetune_qlora", "finetune_task_lora"}


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        llava = AutoModelForImageTextToText.from_pretrained(TINY)
        processor = AutoProcessor.from_pretrained(TINY)
        text = AutoModelForCausalLM.from_config(llava.config.text_config)
        text.model.load_state_dict(llava.model.language_model.state_dict())
        text.save_pretrained(self.folder / "language")
        processor.tokenizer.save_pretrained(self.folder / "language")
        # A language model's tokenizer knows no <image>.
        for file in (self.folder / "language").glob("*token*.json"):
            file.write_text(file.read_text().replace("<image>", "<nothing>"))
        file = self.folder / "language/tokenizer_config.json"
        config = json.loads(file.read_text())
        file.write_text(json.dumps({key: value for key, value in config.items() if not key.startswith(("image_token", "extra_special", "model_specific"))}))
        tower = CLIPVisionModel(llava.config.vision_config)
        tower.load_state_dict(llava.model.vision_tower.state_dict())
        tower.save_pretrained(self.folder / "tower")
        processor.image_processor.save_pretrained(self.folder / "tower")
        rng, entries = np.random.default_rng(0), []
        for n in range(4):
            Image.fromarray(rng.integers(0, 255, (24, 30, 3), dtype=np.uint8)).save(self.folder / f"{n}.png")
            turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A cat sits."}]
            entries.append({"id": str(n), "conversations": turns, "image": f"{n}.png"})
        (self.folder / "data.json").write_text(json.dumps(entries))

    def run_script(self, name, *more, **environment):
        settings = {
            "DATA": self.folder / "data.json", "IMAGES": self.folder, "OUT": self.folder / name, "GPUS": "0", "PYTHON": sys.executable,
            "PER_DEVICE": "2", "ACCUMULATION": "1", "REPORT": "none", "PYTHONPATH": TRAINING, **environment,
        }  # fmt: skip
        options = ["--max_steps", "2", "--dataloader_num_workers", "0", "--disable_tqdm", "True", *more]
        command = ["bash", str(TRAINING / "llava/scripts" / f"{name}.sh"), *options]
        run = subprocess.run(
            command, env={**os.environ, **{k: str(v) for k, v in settings.items()}}, capture_output=True, text=True, check=False
        )
        self.assertEqual(run.returncode, 0, f"{name}: {run.stderr[-3000:]}")
        return self.folder / name

    def test_every_recipe_runs(self):
        parts = {"MODEL": self.folder / "language", "TOWER": self.folder / "tower"}
        projector = self.run_script("pretrain", **parts) / "mm_projector.bin"
        self.assertEqual(len(read_projector(projector)), 4)
        names = ["finetune", "finetune_lora", "finetune_sqa"]
        if importlib.util.find_spec("bitsandbytes"):
            names.append("finetune_qlora")
        else:
            print("bitsandbytes is not installed, so finetune_qlora.sh is not run: pip install bitsandbytes")
        for name in names:
            with self.subTest(name):
                out = self.run_script(name, **parts, PROJECTOR=projector)
                self.assertTrue((out / ("adapter_model.safetensors" if name in LORA else "model.safetensors")).is_file())
        for name in ("finetune_task", "finetune_task_lora"):
            with self.subTest(name):
                out = self.run_script(name, MODEL=self.folder / "finetune")
                self.assertEqual(AutoConfig.from_pretrained(self.folder / "finetune").model_type, "llava")
                self.assertTrue((out / ("adapter_model.safetensors" if name in LORA else "model.safetensors")).is_file())


if __name__ == "__main__":
    unittest.main()
