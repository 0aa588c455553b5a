"""Tests the generator. Run it after changing world.py, talk.py, data.py or the tokenizer; it needs the sprites and the tokenizer."""

import random
import sys
from pathlib import Path

import torch

from data import Encoder, read_config
from decoder import ALONE, branch_mask, hidden_where
from instruct.cider import bleu4, cider_d
from instruct.lexicon import things
from instruct.photographs import Photograph
from instruct.small_talk import CHINESE, SmallTalker
from instruct.talk_photographs import PhotographTalker
from model import BOS, IMAGE, build_config, build_model, load_tokenizer, render_prompt
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
        # Every answer that is trained is one that counts as right.
        assert accepted(turn | {"answers": turn["accepted"]}, turn["answer"]), turn
    pairs = [(t["question"], t["answer"]) for t in turns]
    # A conversation that is encoded in pieces has the token ids of the whole rendered prompt.
    ids = encoder.prefix() + encoder.branch(pairs)[0]
    whole = render_prompt([("<image>\n" + pairs[0][0], pairs[0][1]), *pairs[1:]])
    assert ids == tokenizer.encode(whole).ids, whole
    assert ids[0] == BOS and ids.count(IMAGE) == 1
    whole = render_prompt(pairs)
    assert encoder.prefix(0) + encoder.branch(pairs, False)[0] == tokenizer.encode(whole).ids, whole

# Two pictures in front of a conversation take a line each, as in the prompt.
assert encoder.prefix(2) + encoder.branch([("Which?", "The first.")])[0] == tokenizer.encode(
    render_prompt([("<image>\n<image>\nWhich?", "The first.")])
).ids  # fmt: skip

cat = Thing("object", "cat", "cats", 0.2, 0.2, 0.2, 0.2)
dog = Thing("object", "dog", "dogs", 0.8, 0.2, 0.2, 0.2)
scene = Scene([cat, dog])
for _ in range(200):
    turn = talker.relation(scene)
    if turn["kind"] == "relation":
        asked_cat = turn["answer"].lower().startswith("the cat") or turn["answer"].endswith("the dog.")
        assert turn["accepted"] == (["left"] if asked_cat else ["right"]), turn

# A conversation that shares its row with others gets the same hidden states as alone.
model = build_model(build_config(config["vocab_size"])).eval()
for p in model.parameters():
    torch.nn.init.normal_(p, 1 if p.dim() == 1 else 0, 0.1)
conversations = [[("How many cats?", "Two."), ("Where?", "On the left.")], [("What is it?", "A dog.")]]
alone = [[("Hello!", "Hi.")]]
ids, labels, segments, positions = torch.from_numpy(encoder.row(conversations, alone, 220))[:, None].unbind(0)
embeds = model.get_input_embeddings()(ids)
with torch.no_grad():
    for k, (conversation, picture) in enumerate([(alone[0], False), (conversations[0], True), (conversations[1], True)]):
        prefix, (branch, _) = encoder.prefix(int(picture)), encoder.branch(conversation, picture)
        expected = model.model.language_model(torch.tensor([prefix + branch])).last_hidden_state[0, len(prefix) :]
        here = (segments == k + 1) | (segments == k + ALONE)
        found = hidden_where(model, embeds, positions, branch_mask(segments), here)[-len(branch) :]
        assert torch.allclose(found, expected, atol=1e-4), (found - expected).abs().max()

# Talk about photographs: nothing that is asked about as absent is mentioned in a caption, and every trained answer counts as right.
photograph = Photograph(
    Path("dog.jpg"), "flickr", False,
    ["A brown dog runs on the beach.", "A brown dog is running along the shore.", "The dog runs by the ocean.", "A wet brown dog.", "A dog at the beach."],
)  # fmt: skip
photo_talker = PhotographTalker(random.Random(5))
photo_talker.learn_company([photograph])
said = {word for words in photograph.words for word in words}
for _ in range(300):
    name = photo_talker.absent(photograph)
    assert name is not None and not said & (things()[name].words | things()[name].doubtful), name
    for turn in photo_talker.turns(photograph, [207, 208, 1, 2, 3], [0.6, 0.2, 0.1, 0.05, 0.05], 8):
        if turn["accepted"] and turn["kind"] not in ("photo caption", "photo detail"):
            assert accepted(turn | {"answers": turn["accepted"]}, turn["answer"]), turn
        if turn["kind"] == "photo count" and "dog" in turn["question"].lower():
            assert turn["answer"] in ("One.", "There is one dog."), turn
sure, unsure = (photo_talker.name("What is this?", 207, 207, share)["answer"] for share in (0.9, 0.1))
assert "not sure" in unsure and "not sure" not in sure
small = SmallTalker(random.Random(1))
chinese = [turn for turn in (small.turn(False) for _ in range(400)) if any("\u4e00" <= c <= "\u9fff" for c in turn["question"]) and not any("\u3040" <= c <= "\u30ff" for c in turn["question"])]
assert len(chinese) > 20 and all(turn["answer"] == CHINESE for turn in chinese)
perfect = ["A brown dog runs on the beach.", "Two men play football."]
references = [[perfect[0], "A dog at the beach."], [perfect[1], "Men playing a game."]]
assert bleu4(perfect, references) == 1 and cider_d(perfect, references) > cider_d(perfect[::-1], references)
print("the generator holds")
