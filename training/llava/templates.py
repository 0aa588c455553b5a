"""Conversation templates for training: a conversation becomes pieces of text, each of which is learned or not.

The names, separators and system prompts are those of LLaVA's `conv_templates`; "chat" takes the tokenizer's own chat template. What is
learned is the answers with what ends them, as LLaVA's `preprocess_*` functions do it. No tokens here.
"""

from dataclasses import dataclass

IMAGE = "<image>"

_POLITE = "The assistant gives helpful, detailed, and polite answers to the {}'s questions."
_USER = "A chat between a curious user and an artificial intelligence assistant. " + _POLITE.format("user")
_HUMAN = "A chat between a curious human and an artificial intelligence assistant. " + _POLITE.format("human")
_MMTAG = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant is able to understand the visual content that the"
    " user provides, and assist the user with a variety of tasks using natural language.The visual content will be provided with the"
    " following format: <Image>visual content</Image>."
)
_LLAVA_2 = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, and assist the"
    " user with a variety of tasks using natural language."
)
_MPT = "A conversation between a user and an LLM-based AI assistant. The assistant gives helpful and honest answers."


@dataclass(frozen=True)
class Template:
    """`style` as in LLaVA's SeparatorStyle; `system` is what stands before the first turn where the data says nothing else."""

    style: str
    system: str = ""
    roles: tuple[str, str] = ("USER", "ASSISTANT")
    begin: str = ""
    end: str = "</s>"
    mmtag: bool = False


TEMPLATES = {
    "plain": Template("plain", end="\n"),
    "v0": Template("single", _HUMAN, ("Human", "Assistant"), end="###"),
    "v0_mmtag": Template("single", _MMTAG, ("Human", "Assistant"), end="###", mmtag=True),
    "v1": Template("two", _USER),
    "llava_v1": Template("two", _HUMAN),
    "v1_mmtag": Template("two", _MMTAG, mmtag=True),
    "llama_2": Template("llama_2", _LLAVA_2, begin="<s>"),
    "mistral_instruct": Template("llama_2"),
    "mpt": Template("mpt", _MPT, ("user", "assistant"), end="<|im_end|>"),
    "chatml_direct": Template("mpt", "Answer the questions.", ("user", "assistant"), end="<|im_end|>"),
}
ALIASES = {
    "vicuna_v1": "v1", "llava_v0": "v0", "default": "v0", "v0_plain": "plain", "llava_llama_2": "llama_2",
    "mistral_direct": "chatml_direct",
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """One question or answer: `role` is "user" or "assistant"; pictures are `<image>` in the text."""

    role: str
    text: str


@dataclass(frozen=True)
class Piece:
    text: str
    learned: bool


def template_names():
    return sorted([*TEMPLATES, *ALIASES, "chat"])


def place_pictures(text, mmtag=False):
    """LLaVA's `preprocess_multimodal`: the pictures of a turn come before its words, one `<image>` each.

    LLaVA keeps one picture per turn; here several stay, in their order, as LLaVA-NeXT-Interleave has them.
    """
    count = text.count(IMAGE)
    if count == 0:
        return text
    mark = f"<Image>{IMAGE}</Image>" if mmtag else IMAGE
    return "\n".join([*[mark] * count, text.replace(IMAGE, "").strip()]).strip()


def render(name, turns, system=None, tokenizer=None):
    """The pieces of a conversation; `system` None is the template's own. ValueError names what does not fit the template."""
    if name == "chat":
        return _own(turns, system, tokenizer)
    template = TEMPLATES.get(ALIASES.get(name, name))
    if template is None:
        raise ValueError(f"There is no template {name}. Known are {', '.join(template_names())}.")
    placed = [Turn(turn.role, place_pictures(turn.text, template.mmtag)) for turn in turns]
    return _STYLES[template.style](template, placed, template.system if system is None else system)


def _plain(template, turns, _system):
    """The projector's stage: the picture alone, then its caption."""
    if len(turns) != 2 or IMAGE not in turns[0].text:
        raise ValueError("The template plain takes a picture and one caption; this conversation has something else.")
    return [Piece(IMAGE * turns[0].text.count(IMAGE), False), Piece(turns[1].text + template.end, True)]


def _single(template, turns, system):
    """LLaVA's first template, in its training's own form: the marks before turns are learned, too, for the first of them ends an answer."""
    pieces = [Piece(f"{system}\n\n", False)]
    for turn in turns:
        if turn.role == "user":
            pieces += [Piece(template.end, True), Piece(f" {template.roles[0]}: {turn.text}\n", False)]
        else:
            pieces.append(Piece(f"{template.end} {template.roles[1]}: {turn.text}\n", True))
    return [*pieces, Piece(template.end, True)]


def _two(template, turns, system):
    """The space before an answer is learned where the tokenizer has a token of its own for it."""
    pieces = [Piece(f"{system} ", False)] if system else []
    for turn in turns:
        if turn.role == "user":
            pieces.append(Piece(f"{template.roles[0]}: {turn.text} {template.roles[1]}:", False))
        else:
            pieces.append(Piece(f" {turn.text}{template.end}", True))
    return pieces


def _llama_2(template, turns, system):
    pieces = []
    for number, turn in enumerate(turns):
        if turn.role == "user":
            head = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if number == 0 and system else ""
            # The tokenizer adds the first <s> itself.
            pieces.append(Piece(f"{template.begin if number else ''}[INST] {head}{turn.text} [/INST]", False))
        else:
            pieces.append(Piece(f" {turn.text} {template.end}", True))
    return pieces


def _mpt(template, turns, system):
    pieces = [Piece(f"<|im_start|>system\n{system}{template.end}", False)] if system else []
    for turn in turns:
        if turn.role == "user":
            pieces.append(Piece(f"<|im_start|>{template.roles[0]}\n{turn.text}{template.end}<|im_start|>{template.roles[1]}\n", False))
        else:
            pieces.append(Piece(turn.text + template.end, True))
    return pieces


_STYLES = {"plain": _plain, "single": _single, "two": _two, "llama_2": _llama_2, "mpt": _mpt}


def _own(turns, system, tokenizer):
    """By the tokenizer's chat template: an answer is what the template adds after its own cue for an answer."""
    if tokenizer is None or not tokenizer.chat_template:
        raise ValueError("The template chat needs a tokenizer with a chat template; name one of LLaVA's templates with --version.")
    messages = [{"role": "system", "content": system}] if system else []
    pieces, before = [], ""
    for number, turn in enumerate(turns):
        messages.append({"role": turn.role, "content": place_pictures(turn.text)})
        asks = turn.role == "user" and number + 1 < len(turns)
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=asks)
        if not text.startswith(before):
            raise ValueError("This chat template changes earlier turns when a turn is added, so answers can't be told from questions.")
        pieces.append(Piece(text[len(before) :], turn.role == "assistant"))
        before = text
    return pieces
