"""Self-test of the generator: run it after a change of world.py, talk.py, data.py or the tokenizer. Needs the sprites and the tokenizer."""

import random
import sys
from pathlib import Path

from data import Encoder, read_config
from model import BOS, IMAGE, load_tokenizer, render_prompt
from score import accepted
from talk import Talker
from world import CLASSES, SIDE, Artist, Scene, Thing

HERE = Path(__file__).parent
config = read_config(HERE / "pocket.json")
tokenizer = load_tokenizer(Path(sys.argv[1]) if len(sys.argv) > 1 else config["cache"])
artist, talker = Artist(3, config["cache"] / "sprites"), Talker(random.Random(3))
encoder = Encoder(tokenizer, 1)

for _ in range(300):
    picture, scene, labels = artist.scene()
    assert picture.shape == (SIDE, SIDE, 3) and labels.cls.max() < CLASSES
    turns = talker.turns(scene, 5)
    for turn in turns:
        # Every answer we give is one we accept.
        assert accepted(turn | {"answers": turn["accepted"]}, turn["answer"]), turn
    pairs = [(t["question"], t["answer"]) for t in turns]
    # A conversation trained in pieces has the ids of the whole rendered prompt.
    ids, _ = encoder.encode(pairs)
    whole = render_prompt([("<image>\n" + pairs[0][0], pairs[0][1]), *pairs[1:]])
    assert ids == tokenizer.encode(whole).ids, whole
    assert ids[0] == BOS and ids.count(IMAGE) == 1

cat = Thing("object", "cat", "cats", 0.2, 0.2, 0.2, 0.2)
dog = Thing("object", "dog", "dogs", 0.8, 0.2, 0.2, 0.2)
scene = Scene([cat, dog])
for _ in range(200):
    turn = talker.relation(scene)
    if turn["kind"] == "relation":
        asked_cat = turn["answer"].lower().startswith("the cat") or turn["answer"].endswith("the dog.")
        assert turn["accepted"] == (["left"] if asked_cat else ["right"]), turn
print("the generator holds")
