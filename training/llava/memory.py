"""How much memory a GPU and how much time a recipe takes, estimated on paper: `python -m llava.memory` prints the table of docs/training.md.

Memory: weights, gradients and AdamW's two moments in the shares that ZeRO leaves a GPU (Rajbhandari et al. 2020), hidden states that gradient
checkpointing keeps, one layer's inner activations, and the logits in float32. Time: 2 FLOPs per weight and token forward, 4 backward, 2 again for
checkpointing, at 45 % of the GPU's peak in bf16, which LLaVA's published times come to.
"""

from dataclasses import dataclass

GB = 1e9
TOWER = 0.304e9  # CLIP ViT-L/14


@dataclass(frozen=True)
class Model:
    name: str
    weights: float
    hidden: int
    layers: int
    ffn: int
    vocab: int = 32064

    @property
    def projector(self):
        return (1024 + self.hidden + 2) * self.hidden

    def lora(self, r=128):
        return r * self.layers * (4 * 2 * self.hidden + 3 * (self.hidden + self.ffn))


@dataclass(frozen=True)
class Recipe:
    """`batch` per GPU; `tokens` of a usual conversation with its picture; `zero` 0 to 3; `bits` of frozen weights."""

    script: str
    kind: str
    batch: int
    samples: float
    tokens: int
    zero: int
    bits: int = 16


@dataclass(frozen=True)
class Gpu:
    name: str
    memory: float
    flops: float


MODELS = (Model("7B", 6.74e9, 4096, 32, 11008), Model("13B", 13.02e9, 5120, 40, 13824))
RECIPES = (
    Recipe("pretrain.sh", "projector", 32, 558e3, 620, 2),
    Recipe("finetune.sh", "whole", 16, 665e3, 900, 3),
    Recipe("finetune_lora.sh", "lora", 16, 665e3, 900, 3),
    Recipe("finetune_qlora.sh", "lora", 4, 665e3, 900, 2, bits=4),
)
GPUS = (Gpu("A100 80 GB", 80 * GB, 312e12), Gpu("RTX 4090 24 GB", 24 * GB, 165e12))


def memory(model, recipe, gpus=8):
    """Bytes on each GPU."""
    trained = {"projector": model.projector, "whole": model.weights + model.projector, "lora": model.lora() + model.projector}[recipe.kind]
    frozen = TOWER + (0 if recipe.kind == "whole" else model.weights)
    share = lambda least: 1 / gpus if recipe.zero >= least else 1
    # Trained weights: bf16 to compute with, float32 to step with, and two moments; gradients in bf16.
    held = frozen * recipe.bits / 8 * share(3) + trained * (2 * share(3) + 2 * share(2) + 12 * share(1))
    tokens = recipe.batch * recipe.tokens
    layer = tokens * (16 * model.hidden + 6 * model.ffn) * 2
    return held + tokens * model.hidden * model.layers * 2 + layer + tokens * model.vocab * 8 + 2 * GB


def hours(model, recipe, gpu, gpus=8):
    """Of one epoch. A projector alone needs no gradients of weights, but those of what lies above it."""
    per_token = {"projector": 6, "whole": 8, "lora": 6}[recipe.kind] * model.weights
    slower = 1.5 if recipe.bits < 16 else 1
    return recipe.samples * recipe.tokens * per_token * slower / (gpus * gpu.flops * 0.45) / 3600


def table():
    lines = ["| Recipe, 8 GPUs | Model | Memory of each | A100 80 GB | RTX 4090 24 GB |", "| --- | --- | --- | --- | --- |"]
    for recipe in RECIPES:
        for model in MODELS:
            need = memory(model, recipe)
            times = (f"{hours(model, recipe, gpu):.1f} h" if need <= gpu.memory else "does not fit" for gpu in GPUS)
            lines.append(f"| `{recipe.script}`, {recipe.batch} each | {model.name} | {need / GB:.0f} GB | {' | '.join(times)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
