"""Lets a language model write the conversations instead of this repository's programs, as LLaVA did with GPT-4 (Liu et al. 2023): it gets what
people said of a photograph, and boxes, and never the photograph.

`python -m instruct.ask_llm KIND --photographs FOLDER --server URL --model NAME --out FILE [--limit N]`

KIND is conversation, detail or reasoning; the server speaks OpenAI's /chat/completions (a key in LLAVA_API_KEY). Lines of LLaVA's JSON are
added to FILE one by one; what is there already is not asked again. What an answer lacks is told and left out.
"""

import argparse
import json
import os
import random
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

from instruct.photographs import read_photographs

HERE = Path(__file__).parent
KINDS = ("conversation", "detail", "reasoning")
# An answer that tells where its knowledge is from would teach the model to say so.
TELLTALE = re.compile(r"\b(captions?|bounding box(es)?|as (mentioned|described|stated)|the (sentences?|descriptions?|notes?) (say|says|mention|mentions)|coordinates?)\b", re.I)
DETAIL_QUESTIONS = ("Describe the image in detail.", "What does the picture show? Tell me everything you see.", "Give a detailed description of the photo.")


def prompt_of(kind):
    return json.loads((HERE / "prompts" / f"{kind}.json").read_text())


def context_of(photograph, with_boxes):
    """What the language model is told: a caption per line, then boxes with corners between 0 and 1."""
    lines = list(photograph.captions)
    if with_boxes and photograph.boxes:
        lines.append("")
        lines += [f"{name}: [{x:.2f}, {y:.2f}, {x + w:.2f}, {y + h:.2f}]" for name, x, y, w, h in photograph.boxes]
    return "\n".join(lines)


def messages_of(kind, photograph):
    """The chat: system message, few-shot examples as turns, and the photograph's context."""
    prompt = prompt_of(kind)
    messages = [{"role": "system", "content": prompt["system"]}]
    for example in prompt["examples"]:
        messages += [{"role": "user", "content": example["context"]}, {"role": "assistant", "content": example["answer"]}]
    return messages + [{"role": "user", "content": context_of(photograph, kind != "conversation")}]


def parse_turns(kind, text, draw):
    """An answer → [(question, answer)…]; ValueError with a sentence where it has not the form that was asked for."""
    text = text.strip()
    if not text:
        raise ValueError("the answer is empty")
    found = TELLTALE.search(text)
    if found:
        raise ValueError(f"it gives away where it knows it from ({found.group(0)!r})")
    if kind == "detail":
        if re.search(r"^\s*(question|answer)\s*:", text, re.I | re.M):
            raise ValueError("a description was asked for, and it has questions")
        return [(draw.choice(DETAIL_QUESTIONS), " ".join(text.split()))]
    parts = [p.strip() for p in re.split(r"^\s*={3,}\s*$", text, flags=re.M) if p.strip()]
    turns, question = [], None
    for part in parts:
        match = re.match(r"(question|answer)\s*:\s*(.+)$", part, re.I | re.S)
        if not match:
            raise ValueError(f"{part[:40]!r} is neither a question nor an answer")
        role, words = match.group(1).lower(), " ".join(match.group(2).split())
        if (role == "question") != (question is None):
            raise ValueError(f"two {role}s follow each other")
        if role == "question":
            question = words
        else:
            turns.append((question, words))
            question = None
    if question is not None:
        raise ValueError("the last question has no answer")
    if kind == "reasoning" and len(turns) != 1:
        raise ValueError(f"one question was asked for, and it has {len(turns)}")
    return turns


def record(kind, photograph, turns):
    """A line of LLaVA's JSON; the picture stands before the first question's words."""
    conversations = []
    for number, (question, answer) in enumerate(turns):
        conversations += [{"from": "human", "value": ("<image>\n" if number == 0 else "") + question}, {"from": "gpt", "value": answer}]
    image = f"{photograph.file.parent.name}/{photograph.file.name}"
    return {"id": f"{kind}/{photograph.file.stem}", "image": image, "conversations": conversations}


def ask(server, model, messages, seconds=120):
    """The model's answer and the tokens that it cost; a sentence with the server's own words where it refuses."""
    body = json.dumps({"model": model, "messages": messages, "temperature": 0.7}).encode()
    headers = {"Content-Type": "application/json"}
    if os.environ.get("LLAVA_API_KEY"):
        headers["Authorization"] = "Bearer " + os.environ["LLAVA_API_KEY"]
    request = urllib.request.Request(server.rstrip("/") + "/chat/completions", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{server} answers {error.code}: {error.read().decode(errors='replace')[:300]}") from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise SystemExit(f"{server} can't be reached: {error}. Is it running, and does its address end in /v1?") from error
    usage = answer.get("usage") or {}
    return answer["choices"][0]["message"]["content"] or "", usage.get("total_tokens", 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--server", required=True, help="address up to /v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=10**9, help="how many photographs to ask about in this run")
    args = parser.parse_args()
    done = {json.loads(line)["id"] for line in args.out.read_text().splitlines()} if args.out.exists() else set()
    draw, asked, kept, tokens = random.Random(0), 0, 0, 0
    photographs = [p for p in read_photographs(args.photographs) if p.captions and not p.held_out]
    with args.out.open("a") as out:
        for photograph in photographs:
            if f"{args.kind}/{photograph.file.stem}" in done:
                continue
            if asked >= args.limit:
                break
            asked += 1
            text, cost = ask(args.server, args.model, messages_of(args.kind, photograph))
            tokens += cost
            try:
                turns = parse_turns(args.kind, text, draw)
            except ValueError as problem:
                print(f"{photograph.file.name}: {problem}; left out", file=sys.stderr)
                continue
            out.write(json.dumps(record(args.kind, photograph, turns), ensure_ascii=False) + "\n")
            out.flush()
            kept += 1
    print(f"{args.kind}: {asked} asked, {kept} kept, {len(done)} were there, {tokens} tokens")


if __name__ == "__main__":
    main()
