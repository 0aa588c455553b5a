"""Questions about two pictures: which of them shows a thing, what the second one shows. Pictures are photographs or drawn scenes.

Knows what each picture is said to show (`Shown`); knows no pixels.
"""

from dataclasses import dataclass

from instruct.lexicon import article, is_plural

ORDINALS = ("first", "second")


@dataclass
class Shown:
    """What is known of one of the pictures: a sentence, the things on it, and whether another thing is surely not on it."""

    sentence: str
    things: tuple
    is_absent: object  # callable name → bool
    photo: bool


def pair_turns(rng, shown, n):
    """n turns about two pictures."""
    found, asked = [], set()
    say = lambda kind, question, answer, accepted: {"kind": kind, "question": question, "answer": answer, "accepted": accepted, "match": "contains"}
    for _ in range(n * 4):
        k, which = rng.random(), rng.randrange(2)
        this, other = shown[which], shown[1 - which]
        order = ORDINALS[which]
        only = [name for name in this.things if other.is_absent(name)]
        if k < 0.5 and only:
            name = rng.choice(only)
            verb = "are" if is_plural(name) else "is"
            q = rng.choice([
                f"Which picture shows {article(name)}?", f"In which picture {verb} the {name}?", f"In which picture {verb} there {article(name)}?", f"Which image has {article(name)} in it?",
                f"Which of the pictures shows {article(name)}?", f"Which photo shows {article(name)}?",
            ])  # fmt: skip
            turn = say("pair which", q, f"The {order} one.", [order])
        elif k < 0.75 and this.sentence:
            q = rng.choice([
                f"What is in the {order} picture?", f"What does the {order} picture show?", f"Describe the {order} picture.", f"What do you see in the {order} image?",
                f"What is in picture {which + 1}?",
            ])  # fmt: skip
            turn = say("pair what", q, this.sentence, [])
        elif k < 0.88:
            yes = rng.random() < 0.5 and bool(this.things)
            pool = [name for name in (this.things if yes else other.things) if yes or this.is_absent(name)]
            if not pool:
                continue
            name = rng.choice(pool)
            verb = "Are there" if is_plural(name) else "Is there"
            turn = say("pair yesno", f"{verb} {article(name)} in the {order} picture?", "Yes." if yes else "No.", ["yes" if yes else "no"])
        elif k < 0.92:
            turn = say("pair count", rng.choice(["How many pictures are there?", "How many pictures do you see?", "How many images did I send?"]), "Two.", ["two", "2"])
        else:
            q = rng.choice([f"Is the {order} picture a photo?", f"Is the {order} image a photograph?"])
            turn = say("pair photo", q, "Yes." if this.photo else "No.", ["yes" if this.photo else "no"])
        if turn["question"] not in asked:
            asked.add(turn["question"])
            found.append(turn)
        if len(found) == n:
            break
    return found
