"""Makes the held-out questions about photographs, about two pictures, and without a picture: heldout/photographs.jsonl. No photograph and no
caption is in it; `image` names a file below the folder of photographs, or one of heldout/pictures.

`python heldout_photographs.py --photographs FOLDER`

The wordings come from the same programs as the training data, the photographs and what is asked about them do not. Talk is written by hand
in wordings that are not trained (`TALK`); its answers are judged by patterns.
"""

import argparse
import json
import random
from pathlib import Path

from heldout import FOLDER, read_lines, write_lines
from instruct.lexicon import article, classes, is_plural, things
from instruct.photographs import read_photographs
from instruct.small_talk import ANSWERS, CHINESE_QUESTIONS, OTHER
from instruct.talk_photographs import PhotographTalker

SEED, PER_PHOTOGRAPH, PAIRS = 900002, 4, 120

# Pattern of a sensible answer → prompts, none of which is trained.
GREETING, WHO, CAN, LIMITS, WELCOME, BYE, FINE = "^(hello|hi)|show me|picture", "pocket llava|model", "describe|name|count|picture", "mistake|small|not", "welcome", "bye", "fine|well"
TOPIC, NO_PICTURE, LOCAL, CHINESE, ENGLISH = "picture", "picture|add|show", "device", "英文", "english"
TALK = {
    GREETING: ["hello hello", "hiya", "Hey llava", "good morning to you", "hi, nice to meet you"],
    WHO: ["so who are you exactly?", "What exactly are you?", "tell me who you are", "are you a machine or a person?", "Which AI am I using?"],
    CAN: ["what are you able to do?", "What kinds of things can you do?", "how can I use you?", "what can I do with you?", "tell me what you can do"],
    LIMITS: ["what are you bad at?", "How often are you wrong?", "you made a mistake", "that answer is wrong", "are you ever wrong?"],
    WELCOME: ["thanks so much", "thank you, that was great", "ok thank you", "Thanks a bunch!", "very nice, thank you"],
    BYE: ["ok bye", "goodbye then", "see you soon", "bye, have a good day"],
    FINE: ["how are you feeling today?", "hi, how are you?", "are you doing well?"],
    TOPIC: [
        "what is the capital of Portugal?", "Who is the king of Sweden?", "write me a poem about winter", "what is 12 times 12?", "tell me a funny joke",
        "explain black holes", "how do I bake bread?", "who painted the Mona Lisa?", "what is the tallest building?", "Write a python function",
        "what should I cook tonight?", "Is there life on Mars?",
    ],
    NO_PICTURE: ["what can you see?", "describe my picture", "how many dogs are there?", "what color is it?", "is there a car in it?", "what does the sign say?"],
    LOCAL: ["where do my photos go?", "do you send my photo to a server?", "is my picture uploaded?"],
    CHINESE: ["你是什么？", "你会做什么？", "这张图里有什么东西？", "今天几号？", "多谢", "帮我写一封信"],
    ENGLISH: ["¿quién eres?", "qui es-tu ?", "wer bist du?", "¿qué ves en la imagen?", "quante persone ci sono?"],
}  # fmt: skip


def name_words(kind):
    """Words of a class's name and of its other names that say something."""
    words = {w for name in (kind.name, *kind.synonyms) for w in name.lower().replace("-", " ").split() if len(w) > 2}
    return sorted(words)


def shown(talker, photograph):
    """Things that are surely on a photograph."""
    if photograph.label is not None:
        return [classes()[photograph.label].name]
    return talker.sure_things(photograph)


def accepted_of(photograph):
    """Words that name something on a photograph."""
    if photograph.label is not None:
        return name_words(classes()[photograph.label])
    names = [name for name in photograph.named if name in things()]
    return sorted({word for name in names for word in things()[name].words})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True)
    args = parser.parse_args()
    draw = random.Random(SEED)
    photographs = read_photographs(args.photographs)
    talker = PhotographTalker(draw)
    talker.learn_company([p for p in photographs if not p.held_out])
    held = [p for p in photographs if p.held_out]
    name = lambda p: str(p.file.relative_to(args.photographs))
    lines = []

    def ask(kind, images, text, answers, match="contains"):
        lines.append({"question_id": 100_001 + len(lines), "images": images, "text": text, "kind": kind, "answers": answers, "match": match})

    for p in held:
        ask("photograph", [name(p)], draw.choice(["Is this a photo or a drawing?", "Is this picture a photograph or a drawing?"]), ["photograph"])
    questions = read_lines(FOLDER / "questions.jsonl")
    noise = {q["image"] for q in questions if q["kind"] == "photo"}  # neither of the two
    for image in sorted({q["image"] for q in questions}):
        question = draw.choice(["Is this a photo or a drawing?", "Is this picture a photograph or a drawing?"])
        if image not in noise:
            ask("drawing", [f"heldout/{image}"], question, ["drawing"])
    for p in held:
        if p.label is not None:
            ask("object", [name(p)], "What is this?", name_words(classes()[p.label]))
        elif p.captions:
            ask("caption", [name(p)], "Describe the image briefly.", [])
    for p in held:  # half of them yes, half no
        if not p.captions:
            continue
        yes, no = talker.sure_things(p), []
        draw.shuffle(yes)
        while len(no) < PER_PHOTOGRAPH // 2:
            thing = talker.absent(p)
            if thing is None:
                break
            no.append(thing)
        for things_asked, answer in ((yes[: PER_PHOTOGRAPH // 2], "yes"), (no[: min(len(yes), PER_PHOTOGRAPH // 2)], "no")):
            for thing in things_asked:
                verb = "Are there" if is_plural(thing) else "Is there"
                ask("photo yesno", [name(p)], f"{verb} {article(thing)} in the picture?", [answer], "first")
    scenes = [p for p in held if shown(talker, p)]
    for number in range(PAIRS):
        first, second = draw.sample(scenes, 2)
        images, order = [name(first), name(second)], ("first", "second")
        which = draw.randrange(2)
        this, other = (first, second)[which], (first, second)[1 - which]
        only = [t for t in shown(talker, this) if t not in things() or other.label is not None or talker.is_absent(other, t)]
        if only:
            thing = draw.choice(only)
            ask("pair", images, draw.choice([f"Which picture shows {article(thing)}?", f"In which picture is there {article(thing)}?"]), [order[which]])
        if number % 2 == 0:
            ask("pair", images, "What is in the second picture?", accepted_of(second))
    trained = {text for texts in ANSWERS.values() for text in texts} | set(CHINESE_QUESTIONS) | set(OTHER)
    for pattern, prompts in TALK.items():
        for prompt in prompts:
            if prompt.lower().rstrip("?!.") in trained:
                raise ValueError(f"{prompt!r} is a trained wording")
            ask("talk", [], prompt, [pattern], "pattern")
    write_lines(FOLDER / "photographs.jsonl", lines)
    counts = {kind: sum(line["kind"] == kind for line in lines) for kind in dict.fromkeys(line["kind"] for line in lines)}
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
