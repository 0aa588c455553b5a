"""CIDEr-D (Vedantam et al. 2015) and BLEU-4 (Papineni et al. 2002, corpus level, shortest-nearest reference length) over lower-case words of
letters and digits. The published figures use PTB's tokenizer, which differs in contractions and hyphens only. Knows no model."""

import math
import re
from collections import Counter


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def grams(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def cider_d(answers, references, sigma=6.0):
    """Mean CIDEr-D (0 to 10) of answers against lists of references; the document frequencies are those of the references."""
    total = math.log(len(references))
    frequency = Counter()
    for group in references:
        frequency.update({g for r in group for n in range(1, 5) for g in grams(words(r), n)})

    def vector(tokens, n):
        return {g: count * max(0.0, total - math.log(max(1.0, frequency[g]))) for g, count in grams(tokens, n).items()}

    norm = lambda v: math.sqrt(sum(x * x for x in v.values()))
    scores = []
    for answer, group in zip(answers, references):
        tokens, score = words(answer), 0.0
        for n in range(1, 5):
            mine = vector(tokens, n)
            for reference in group:
                theirs = words(reference)
                his = vector(theirs, n)
                product = sum(min(x, his.get(g, 0.0)) * his.get(g, 0.0) for g, x in mine.items())
                scale = norm(mine) * norm(his)
                score += (product / scale if scale else 0.0) * math.exp(-((len(tokens) - len(theirs)) ** 2) / (2 * sigma**2)) / len(group) / 4
        scores.append(10 * score)
    return sum(scores) / len(scores)


def bleu4(answers, references):
    """Corpus BLEU-4 without smoothing."""
    matches, totals, length, closest = [0] * 4, [0] * 4, 0, 0
    for answer, group in zip(answers, references):
        tokens = words(answer)
        lengths = [len(words(r)) for r in group]
        length += len(tokens)
        closest += min(lengths, key=lambda l: (abs(l - len(tokens)), l))
        for n in range(1, 5):
            best = Counter()
            for reference in group:
                best |= grams(words(reference), n)
            mine = grams(tokens, n)
            matches[n - 1] += sum((mine & best).values())
            totals[n - 1] += sum(mine.values())
    if not length or not all(matches):
        return 0.0
    shortness = min(1.0, math.exp(1 - closest / length))
    return shortness * math.exp(sum(math.log(m / t) for m, t in zip(matches, totals)) / 4)
