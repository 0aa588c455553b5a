"""Makes conversations about scenes: questions in varied wordings, true answers, and what else counts as a right answer.

Knows scenes (world.py) and no pixels. A turn is a dict: kind, question, answer, accepted, match ("equals" | "contains").
"""

from speaker import Speaker
from world import COLOUR_NAMES, OBJECTS, SHAPES

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PLACES = {
    (0, 0): "top left", (1, 0): "top", (2, 0): "top right",
    (0, 1): "left", (1, 1): "centre", (2, 1): "right",
    (0, 2): "bottom left", (1, 2): "bottom", (2, 2): "bottom right",
}  # fmt: skip
PLACE_SHORT = {
    "top left": "At the top left.", "top": "At the top.", "top right": "At the top right.",
    "left": "On the left.", "centre": "In the centre.", "right": "On the right.",
    "bottom left": "At the bottom left.", "bottom": "At the bottom.", "bottom right": "At the bottom right.",
}  # fmt: skip
NOISE = "I cannot make out anything in this picture."
SYNONYMS = {thing.name: thing.synonyms for thing in OBJECTS}
PLURALS = {thing.name: thing.plural for thing in OBJECTS} | {s: s + ("es" if s == "cross" else "s") for s in SHAPES}


def article(name):
    """ "a cat", "an apple"; nothing before names that are plural already."""
    head = name.split()[0]
    if PLURALS.get(name) == name and name.endswith("s"):
        return name
    return ("an " if head[0] in "aeiou" and not head.startswith(("uni", "eu")) else "a ") + name


def counted(n, thing_name):
    return f"{NUMBERS[n]} {thing_name if n == 1 else PLURALS.get(thing_name, thing_name + 's')}"


def join(parts):
    parts = list(parts)
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def capital(text):
    return text[0].upper() + text[1:]


def is_are(name, n):
    return "are" if n != 1 or (PLURALS.get(name) == name and name.endswith("s")) else "is"


class Talker(Speaker):
    """Makes turns about a scene; all randomness comes from `rng`."""

    # --- facts -------------------------------------------------------------------------------------------------

    def groups(self, scene):
        """Things by name, without printed words."""
        groups = {}
        for thing in scene.things:
            if thing.kind != "text":
                groups.setdefault(thing.name, []).append(thing)
        return groups

    def place_of(self, thing):
        """One of nine places, or None near a border between two."""
        cell = []
        for v in (thing.x, thing.y):
            if min(abs(v - 0.36), abs(v - 0.64)) < 0.035:
                return None
            cell.append(0 if v < 0.36 else 1 if v < 0.64 else 2)
        return PLACES[tuple(cell)]

    def describe(self, thing):
        if thing.kind == "text":
            return f"the word {thing.text}"
        return article(f"{thing.colour} {thing.name}" if thing.colour else thing.name)

    def nouns(self, scene):
        """ "two cats, a red star and the word HOUSE" """
        parts = []
        for name, things in self.groups(scene).items():
            colours = {t.colour for t in things}
            colour = f"{colours.pop()} " if len(colours) == 1 and things[0].colour else ""
            if len(things) == 1:
                parts.append(article(colour + name))
            else:
                n, plural = NUMBERS[len(things)], PLURALS.get(name, name + "s")
                parts.append(f"{n} {colour}{plural}")
        parts += [f"the word {t.text}" for t in scene.things if t.kind == "text"]
        return join(parts)

    def absent(self, scene):
        """A name that is not in the scene, nor easily taken for something in it."""
        here = {t.name for t in scene.things} | {s for t in scene.things for s in SYNONYMS.get(t.name, ())}
        while True:
            name = self.rng.choice(OBJECTS).name if self.rng.random() < 0.75 else self.rng.choice(SHAPES)
            if name not in here and not any(name in h or h in name for h in here):
                return name

    # --- kinds of question -------------------------------------------------------------------------------------

    def caption(self, scene):
        q = self.pick(
            "What is in this picture?", "What do you see?", "Describe the image briefly.", "What does the picture show?",
            "Give a short caption.", "What is this a picture of?", "Write a caption for this image.",
        )  # fmt: skip
        return self.say("caption", self.style(q), capital(self.nouns(scene)) + ".", [self.nouns(scene).lower()])

    def detail(self, scene):
        q = self.pick(
            "Describe the image.", "Describe the picture in detail.", "Tell me everything you see.",
            "Give a detailed description of the image.",
        )  # fmt: skip
        sentences = [f"The picture shows {self.nouns(scene)}."]
        for thing in sorted(scene.things, key=lambda t: (round(t.y, 1), t.x))[:6]:
            place = self.place_of(thing)
            if place:
                name = f"The word {thing.text}" if thing.kind == "text" else "The " + self._unique(scene, thing)
                if name != "The ":
                    where = PLACE_SHORT[place].rstrip(".").lower()
                    sentences.append(f"{name} {is_are(thing.name, 1)} {where}.")
        return self.say("detail", self.style(q), " ".join(sentences), [sentences[0].lower()])

    def _unique(self, scene, thing):
        """A name that only this thing has in the scene, or ""."""
        same = [t for t in scene.things if t.name == thing.name]
        if len(same) == 1:
            return thing.name
        if thing.colour and sum(t.colour == thing.colour for t in same) == 1:
            return f"{thing.colour} {thing.name}"
        return ""

    def what(self, scene):
        things = [t for t in scene.things if t.kind != "text"]
        if len(scene.things) == 1 and things:
            thing = things[0]
            q = self.pick("What is this?", "What is it?", "What is shown here?", "What object is this?", "Name the object.")
        else:
            q, thing = self._pointed(scene)
            if thing is None or thing.kind == "text":
                return None
        if thing.kind == "object":
            accepted = [thing.name, *SYNONYMS[thing.name]]
            short, name = capital(article(thing.name)) + ".", article(thing.name)
        else:
            accepted = [thing.name]
            name = article(f"{thing.colour} {thing.name}")
            short = capital(name) + "."
        full = self.full()
        answer = f"{'These are' if not name.startswith(('a ', 'an ')) else 'This is'} {name}." if full else short
        return self.say("naming" if thing.kind == "object" else "shape", self.style(q) + full, answer, accepted)

    def _pointed(self, scene):
        """A question about the thing at a clear extreme of the scene."""
        if len(scene.things) < 2:
            return None, None
        ways = [("on the left", "x", 1), ("on the right", "x", -1), ("at the top", "y", 1), ("at the bottom", "y", -1)]
        self.rng.shuffle(ways)
        for words, axis, sign in ways:
            ordered = sorted(scene.things, key=lambda t: sign * getattr(t, axis))
            first = ordered[0]
            gap = sign * (getattr(ordered[1], axis) - getattr(first, axis))
            side = getattr(first, axis) < 0.4 if sign == 1 else getattr(first, axis) > 0.6
            if gap > 0.18 and side:
                q = self.pick(f"What is {words}?", f"What is the thing {words}?", f"What do you see {words}?")
                return q, first
        return None, None

    def count(self, scene):
        groups = self.groups(scene)
        k = self.rng.random()
        if k < 0.2 and len(scene.things) >= 1 and not any(t.kind == "text" for t in scene.things):
            n = len(scene.things)
            q = self.pick("How many things are there?", "How many objects are in the picture?", "How many things do you see?")
            answer = f"There {'is' if n == 1 else 'are'} {NUMBERS[n]} {'thing' if n == 1 else 'things'}."
            return self._number(q, n, answer)
        shapes = [t for t in scene.things if t.kind == "shape"]
        if k < 0.3 and len(shapes) > 1:
            colour = self.rng.choice(shapes).colour
            n = sum(t.colour == colour for t in shapes)
            if not any(t.kind == "object" for t in scene.things):
                q = self.pick(f"How many {colour} shapes are there?", f"How many shapes are {colour}?")
                return self._number(q, n, f"There {'is' if n == 1 else 'are'} {NUMBERS[n]} {colour} shape{'s' * (n != 1)}.")
        if k < 0.38 or not groups:
            name = self.absent(scene)
            plural = PLURALS[name]
            q = self.pick(f"How many {plural} are there?", f"How many {plural} do you see?")
            full = self.full()
            none = f"There are no {plural} in the picture."
            return self.say("count", self.style(q) + full, none if full else "None.", ["none", "zero", "no", "0"])
        name = self.rng.choice(list(groups))
        n, plural = len(groups[name]), PLURALS[name]
        q = self.pick(
            f"How many {plural} are there?", f"How many {plural} are in the picture?", f"How many {plural} do you see?",
            f"How many {plural} can you count?", f"Count the {plural}.",
        )  # fmt: skip
        return self._number(q, n, f"There {is_are(name, n)} {counted(n, name)}.")

    def _number(self, question, n, sentence):
        full = self.full()
        return self.say("count", self.style(question) + full, sentence if full else capital(NUMBERS[n]) + ".", [NUMBERS[n], str(n)])

    def colour(self, scene):
        names = {}
        for t in scene.things:
            if t.kind == "shape":
                names.setdefault(t.name, set()).add(t.colour)
        clear = [(n, c.copy().pop()) for n, c in names.items() if len(c) == 1]
        if not clear:
            return None
        name, colour = self.rng.choice(clear)
        many = sum(t.name == name for t in scene.things) > 1
        noun = PLURALS[name] if many else name
        spelling = self.pick("colour", "color")
        q = self.pick(
            f"What {spelling} {'are' if many else 'is'} the {noun}?", f"Which {spelling} {'do' if many else 'does'} the {noun} have?",
            f"What is the {spelling} of the {noun}?",
        )  # fmt: skip
        full = self.full()
        answer = f"The {noun} {'are' if many else 'is'} {colour}." if full else capital(colour) + "."
        return self.say("colour", self.style(q) + full, answer, [colour] + (["grey"] if colour == "gray" else []))

    def place(self, scene):
        candidates = []
        for thing in scene.things:
            name = f"word {thing.text}" if thing.kind == "text" else self._unique(scene, thing)
            if thing.kind == "text" and sum(t.kind == "text" for t in scene.things) == 1:
                name = "word"
            place = self.place_of(thing)
            if name and place:
                candidates.append((name, place, thing))
        if not candidates:
            return None
        name, place, thing = self.rng.choice(candidates)
        verb = is_are(thing.name, 1)
        q = self.pick(f"Where {verb} the {name}?", f"Where in the picture {verb} the {name}?", f"In which part of the image {verb} the {name}?")
        # "The top hat is at the bottom." names two places, and the rule that scores answers could not tell them apart.
        full = "" if "top" in name.split() else self.full()
        short = PLACE_SHORT[place]
        answer = f"The {name} {verb} {short[0].lower()}{short[1:]}" if full else short
        accepted = [place] + ([place.replace("centre", "center"), "middle"] if place == "centre" else [])
        return self.say("place", self.style(q) + full, answer, accepted, "place")

    def relation(self, scene):
        things = [(self._unique(scene, t), t) for t in scene.things if t.kind != "text"]
        things = [(n, t) for n, t in things if n]
        if len(things) < 2:
            return None
        (a, ta), (b, tb) = self.rng.sample(things, 2)
        dx, dy = ta.x - tb.x, ta.y - tb.y
        if max(abs(dx), abs(dy)) < 0.15 or 0.6 < abs(dx) / (abs(dy) + 1e-6) < 1.6:
            return None
        if abs(dx) > abs(dy):
            words = "to the left of" if dx < 0 else "to the right of"
            key = "left" if dx < 0 else "right"
            other = "to the right of" if dx < 0 else "to the left of"
        else:
            words = key = "above" if dy < 0 else "below"
            other = "below" if dy < 0 else "above"
        va = is_are(ta.name, 1)
        k = self.rng.random()
        if k < 0.5:
            asked = words if self.rng.random() < 0.5 else other
            q = f"{capital(va)} the {a} {asked} the {b}?"
            yes = asked == words
            full = self.full()
            answer = f"{'Yes' if yes else 'No'}, the {a} {va} {words} the {b}." if full else ("Yes." if yes else "No.")
            return self.say("yesno", self.style(q) + full, answer, ["yes" if yes else "no"], "first")
        q = self.pick(f"Where {va} the {a} relative to the {b}?", f"Is the {a} to the left of, to the right of, above or below the {b}?")
        full = self.full()
        answer = f"The {a} {va} {words} the {b}." if full else capital(words) + " the " + b + "."
        return self.say("relation", self.style(q) + full, answer, [key], "relation")

    def yesno(self, scene):
        groups = self.groups(scene)
        yes = self.rng.random() < 0.5 and bool(groups)
        shapes = [t for t in scene.things if t.kind == "shape"]
        if shapes and self.rng.random() < 0.25:
            t = self.rng.choice(shapes)
            colour = t.colour
            if not yes:
                taken = {s.colour for s in shapes if s.name == t.name}
                colour = self.rng.choice([c for c in COLOUR_NAMES if c not in taken])
            yes = any(s.name == t.name and s.colour == colour for s in shapes)
            name = f"{colour} {t.name}"
        else:
            name = self.rng.choice(list(groups)) if yes else self.absent(scene)
        plural_only = PLURALS.get(name) == name and name.endswith("s")
        q = self.pick(
            f"{'Are there' if plural_only else 'Is there'} {article(name)} in the picture?", f"{'Are there' if plural_only else 'Is there'} {article(name)}?",
            f"Do you see {article(name)}?", f"Can you see {article(name)} in this image?", f"Does the picture show {article(name)}?",
        )  # fmt: skip
        full = self.full()
        no = f"No, there {'are' if plural_only else 'is'} no {name} in the picture."
        sentence = f"Yes, there {'are' if plural_only else 'is'} {article(name)} in the picture." if yes else no
        return self.say("yesno", self.style(q) + full, sentence if full else ("Yes." if yes else "No."), ["yes" if yes else "no"], "first")

    def read(self, scene):
        texts = [t for t in scene.things if t.kind == "text"]
        if len(texts) != 1:
            return None
        text = texts[0].text
        q = self.pick(
            "What does it say?", "Read the word.", "What is written in the picture?", "What word is printed here?",
            "What does the text say?", "Which word do you see?", "Read the text in the image.",
        )  # fmt: skip
        full = self.full()
        answer = f"The picture says {text}." if full else f"{text}."
        return self.say("word" if texts[0].listed else "string", self.style(q) + full, answer, [text.lower()])

    def compare(self, scene):
        groups = self.groups(scene)
        if len(groups) < 2:
            return None
        a, b = self.rng.sample(list(groups), 2)
        na, nb = len(groups[a]), len(groups[b])
        pa, pb = PLURALS[a], PLURALS[b]
        if pa == a or pb == b:
            return None
        if na == nb and self.rng.random() < 0.6:
            return None
        if self.rng.random() < 0.5:
            q = self.pick(f"Are there more {pa} than {pb}?", f"Do you see more {pa} than {pb}?")
            yes = na > nb
            full = self.full()
            sentence = f"{'Yes' if yes else 'No'}, there {is_are(a, na)} {counted(na, a)} and {counted(nb, b)}."
            return self.say("compare", self.style(q) + full, sentence if full else ("Yes." if yes else "No."), ["yes" if yes else "no"], "first")
        q = self.pick(f"Which are there more of, {pa} or {pb}?", f"Are there more {pa} or more {pb}?")
        if na == nb:
            return self.say("compare", self.style(q), "There are as many of both.", ["as many", "equal", "same"])
        more = pa if na > nb else pb
        return self.say("compare", self.style(q), f"{capital(more)}.", [more, a if na > nb else b])

    def missing(self, scene):
        """A question about something that is not there."""
        name = self.absent(scene)
        plural_only = PLURALS.get(name) == name and name.endswith("s")
        verb = "are" if plural_only else "is"
        colour = self.pick("colour", "color")
        q = self.pick(f"What {colour} {verb} the {name}?", f"Where {verb} the {name}?", f"What is next to the {name}?")
        return self.say("absent", self.style(q), f"There {verb} no {name} in the picture.", [f"no {name}", "none"])

    def photo(self):
        q = self.pick(
            "What is this?", "What do you see?", "Describe the image.", "What is in this picture?", "How many people are there?",
            "What colour is the car?", "Where is the dog?", "What is the person doing?", "Is this a photo?", "Where was this taken?",
            "What does it say?", "Tell me about this picture.", "What is unusual about this image?", "Is there a cat?",
        )  # fmt: skip
        return self.say("photo", self.style(q), NOISE, ["cannot make out"])

    def small_talk(self, with_picture):
        pairs = [
            (("Hello!", "Hi.", "Hello", "hi there", "Good morning."), "Hello! Show me a picture and ask me about it."),
            (("Who are you?", "What are you?", "What is your name?", "who are you"),
             "I am Pocket LLaVA, a small model that answers questions about pictures."),
            (("What can you do?", "How can you help me?", "what can you do", "What are you good at?"),
             "I can name pictograms and shapes, count them, tell colours and places, and read printed words."),
            (("What can't you do?", "Can you understand photos?", "Do you know photographs?", "What are your limits?"),
             "I do not know photographs; I only know pictograms, shapes and printed words."),
            (("Thank you.", "Thanks!", "thanks", "Thank you very much."), "You are welcome."),
            (("Goodbye.", "Bye!", "bye"), "Goodbye!"),
            (("How are you?", "how are you"), "I am fine, thank you. Which picture shall we look at?"),
            (("Do my pictures leave this computer?", "Is this private?", "Do you send my pictures anywhere?"),
             "No, everything runs on your own device."),
        ]  # fmt: skip
        if not with_picture:
            pairs += [
                (("What is in the picture?", "What do you see?", "How many cats are there?", "Describe the image.", "What does it say?"),
                 "I do not see a picture yet. Please add one.") for _ in range(3)
            ]  # fmt: skip
        questions, answer = self.rng.choice(pairs)
        return self.say("talk", self.rng.choice(questions), answer, [answer.lower()])

    # --- conversations -----------------------------------------------------------------------------------------

    weights = {
        "caption": 0.7, "detail": 0.3, "what": 2.0, "count": 2.8, "colour": 1.0, "place": 3.0, "relation": 1.0, "yesno": 1.7,
        "read": 2.5, "compare": 0.8, "missing": 0.7,
    }  # fmt: skip

    def turns(self, scene, n):
        """Up to n turns about the scene, no question twice."""
        if scene.photo:
            return [self.photo() for _ in range(min(n, 2))]
        found, seen = [], set()
        for _ in range(n * 3):
            kind = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
            turn = getattr(self, kind)(scene) if scene.things or kind in ("missing",) else None
            if turn and turn["question"].lower() not in seen:
                seen.add(turn["question"].lower())
                found.append(turn)
            if len(found) == n:
                break
        if self.rng.random() < 0.05:
            found.insert(self.rng.randrange(len(found) + 1), self.small_talk(True))
        return found or [self.caption(scene) if scene.things else self.missing(scene)]
