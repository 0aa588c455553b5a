"""Draws calibration/: pictures as in training and conversations about them, in LLaVA's training JSON, for `llava convert --calibrate`.

None of them is in the held-out set: they have a seed of their own, and known styles, fonts and backgrounds only. `python calibration.py [folder] [pictures]`
"""

import json
import random
import sys
from pathlib import Path

from PIL import Image

from data import read_config
from talk import Talker
from world import SIDE, Artist

HERE = Path(__file__).parent
SEED = 424242


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "calibration"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 48
    config = read_config(HERE / "pocket.json")
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    artist, talker = Artist(SEED, config["cache"] / "sprites"), Talker(random.Random(SEED))
    records = []
    for i in range(count):
        picture, scene, _ = artist.scene()
        name = f"pictures/{i:02d}.webp"
        left, above = (0, 0) if scene.photo else artist.inset
        Image.fromarray(picture[above : SIDE - above, left : SIDE - left]).save(folder / name, quality=80, method=6)
        turns = [said for turn in talker.turns(scene, 4) for said in (("human", turn["question"]), ("gpt", turn["answer"]))]
        turns[0] = ("human", "<image>\n" + turns[0][1])
        records.append({"id": f"{i:02d}", "image": name, "conversations": [{"from": who, "value": what} for who, what in turns]})
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    (folder / "conversations.json").write_text(f"[\n{lines}\n]\n")
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{folder}: {count} pictures, {sum(len(r['conversations']) // 2 for r in records)} questions, {size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
