// Renders messages as prompt text. Pictures become `<image>` placeholders before the text of their message, in any turn, as in LLaVA.
// Knows templates, no token ids and no pixels.
import { EngineError } from "#engine/errors.ts";
import { renderTemplateSource } from "./jinja.ts";
import { templates, type Template, type TemplateStyle } from "./templates.ts";
import type { ImagePart, Message } from "#engine/types.ts";

export const imageSlot = "<image>";

export interface Prompt {
  readonly text: string;
  /** In the order of their slots in `text`. */
  readonly images: readonly ImagePart[];
  /** Stop sequences of this template, in addition to the model's end-of-sequence token. */
  readonly stop: readonly string[];
  /** Whether white space at the start of the answer belongs to the template and is to be removed. */
  readonly trimStart: boolean;
}

export interface PromptOptions {
  /** Id of a template of ours, or "chat_template" for the checkpoint's own Jinja template. */
  readonly template: string;
  readonly chatTemplate: string | undefined;
  readonly bosToken: string;
  readonly eosToken: string;
  /** Whether a picture's placeholder is enclosed in <im_start> and <im_end> (the config's mm_use_im_start_end). */
  readonly imageMarks?: boolean | undefined;
  /** Keeps text from people from becoming special tokens (see Tokenizer.defuse). */
  readonly defuse: (text: string) => string;
}

/**
 * Renders a conversation up to the assistant's generation prompt, or up to the end of the assistant message that is to be continued. Throws
 * "bad-input" where the messages are out of order, "bad-package" where the template is unknown or can't be rendered.
 */
export function renderPrompt(messages: readonly Message[], options: PromptOptions): Prompt {
  checkOrder(messages);
  const images = messages.flatMap((message) => message.parts.filter((part) => part.type === "image"));
  const template = templates.find((known) => known.id === options.template);
  const continues = messages.at(-1)?.role === "assistant";
  const turns = messages.map((message) => toTurn(message, options.defuse));
  const slot = options.imageMarks === true ? `<im_start>${imageSlot}<im_end>` : imageSlot;
  if (template) {
    const stop = template.style === "single" || template.style === "mpt" ? [template.sep.trim()] : [];
    return { text: renderTemplate(template, turns, slot), images, stop, trimStart: !continues };
  }
  if (options.chatTemplate === undefined) {
    throw new EngineError("bad-package", `the conversation template "${options.template}" is not known`);
  }
  return { text: renderJinja(options.chatTemplate, turns, options), images, stop: [], trimStart: !continues };
}

interface Turn {
  readonly role: Message["role"];
  readonly images: number;
  readonly text: string;
}

function toTurn(message: Message, defuse: (text: string) => string): Turn {
  const images = message.parts.filter((part) => part.type === "image").length;
  if (images > 0 && message.role !== "user") {
    throw new EngineError("bad-input", `a ${message.role} message can't hold a picture`);
  }
  const text = message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return { role: message.role, images, text: defuse(text).trim() };
}

function checkOrder(messages: readonly Message[]): void {
  const spoken = messages.filter((message) => message.role !== "system");
  const system = messages.slice(1).some((message) => message.role === "system");
  if (spoken.length === 0) throw new EngineError("bad-input", "the conversation is empty");
  if (system) throw new EngineError("bad-input", "a system message can only come first");
  spoken.forEach((message, i) => {
    const expected = i % 2 === 0 ? "user" : "assistant";
    if (message.role !== expected) throw new EngineError("bad-input", `message ${i} should be the ${expected}'s`);
  });
}

/** A turn whose text includes the placeholders of its pictures. */
interface Line {
  readonly user: boolean;
  readonly text: string;
}

function renderTemplate(template: Template, turns: readonly Turn[], slot: string): string {
  const stated = turns[0]?.role === "system" ? turns[0].text : template.system;
  const example = (template.example ?? []).map((text, i) => ({ user: i === 0, text }));
  const said = turns.filter(({ role }) => role !== "system").flatMap((turn) => toLines(turn, template, slot));
  const lines = [...example, ...said];
  return layouts[template.style](template, stated, lines);
}

function toLines({ role, images, text }: Turn, { mmtag, style }: Template, slot: string): Line[] {
  if (role !== "user" || images === 0) return [{ user: role === "user", text }];
  if (mmtag === true) {
    const shown = { user: true, text: `<Image>${slot}</Image>`.repeat(images) };
    return [shown, { user: false, text: "Received." }, { user: true, text }];
  }
  // The training data of "plain" have no line break between the picture and its caption.
  return [{ user: true, text: style === "plain" && text === "" ? slot.repeat(images) : `${slot}\n`.repeat(images) + text }]; // prettier-ignore
}

/** Renders the lines in each style, up to the assistant's generation prompt or the end of an answer that is to be continued. */
const layouts: Readonly<Record<TemplateStyle, (template: Template, system: string, lines: readonly Line[]) => string>> =
  {
    single: renderRoles,
    two: renderRoles,
    mpt: renderChatml,
    "llama-2": renderLlama2,
    plain: ({ sep, sep2 }, system, lines) =>
      lines.reduce(
        (text, line, i) => text + line.text + (line.user ? sep : i === lines.length - 1 ? "" : sep2),
        system,
      ),
  };

/** `{system}{sep}USER: {q}{sep}ASSISTANT: {a}{sep2}USER: …`, ending with `ASSISTANT:` */
function renderRoles({ roles, sep, sep2 }: Template, system: string, lines: readonly Line[]): string {
  let text = system === "" ? "" : system + sep;
  lines.forEach((line, i) => {
    if (line.user) text += `${roles.user}: ${line.text}${sep}`;
    else text += `${roles.assistant}: ${line.text}${i === lines.length - 1 ? "" : sep2}`;
  });
  return lines.at(-1)?.user === true ? `${text}${roles.assistant}:` : text;
}

/** `{system role}{system}{sep}{user role}{q}{sep}{assistant role}{a}{sep}…`; the roles contain their line breaks. */
function renderChatml({ roles, sep }: Template, system: string, lines: readonly Line[]): string {
  let text = system === "" ? "" : `${roles.system ?? ""}${system}${sep}`;
  lines.forEach((line, i) => {
    text += (line.user ? roles.user : roles.assistant) + line.text;
    if (line.user || i < lines.length - 1) text += sep;
  });
  return lines.at(-1)?.user === true ? text + roles.assistant : text;
}

/** `[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{q} [/INST] {a} {sep2}{sep}[INST] {q} [/INST]`; the tokenizer adds the first `sep`, which is its BOS. */
function renderLlama2({ sep, sep2 }: Template, system: string, lines: readonly Line[]): string {
  let text = "";
  lines.forEach((line, i) => {
    const asked = i === 0 && system !== "" ? `<<SYS>>\n${system}\n<</SYS>>\n\n${line.text}` : line.text;
    if (line.user) text += `${i === 0 ? "" : sep}[INST] ${asked} [/INST]`;
    else text += i === lines.length - 1 ? ` ${line.text}` : ` ${line.text} ${sep2}`;
  });
  return text;
}

function renderJinja(source: string, turns: readonly Turn[], options: PromptOptions): string {
  const continues = turns.at(-1)?.role === "assistant";
  const render = (messages: readonly object[]): string =>
    renderTemplateSource(source, {
      messages,
      add_generation_prompt: !continues,
      bos_token: options.bosToken,
      eos_token: options.eosToken,
    });
  const text = renderMessages(render, source, turns);
  if (!continues) return text;
  // Templates end the last answer with a separator. It is cut off, so that the answer can be continued.
  const answer = turns.at(-1)?.text ?? "";
  const end = text.lastIndexOf(answer);
  return end < 0 ? text : text.slice(0, end + answer.length);
}

/**
 * Some templates take messages as lists of parts. Those of pure language models take text, with the placeholders in it. Tries both, and accepts
 * a prompt that contains every picture and every text.
 */
function renderMessages(
  render: (messages: readonly object[]) => string,
  source: string,
  turns: readonly Turn[],
): string {
  const slots = turns.reduce((sum, { images }) => sum + images, 0);
  const spoken = turns.filter(({ role }) => role !== "system");
  const parts = turns.map(({ role, images, text }) => ({
    role,
    content: [
      ...Array.from({ length: images }, () => ({ type: "image" })),
      ...(text === "" ? [] : [{ type: "text", text }]),
    ],
  }));
  const texts = turns.map(({ role, images, text }) => ({ role, content: `${imageSlot}\n`.repeat(images) + text }));
  const failures: unknown[] = [];
  for (const messages of /image|type/.test(source) ? [parts, texts] : [texts]) {
    try {
      const text = render(messages);
      if (text.split(imageSlot).length - 1 === slots && spoken.every((turn) => text.includes(turn.text))) return text;
      failures.push(new Error("its prompt lacks a picture or a text"));
    } catch (error) {
      failures.push(error);
    }
  }
  const [cause] = failures;
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new EngineError("bad-package", `the checkpoint's chat template can't be rendered: ${why}`, { cause });
}
