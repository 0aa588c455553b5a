// Messages to prompt text: pictures become `<image>` slots before the text of their message, in any turn, as LLaVA has it.
// Knows templates, no token ids and no pixels.
import { Template as JinjaTemplate } from "@huggingface/jinja";
import { EngineError } from "./errors.ts";
import { templates, type Template } from "./templates.ts";
import type { ImagePart, Message } from "./types.ts";

export const imageSlot = "<image>";

export interface Prompt {
  readonly text: string;
  /** In the order of their slots in `text`. */
  readonly images: readonly ImagePart[];
  /** The answer starts with white space that belongs to the template. */
  readonly trimStart: boolean;
}

export interface PromptOptions {
  /** Id of a template of ours, or "chat_template" for the checkpoint's own Jinja template. */
  readonly template: string;
  readonly chatTemplate: string | undefined;
  readonly bosToken: string;
  readonly eosToken: string;
  /** Whether a picture's slot stands between <im_start> and <im_end>. */
  readonly imageMarks?: boolean | undefined;
  /** Makes text from people harmless (see Tokenizer.defuse). */
  readonly defuse: (text: string) => string;
}

/** Renders a conversation up to the cue for the assistant, or up to the end of the assistant message that is to be continued. */
export function renderPrompt(messages: readonly Message[], options: PromptOptions): Prompt {
  checkOrder(messages);
  const images = messages.flatMap((message) => message.parts.filter((part) => part.type === "image"));
  const template = templates.find((known) => known.id === options.template);
  const continues = messages.at(-1)?.role === "assistant";
  const turns = messages.map((message) => toTurn(message, options.defuse));
  const slot = options.imageMarks === true ? `<im_start>${imageSlot}<im_end>` : imageSlot;
  if (template) return { text: renderTwo(template, turns, slot), images, trimStart: !continues };
  if (options.chatTemplate === undefined) {
    throw new EngineError("bad-package", `the conversation template "${options.template}" is not known`);
  }
  return { text: renderJinja(options.chatTemplate, turns, options), images, trimStart: !continues };
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

/** `{system}{sep}USER: {q}{sep}ASSISTANT: {a}{sep2}USER: …`, ending with `ASSISTANT:` */
function renderTwo(template: Template, turns: readonly Turn[], slot: string): string {
  const { roles, sep, sep2 } = template;
  const stated = turns[0]?.role === "system" ? turns[0].text : template.system;
  const spoken = turns.filter((turn) => turn.role !== "system");
  let text = stated === "" ? "" : stated + sep;
  spoken.forEach((turn, i) => {
    const last = i === spoken.length - 1;
    if (turn.role === "user") text += `${roles.user}: ${`${slot}\n`.repeat(turn.images)}${turn.text}${sep}`;
    else text += `${roles.assistant}: ${turn.text}${last ? "" : sep2}`;
  });
  return spoken.at(-1)?.role === "user" ? `${text}${roles.assistant}:` : text;
}

function renderJinja(source: string, turns: readonly Turn[], options: PromptOptions): string {
  const continues = turns.at(-1)?.role === "assistant";
  // Templates of language models know no parts: their messages are text, with the slot in it.
  const knowsParts = /image|type/.test(source);
  const messages = turns.map((turn) => ({
    role: turn.role,
    content: knowsParts
      ? [
          ...Array.from({ length: turn.images }, () => ({ type: "image" })),
          ...(turn.text === "" ? [] : [{ type: "text", text: turn.text }]),
        ]
      : `${imageSlot}\n`.repeat(turn.images) + turn.text,
  }));
  let text: string;
  try {
    text = new JinjaTemplate(source).render({
      messages,
      add_generation_prompt: !continues,
      bos_token: options.bosToken,
      eos_token: options.eosToken,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EngineError("bad-package", `the checkpoint's chat template can't be rendered: ${why}`, { cause: error });
  }
  if (!continues) return text;
  // A template closes the last answer; what comes after its text is cut off, so that it can go on.
  const answer = turns.at(-1)?.text ?? "";
  const end = text.lastIndexOf(answer);
  return end < 0 ? text : text.slice(0, end + answer.length);
}
