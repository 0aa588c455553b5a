"""Draws curve.png from the points that the stages wrote: loss and shares of right answers over minutes. Needs matplotlib."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from data import read_config  # noqa: E402

HERE = Path(__file__).parent


def main():
    folder = read_config(HERE / "pocket.json")["cache"]
    points = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    stages = [s for s in ("vision", "text", "align", "tune") if any(p["stage"] == s for p in points)]
    figure, axes = plt.subplots(1, len(stages), figsize=(4 * len(stages), 3.2), squeeze=False)
    for axis, stage in zip(axes[0], stages):
        part = [p for p in points if p["stage"] == stage]
        minutes = [p["minutes"] for p in part]
        axis.plot(minutes, [p["loss"] for p in part], color="#b4532a", label="loss")
        axis.set(title=stage, xlabel="minutes", ylim=(0, None))
        right = axis.twinx()
        for name, colour in (("objects", "#2a6f97"), ("letters", "#5a8f3c"), ("tokens", "#8a5fa8")):
            known = [(p["minutes"], p[name]) for p in part if name in p]
            if known:
                right.plot(*zip(*known), color=colour, label=f"{name} right")
        right.set_ylim(0, 1)
        lines = axis.get_lines() + right.get_lines()
        axis.legend(lines, [line.get_label() for line in lines], fontsize=7)
    figure.tight_layout()
    figure.savefig(HERE / "curve.png", dpi=110)


if __name__ == "__main__":
    main()
