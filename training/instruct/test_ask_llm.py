"""`python -m instruct.test_ask_llm`: the prompts, the parser, and a run against a server that answers over HTTP."""

import http.server
import json
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from instruct.ask_llm import KINDS, messages_of, parse_turns, prompt_of
from instruct.photographs import Photograph

PHOTOGRAPH = Photograph(Path("flickr8k/a.jpg"), "coco", False, ["A dog runs.", "A brown dog."], boxes=[("dog", 0.1, 0.2, 0.3, 0.4)])


def refused(kind, text):
    try:
        parse_turns(kind, text, random.Random(0))
    except ValueError as problem:
        return str(problem)
    raise AssertionError(f"{kind}: {text!r} was taken")


def check_parser():
    for kind in KINDS:  # the examples have the form that they ask for
        prompt = prompt_of(kind)
        assert len(prompt["examples"]) >= 2
        for example in prompt["examples"]:
            turns = parse_turns(kind, example["answer"], random.Random(0))
            assert turns and all(q and a for q, a in turns)
    assert parse_turns("conversation", "question: A?\n====\n answer: B.\n\n===\n", random.Random(0)) == [("A?", "B.")]
    assert "empty" in refused("detail", "  ")
    assert "has no answer" in refused("conversation", "Question:\nA?\n===")
    assert "two questions" in refused("conversation", "Question: A?\n===\nQuestion: B?\n===\nAnswer: C.\n===")
    assert "neither" in refused("conversation", "Sure, here you are.\n===\nQuestion: A?\n===\nAnswer: B.")
    assert "gives away" in refused("detail", "As mentioned in the captions, a dog runs.")
    assert "2" in refused("reasoning", "Question: A?\n===\nAnswer: B.\n===\nQuestion: C?\n===\nAnswer: D.\n===")
    user = messages_of("detail", PHOTOGRAPH)[-1]["content"]
    assert user == "A dog runs.\nA brown dog.\n\ndog: [0.10, 0.20, 0.40, 0.60]", user
    assert "dog: [" not in messages_of("conversation", PHOTOGRAPH)[-1]["content"]


class Server(http.server.BaseHTTPRequestHandler):
    answers = ["Question:\nWhat runs?\n===\nAnswer:\nA dog.\n===", "no form at all", "Question:\nWho?\n===\nAnswer:\nA man.\n==="]
    asked = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = self.answers[len(self.asked) % 3]
        self.asked.append(body)
        answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], "usage": {"total_tokens": 7}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def check_run():
    server = http.server.HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rows = [{"image": f"{n}.jpg", "split": "train" if n < 4 else "dev", "captions": ["A dog runs ."]} for n in range(5)]
        (folder / "flickr8k.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
        for name in ("objects", "coco"):
            (folder / f"{name}.jsonl").write_text("")
        out = folder / "out.jsonl"
        run = lambda *more: subprocess.run(
            [sys.executable, "-m", "instruct.ask_llm", "conversation", "--photographs", str(folder), "--out", str(out), "--model", "m",
             "--server", f"http://127.0.0.1:{server.server_port}/v1", *more],
            capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True,
        )  # fmt: skip
        first = run("--limit", "2")
        assert "2 asked, 1 kept" in first.stdout and "left out" in first.stderr, first
        second = run()
        assert "1 were there" in second.stdout, second.stdout
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert len({line["id"] for line in lines}) == len(lines) >= 2
        assert all(line["conversations"][0]["value"].startswith("<image>\n") for line in lines)
        assert all("4.jpg" not in json.dumps(line) for line in lines)  # what is held out is never asked about
    server.shutdown()


if __name__ == "__main__":
    check_parser()
    check_run()
    print("instruct.ask_llm: prompts, parser and a run hold")
