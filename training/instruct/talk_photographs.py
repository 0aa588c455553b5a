"""Conversations about photographs, written by programs where LLaVA asked GPT-4: captions, names, what is there, counts, colors, places.

Knows a Photograph and what the classifier says of the view that is shown (classes and shares); knows no pixels. A turn is a dict as in
talk.py: kind, question, answer, accepted, match.
"""

import random
import re
from collections import Counter

from instruct.lexicon import ANIMALS, COLOURS, DOGS, MASS, NUMBERS, SCENES, TOLD_APART, article, classes, is_plural, kinds, things, words_of
from speaker import Speaker

SURE = 0.37  # a class with a smaller share is hedged
DESCRIBE = (
    "What is in this picture?", "What do you see?", "Describe the image briefly.", "What does the picture show?", "Give a short caption.",
    "What is this a picture of?", "Write a caption for this image.", "Describe this photo.", "Caption this photo.", "Describe this picture.",
)  # fmt: skip
PEOPLE = {"man": "a man", "woman": "a woman", "boy": "a boy", "girl": "a girl", "child": "a child", "dog": "a dog"}


def lower_first(text):
    first = text.split()[0]
    return text if first == "I" or (len(first) > 1 and first.isupper()) else text[:1].lower() + text[1:]


def photo_or_drawing(rng, photo):
    """A question whether a picture is a photograph, and the answer; photographs and drawn pictures are asked in the same wordings."""
    q, yes = rng.choice([
        ("Is this a photo?", photo), ("Is this a photograph?", photo), ("Is this a real photo?", photo), ("Is this a drawing?", not photo),
        ("Is this a photo or a drawing?", None), ("Is this picture a photograph or a drawing?", None), ("Are these pictograms?", not photo),
        ("Is this image real or drawn?", None), ("Is this a pictogram?", not photo), ("What kind of image is this?", None),
    ])  # fmt: skip
    sentence = "this is a photograph." if photo else "this is a drawing."
    return q, sentence.capitalize() if yes is None else f"{'Yes' if yes else 'No'}, {sentence}"


class PhotographTalker(Speaker):
    """Makes turns about a photograph; all randomness comes from `rng`."""

    def __init__(self, rng: random.Random):
        super().__init__(rng)
        self.all = list(things().values())
        self.together = {}

    def learn_company(self, photographs):
        """Counts which things are named together, so that what is asked and is not there is often what could be (POPE's adversarial
        negatives; Li et al. 2023)."""
        pairs = {}
        for photograph in photographs:
            named = photograph.named
            for a in named:
                pairs.setdefault(a, Counter()).update(b for b in named if b != a)
        self.together = pairs
        self.popular = Counter(name for p in photographs for name in p.named)

    # --- what is known of a photograph ---

    def sure_things(self, photograph):
        """Things that two people or more named, or a box shows."""
        return [name for name, votes in photograph.named.items() if votes >= 2 and name in things()]

    def is_absent(self, photograph, name):
        """Whether nothing that people said hints at the thing."""
        thing = things()[name]
        said = {w for words in photograph.words for w in words}
        return not said & (thing.words | thing.doubtful) and name not in photograph.named

    def absent(self, photograph):
        """A thing that is not there: one that often comes with what is there, a common one, or any."""
        for _ in range(40):
            k = self.rng.random()
            here = list(photograph.named)
            if k < 0.45 and here and self.together:
                company = self.together.get(self.rng.choice(here), Counter())
                pool = [n for n, _ in company.most_common(25)]
            elif k < 0.7:
                pool = [n for n, _ in self.popular.most_common(30)]
            else:
                pool = [t.name for t in self.all]
            name = self.rng.choice(pool) if pool else None
            if name in things() and self.is_absent(photograph, name):
                return name
        return None

    # --- kinds of question ---

    def caption(self, photograph):
        if not photograph.captions:
            return None
        q = self.pick(*DESCRIBE, "What is happening in this photo?", "What is going on here?")
        good = [c for c in photograph.captions if len(c.split()) >= 4] or photograph.captions
        return self.say("photo caption", self.style(q), self.rng.choice(good), photograph.captions)

    def detail(self, photograph):
        """Two or three captions that say different things, and what there is to count."""
        if len(photograph.captions) < 3:
            return None
        q = self.pick("Describe the image in detail.", "Describe the picture in detail.", "Tell me everything you see.", "Give a detailed description of the image.", "Describe this photo in detail.")  # fmt: skip
        order = sorted(photograph.captions, key=lambda c: -len(c.split()))
        first = order[0]
        known = set(words_of(first))
        sentences = [first]
        rest = [c for c in order[1:] if len(set(words_of(c)) - known) >= 4]
        if rest:
            sentences.append(self.rng.choice(rest[:2]))
        place = self._place(photograph)
        if place and place[1] is not None:
            sentences.append("The photo was taken " + ("outdoors." if place[1] else "indoors."))
        return self.say("photo detail", self.style(q), " ".join(sentences), photograph.captions)

    def what(self, photograph, seen, shares):
        """ "What is this?": the name of an object, hedged where the classifier is unsure of it; of a scene, what the classifier is sure of, else
        a caption that is hedged."""
        q = self.pick("What is this?", "What is it?", "What is shown here?", "What object is this?", "Name the object.", "What's this?", "what is that?", "Can you tell me what this is?", "Do you know what this is?")  # fmt: skip
        if photograph.label is None:
            if not photograph.captions or q in ("What object is this?", "Name the object.") or self.rng.random() < 0.6:
                return None  # mostly asked about objects, whose name it wants
            if shares[0] >= SURE:
                # What the classifier is sure of is named as in a photograph of one object, but only where people saw such a thing, too.
                seen_by_people = any(kind in photograph.named for kind in kinds()[int(seen[0])])
                return self.name(self.style(q), None, int(seen[0]), float(shares[0])) if seen_by_people else None
            caption = self.rng.choice(photograph.captions)
            return self.say("photo caption", self.style(q), "I am not sure. Perhaps " + lower_first(caption), photograph.captions)
        return self.name(self.style(q), photograph.label, int(seen[0]), float(shares[0]))

    def name(self, question, label, seen, share):
        """The name of what the classifier sees, hedged where its share is small; right is the label's name."""
        true = classes()[label if label is not None else seen]
        name = article(classes()[seen].name)
        verb = "are" if is_plural(classes()[seen].name) else "is"
        if share < SURE:
            answer = self.pick(f"I am not sure. It could be {name}.", f"I am not sure. It could be {name}.", f"I am not sure, but it may be {name}.")
        else:
            full = self.full()
            question += full
            these = "These are" if verb == "are" else "This is"
            answer = f"{these} {name}." if full else name[:1].upper() + name[1:] + "."
        return self.say("photo naming", question, answer, [true.name.lower(), *(s.lower() for s in true.synonyms)])

    def describe(self, photograph, seen, shares):
        """A description of a photograph of one object: its name, as sure as the classifier is."""
        if photograph.label is None:
            return None
        name = article(classes()[int(seen[0])].name)
        answer = f"A photo of {name}." if shares[0] >= SURE else f"I am not sure. It could be a photo of {name}."
        return self.say("photo describe", self.style(self.pick(*DESCRIBE)), answer, [])

    def kind(self, photograph):
        """Yes and no about what an object is a kind of: a tabby is a cat and no dog."""
        if photograph.label is None:
            return None
        here = kinds()[photograph.label]
        if not here and self.rng.random() < 0.75:  # most classes are a kind of nothing here, and too many answers would be no
            return None
        yes = bool(here) and self.rng.random() < 0.6
        return self.is_there(self.rng.choice(here if yes else [name for name in TOLD_APART if name not in here]), yes)

    def breed(self, photograph, seen, shares):
        """Kinds of dogs, where people saw a dog and the classifier a breed."""
        if int(seen[0]) not in DOGS or photograph.named.get("dog", 0) < 3:
            return None
        q = self.pick("What kind of dog is this?", "What breed is the dog?", "Which breed is this dog?")
        name = article(classes()[int(seen[0])].name)
        if shares[0] < SURE:
            return self.say("photo breed", self.style(q), f"I am not sure. It could be {name}.", [])
        return self.say("photo breed", self.style(q), f"It looks like {name}.", [])

    def yesno(self, photograph):
        sure = self.sure_things(photograph)
        yes = self.rng.random() < 0.5
        if yes and sure:
            # Half of them evenly over the things that are there, so that people and dogs do not take it all.
            weights = [1 / (1 + self.popular[n]) ** 0.5 for n in sure]
            name = self.rng.choices(sure, weights)[0]
        else:
            yes, name = False, self.absent(photograph)
        if name is None:
            return None
        return self.is_there(name, yes)

    def is_there(self, name, yes):
        many = is_plural(name) or (self.rng.random() < 0.2 and name not in MASS)
        if many and not is_plural(name):
            plural = things()[name].plural if name in things() else name + "s"
            q = self.pick(f"Are there any {plural}?", f"Are there {plural} in the photo?", f"Do you see any {plural}?")
        else:
            verb = "Are there" if is_plural(name) else "Is there"
            a = article(name)
            q = self.pick(
                f"{verb} {a} in the picture?", f"{verb} {a}?", f"Do you see {a}?", f"Can you see {a} in this image?", f"Does the photo show {a}?",
                f"{verb} {a} in the image?", f"{verb} {a} in this photo?", f"{verb} {a} here?",
            )  # fmt: skip
        full = self.full()
        verb, a = ("are", name) if is_plural(name) else ("is", article(name))
        sentence = f"Yes, there {verb} {a} in the picture." if yes else f"No, there {verb} no {name} in the picture."
        return self.say("photo yesno", self.style(q) + full, sentence if full else ("Yes." if yes else "No."), ["yes" if yes else "no"], "first")

    def is_it(self, photograph, seen):
        """Yes and no about an object's name."""
        if photograph.label is None:
            return None
        yes = self.rng.random() < 0.5
        if yes:
            index = photograph.label
        else:
            near = [int(c) for c in seen[1:] if int(c) != photograph.label and (int(c) in ANIMALS) != (photograph.label in ANIMALS)]
            index = self.rng.choice(near) if near and self.rng.random() < 0.3 else self.rng.randrange(1000)
            if index == photograph.label:
                return None
        name = article(classes()[index].name)
        verb = "Are these" if is_plural(classes()[index].name) else "Is this"
        q = self.pick(f"{verb} {name}?", f"{'Are there' if verb == 'Are these' else 'Is there'} {name} in the picture?", f"Do you see {name}?")
        return self.say("photo yesno", self.style(q), "Yes." if yes else "No.", ["yes" if yes else "no"], "first")

    def _counts(self, photograph):
        """Thing → number, where two captions or more agree on a number word, or people drew boxes."""
        votes = {}
        for words in photograph.words:
            for i, word in enumerate(words):
                if word not in NUMBERS[1:7] and word not in ("a", "an"):
                    continue
                number = 1 if word in ("a", "an") else NUMBERS.index(word)
                for later in words[i + 1 : i + 4]:
                    thing = next((t for t in self.all if later in t.words), None)
                    if thing is not None:
                        votes.setdefault(thing.name, Counter())[number] += 1
                        break
        sure = {}
        for name, counter in votes.items():
            number, n = counter.most_common(1)[0]
            if n >= (3 if number == 1 else 2) and n >= 0.7 * sum(counter.values()) and name not in MASS:
                sure[name] = number
        boxes = Counter(name for name, *_ in photograph.boxes)
        for name, number in boxes.items():
            if name in things() and number <= 6:
                sure[name] = number
        return sure

    def count(self, photograph):
        counts = self._counts(photograph)
        if self.rng.random() < 0.2 or not counts:
            name = self.absent(photograph)
            number = 0
            if name is None or name in MASS or is_plural(name):
                return None
        else:
            name, number = self.rng.choice(list(counts.items()))
        plural = things()[name].plural
        q = self.pick(f"How many {plural} are there?", f"How many {plural} do you see?", f"How many {plural} are in the picture?", f"Count the {plural}.")
        full = self.full()
        if number == 0:
            return self.say("photo count", self.style(q) + full, f"There are no {plural} in the picture." if full else "None.", ["none", "no", "zero", "0"])
        sentence = f"There is one {name}." if number == 1 else f"There are {NUMBERS[number]} {plural}."
        short = NUMBERS[number].capitalize() + "."
        return self.say("photo count", self.style(q) + full, sentence if full else short, [NUMBERS[number], str(number)])

    def colour(self, photograph):
        """ "brown dog", "red shirt": a color that two captions give the same thing, and no caption another."""
        votes = {}
        for words in photograph.words:
            for first, second in zip(words, words[1:]):
                first = "gray" if first == "grey" else first
                if first in COLOURS and second not in COLOURS and second not in ("and", "in", "with", "on", "or", "colored", "haired", "team", "player"):
                    votes.setdefault(second, Counter())[first] += 1
        sure = []
        for noun, counter in votes.items():
            colour, n = counter.most_common(1)[0]
            if n >= 2 and len(counter) == 1:
                sure.append((noun, colour))
        if not sure:
            return None
        noun, colour = self.rng.choice(sure)
        many = noun.endswith("s") and not noun.endswith(("ss", "us"))
        spelling = self.pick("colour", "color")
        q = self.pick(f"What {spelling} {'are' if many else 'is'} the {noun}?", f"Which {spelling} {'are' if many else 'is'} the {noun}?")
        full = self.full()
        answer = f"The {noun} {'are' if many else 'is'} {colour}." if full else colour.capitalize() + "."
        return self.say("photo color", self.style(q) + full, answer, [colour] + (["grey"] if colour == "gray" else []))

    def _place(self, photograph):
        votes = Counter()
        for words in photograph.words:
            votes.update({SCENES[w] for w in words if w in SCENES})
        if not votes:
            return None
        place, n = votes.most_common(1)[0]
        return place if n >= 2 else None

    def scene(self, photograph):
        place = self._place(photograph)
        if place is None:
            return None
        where, outdoors = place
        if outdoors is not None and self.rng.random() < 0.5:
            q = self.pick("Is this indoors or outdoors?", "Was this taken inside or outside?", "Is the photo taken outdoors?")
            if q.endswith("outdoors?") and "or" not in q.split():
                return self.say("photo place", self.style(q), "Yes." if outdoors else "No.", ["yes" if outdoors else "no"], "first")
            return self.say("photo place", self.style(q), "Outdoors." if outdoors else "Indoors.", ["outdoors" if outdoors else "indoors"])
        q = self.pick("Where was this taken?", "Where is this?", "What kind of place is this?", "Where could this photo have been taken?")
        return self.say("photo place", self.style(q), self.pick(f"Probably {where}.", f"It looks like {where.split(' ', 1)[-1] if where in ('indoors', 'outdoors') else where}.", f"Probably {where}."), [where])

    def doing(self, photograph):
        """What the only person or dog does: from captions "a man is/… …ing …"."""
        for subject in self.rng.sample(list(PEOPLE), len(PEOPLE)):
            found = []
            for caption in photograph.captions:
                m = re.match(rf"^(?:A|An|One|The)(?: \w+)? {subject}(?: \w+ \w+ \w+)? (?:is |are )?(\w+ing\b.*)$", caption)
                if m and m.group(1).split()[0] not in ("wearing", "being", "having", "looking"):
                    found.append(m.group(1).rstrip("."))
            if found:
                what = self.rng.choice(found)
                q = f"What is the {subject} doing?"
                return self.say("photo doing", self.style(q), f"The {subject} is {what}.", [])
        return None

    def is_photo(self, _photograph=None):
        q, answer = photo_or_drawing(self.rng, True)
        return self.say("photo or not", self.style(q), answer, ["photograph"])

    def missing(self, photograph):
        name = self.absent(photograph)
        if name is None:
            return None
        verb = "are" if is_plural(name) else "is"
        colour = self.pick("color", "colour")
        options = [f"What {colour} {verb} the {name}?", f"What is next to the {name}?", f"Where {verb} the {name}?"]
        return self.say("photo absent", self.style(self.rng.choice(options)), f"There {verb} no {name} in the picture.", [f"no {name}"])

    def unsure(self, _photograph):
        """What nobody can tell from a picture of this size, or what this model was never taught."""
        q, a = self.rng.choice([
            (("Who is this?", "Who is that?", "Do you know this person?", "What is this person's name?", "Who is in this photo?"), "I do not know who it is. I can only say what I see."),
            (("When was this taken?", "What time is it?", "What year was this photo taken?", "What day is it?"), "I cannot tell that from the picture."),
            (("How old is this person?", "How much does it cost?", "What is the exact address?", "Which city is this?", "Which country is this?"), "I cannot tell that from the picture."),
        ])  # fmt: skip
        return self.say("photo unsure", self.style(self.rng.choice(q)), a, [])

    weights = {
        "caption": 6.0, "detail": 0.7, "what": 1.5, "breed": 0.5, "yesno": 4.0, "describe": 1.5, "is_it": 1.0, "kind": 1.5, "count": 1.2, "colour": 0.8, "scene": 0.7,
        "doing": 0.6, "is_photo": 0.5, "missing": 0.4, "unsure": 0.2,
    }  # fmt: skip

    def turns(self, photograph, seen, shares, n):
        """Up to n turns, no question twice; `seen` and `shares` are the classifier's likeliest classes for this view."""
        found, asked = [], set()
        kinds, weights = list(self.weights), list(self.weights.values())
        for _ in range(n * 4):
            kind = self.rng.choices(kinds, weights)[0]
            if kind in ("what", "describe", "breed"):
                turn = getattr(self, kind)(photograph, seen, shares)
            elif kind == "is_it":
                turn = self.is_it(photograph, seen)
            elif kind == "kind":
                turn = self.kind(photograph)
            elif not photograph.captions and kind not in ("is_photo", "unsure"):
                turn = None
            else:
                turn = getattr(self, kind)(photograph)
            if turn and turn["question"].lower() not in asked:
                asked.add(turn["question"].lower())
                found.append(turn)
            if len(found) == n:
                break
        return found or [self.is_photo()]
