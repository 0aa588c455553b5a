"""Writes what Hugging Face renders from the kinds of chat templates that LLaVA's packages on the hub have.

`python training/make_chat_template_golden.py`   fixtures/chat-templates.golden.json
"""

import json
from pathlib import Path

from transformers import PreTrainedTokenizerFast
from tokenizers import Tokenizer
from tokenizers.models import BPE

IMAGES = "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}"
TEXTS = "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
TEMPLATES = {
    "roles": "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}" + IMAGES
    + "{% if message['role'] != 'assistant' %}" + TEXTS.replace("content['text'] }}", "content['text'] + ' ' }}")
    + "{% else %}{% generation %}" + TEXTS.replace("content['text'] }}", "content['text'] + eos_token }}") + "{% endgeneration %}{% endif %}{% endfor %}"
    + "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}",
    "marks": "{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' }}" + IMAGES.replace("\\n", "") + TEXTS.replace("{{ content", "{{ '\\n' + content")
    + "{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "brackets": "{{- bos_token }}{%- for message in messages %}\n    {%- if message.role == 'user' %}\n        {{- '[INST] ' }}" + IMAGES + TEXTS.replace("content['text']", "content['text'] | trim")
    + "{{- ' [/INST]' }}\n    {%- elif message.role == 'assistant' %}\n        {{- ' ' + message.content[0].text ~ eos_token }}\n    {%- elif loop.first and message.role == 'system' %}\n"
    + "        {{- message.content[0].text + '\\n\\n' }}\n    {%- else %}\n        {{- raise_exception('order') }}\n    {%- endif %}\n{%- endfor %}",
    "text alone": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nAnswer.<|im_end|>\\n' }}{% endif %}"
    + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
}  # fmt: skip
CONVERSATIONS = [
    [("user", 1, "What is this?")],
    [("user", 1, "What is this?"), ("assistant", 0, "A cube."), ("user", 0, "And its colour?")],
    [("system", 0, "Be brief."), ("user", 2, "Which is larger?\nWhy?")],
    [("user", 0, "No picture: {{ x }} {% y %}")],
]


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(BPE()), bos_token="<s>", eos_token="</s>")
    rows = []
    for name, template in TEMPLATES.items():
        prompts = []
        for turns in CONVERSATIONS:
            parts = [{"role": role, "content": [{"type": "image"}] * images + [{"type": "text", "text": text}]} for role, images, text in turns]
            plain = [{"role": role, "content": "<image>\n" * images + text} for role, images, text in turns]
            messages = plain if name == "text alone" else parts
            prompts.append(tokenizer.apply_chat_template(messages, chat_template=template, add_generation_prompt=True, tokenize=False))
        rows.append({"name": name, "template": template, "prompts": prompts})
    out = Path(__file__).parent / "fixtures" / "chat-templates.golden.json"
    out.write_text(json.dumps({"conversations": CONVERSATIONS, "templates": rows}, indent=1, ensure_ascii=False) + "\n")
    print(out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
