"""Writes the prompts that LLaVA's own conversation templates make.

    pip download --no-deps llava-torch==1.2.2.post1      (Apache-2.0; unpack it)
    python training/make_prompt_golden.py llava/conversation.py

fixtures/prompts.golden.json holds, per name in the original's `conv_templates`, the prompt of a question, of a question about a picture, and of
a second question after an answer; one turn of the templates of pretraining, which have no more.
"""

import importlib.util
import json
import sys
from pathlib import Path


def main():
    spec = importlib.util.spec_from_file_location("conversation", sys.argv[1])
    original = importlib.util.module_from_spec(spec)
    sys.modules["conversation"] = original
    spec.loader.exec_module(original)
    golden = []
    for name, template in original.conv_templates.items():
        tagged = "mmtag" in template.version
        for question, picture, more in [("Q1", False, False), ("Q1", True, False), ("Q1", True, True)]:
            if more and template.sep_style == original.SeparatorStyle.PLAIN:
                continue  # the original has one turn of these
            chat = template.copy()
            first = question if not picture else (question, None, "Default") if tagged else "<image>\n" + question
            said = [first, None] if not more else [first, "A1", "Q2", None]
            for i, text in enumerate(said):
                chat.append_message(chat.roles[i % 2], text)
            golden.append({"template": name, "picture": picture, "turns": 2 if more else 1, "prompt": chat.get_prompt()})
    file = Path(__file__).parent / "fixtures" / "prompts.golden.json"
    file.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
    print(len(golden), "prompts,", file.stat().st_size, "bytes")


main()
