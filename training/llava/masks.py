"""Pieces of text become token ids and labels. The whole text is tokenized at once and every token is learned or not by where it ends, so
the labels can't slip against the ids (LLaVA tokenizes rounds apart and drops a conversation where the lengths differ)."""

from .templates import IMAGE

IGNORE = -100


def tokenize(tokenizer, pieces):
    """(ids, labels), lists of equal length; an `<image>` is one id here, and labels of what is not learned are -100.

    A token that reaches into an answer belongs to it, as "▁Answer" of SentencePiece does to the answer after "ASSISTANT: ".
    """
    text = "".join(piece.text for piece in pieces)
    has_begin = bool(tokenizer.bos_token) and text.startswith(tokenizer.bos_token)
    encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=not has_begin)
    learned, at = [], 0
    for piece in pieces:
        if piece.learned:
            learned.append((at, at + len(piece.text)))
        at += len(piece.text)
    ids, labels, span = encoded["input_ids"], [], 0
    image = tokenizer.convert_tokens_to_ids(IMAGE)
    for id, (start, end) in zip(ids, encoded["offset_mapping"], strict=True):
        while span < len(learned) and learned[span][1] <= start:
            span += 1
        inside = end > start and span < len(learned) and end > learned[span][0]
        labels.append(id if inside and id != image else IGNORE)
    # What a tokenizer adds at the end belongs to the last answer.
    if not has_begin and tokenizer.eos_token_id is not None and len(ids) > 1 and encoded["offset_mapping"][-1] == (0, 0):
        labels[-1] = ids[-1] if ids[-1] == tokenizer.eos_token_id else IGNORE
    return ids, labels


def spread_pictures(ids, labels, image, counts):
    """Puts as many `<image>` ids for each picture as it has features; `counts` are the features of the pictures, in their order."""
    if ids.count(image) != len(counts):
        raise ValueError(f"This conversation has {ids.count(image)} places for pictures and {len(counts)} pictures.")
    wide, wide_labels, counts = [], [], iter(counts)
    for id, label in zip(ids, labels, strict=True):
        times = next(counts) if id == image else 1
        wide += [id] * times
        wide_labels += [label] * times
    return wide, wide_labels
