"""What all makers of conversations share: turns as dicts, a choice of wordings, and careless typing. Knows no pictures."""

import random

FULL = (" Answer in a full sentence.", " Use a full sentence.", " Please answer in a sentence.")


class Speaker:
    """All randomness comes from `rng`."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def say(self, kind, question, answer, accepted=(), match="contains"):
        return {"kind": kind, "question": question, "answer": answer, "accepted": list(accepted), "match": match}

    def pick(self, *options):
        return self.rng.choice(options)

    def style(self, text):
        """Sometimes without capitals or a question mark, as users type."""
        k = self.rng.random()
        if k < 0.1:
            return text.lower().rstrip("?")
        return text.lower() if k < 0.16 else text

    def full(self):
        """A request for a full sentence in one of five cases, else an empty string."""
        return self.rng.choice(FULL) if self.rng.random() < 0.2 else ""
