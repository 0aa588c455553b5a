"""Whether an answer to a held-out question is right, and the table per kind. `src/eval` holds the same rule in TypeScript.

An answer is normalized: lower case, everything but letters, digits and spaces becomes a space, spaces are folded. With `match`
- "contains": one of the accepted answers, normalised, stands in it as whole words;
- "first": its first word is one of them;
- "place": it names exactly the places (top, bottom, left, right; centre, center or middle count as centre) that the accepted one names;
- "relation": it holds the accepted word before any other of left, right, above, below.

"""

import re

KINDS = ("colour", "yesno", "place", "count", "naming", "word")
FLOORS = {"colour": 95, "yesno": 93, "place": 93, "count": 90, "naming": 80, "word": 70}
FLOOR_ALL = 87
PLACE_WORDS = {"top": "top", "bottom": "bottom", "left": "left", "right": "right", "centre": "centre", "center": "centre", "middle": "centre"}
RELATION_WORDS = ("left", "right", "above", "below")


def normalise_answer(text):
    return " ".join(re.sub(r"[^a-z0-9 ]", " ", text.lower()).split())


def accepted(question, text):
    """Whether `text` answers `question` (a line of questions.jsonl)."""
    words = normalise_answer(text).split()
    answers = [normalise_answer(a) for a in question["answers"]]
    match = question["match"]
    if match == "first":
        return bool(words) and words[0] in answers
    if match == "place":
        named = {PLACE_WORDS[w] for w in words if w in PLACE_WORDS}
        return any(named == {PLACE_WORDS[w] for w in a.split() if w in PLACE_WORDS} for a in answers)
    if match == "relation":
        found = [w for w in words if w in RELATION_WORDS]
        return bool(found) and found[0] in answers
    padded = f" {' '.join(words)} "
    return any(f" {a} " in padded for a in answers)


def table(results):
    """Text table of (question, right) pairs: known styles by kind with their floors; strings and the unseen style without."""
    lines = [f"{'kind':<22}{'n':>6}{'right %':>9}{'floor':>7}"]
    known = [(q, ok) for q, ok in results if q["style"] == "known"]

    def row(name, part, floor=None):
        share = 100 * sum(ok for _, ok in part) / max(1, len(part))
        held = "" if floor is None else f"{floor:>7}{'' if share >= floor else '  missed'}"
        lines.append(f"{name:<22}{len(part):>6}{share:>9.1f}{held}")

    for kind in [*KINDS, *sorted({q["kind"] for q, _ in known} - set(KINDS))]:
        row(kind, [(q, ok) for q, ok in known if q["kind"] == kind], FLOORS.get(kind))
    row("all, known styles", [(q, ok) for q, ok in known if q["kind"] != "string"], FLOOR_ALL)
    row("unseen style", [(q, ok) for q, ok in results if q["style"] != "known"])
    return "\n".join(lines)
