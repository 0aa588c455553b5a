// Chat templates of a checkpoint: where they may lie, in Hugging Face's order, and what they make of a conversation with pictures.
// Renders nothing itself: the host does, with limits, because a template is a program from someone else.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { readText, type CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { JsonObjectSchema, readObject } from "#convert/checkpoint/json-file.ts";

export interface ChatTemplate {
  readonly source: string;
  /** The file it was found in. */
  readonly file: string;
}

/** Renders a template once per context; rejects where it fails, takes too long or too much memory. */
export type RenderChat = (source: string, contexts: readonly Readonly<Record<string, unknown>>[]) => Promise<string[]>;

/** A host's sentence about a template that is no mere mistake but does not end. */
export class TemplateOutOfBounds extends Error {}

/** How a template takes pictures: as parts of a message, as slots in its text, or not at all. */
type PictureUse = "parts" | "text" | "none";

/** The template that Hugging Face's processor would use: its own file first, then the processor's config, then the tokenizer's. */
export async function findChatTemplate(folder: CheckpointFolder): Promise<ChatTemplate | undefined> {
  const jinja = await readText(folder, "chat_template.jinja");
  if (jinja !== undefined) return { source: jinja, file: "chat_template.jinja" };
  for (const file of ["chat_template.json", "processor_config.json", "tokenizer_config.json"]) {
    const source = templateIn((await readObject(folder, file))?.["chat_template"]);
    if (source !== undefined) return { source, file };
  }
  return undefined;
}

const Named = v.array(v.looseObject({ name: v.string(), template: v.string() }));

/** A template is given as text, or as several by name. */
function templateIn(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const list = v.safeParse(Named, value);
  if (list.success) {
    return (list.output.find(({ name }) => name === "default") ?? list.output[0])?.template;
  }
  const text = v.is(JsonObjectSchema, value) ? value["default"] : undefined;
  return typeof text === "string" ? text : undefined;
}

/** What the template is tried with: a question about a picture, an answer, and a question about two more. */
const turns = [
  { role: "user", images: 1, text: "Question one" },
  { role: "assistant", images: 0, text: "Answer one" },
  { role: "user", images: 2, text: "Question two" },
] as const;

export interface TriedTemplate {
  readonly use: PictureUse;
  /** The text between a question and its answer, without white space; undefined where it can't be determined. */
  readonly cue: string | undefined;
  /** What follows an answer, up to the next question. */
  readonly close: string | undefined;
}

/** Tries a template on a conversation. Throws EngineError("bad-checkpoint") where it does not end. */
export async function tryTemplate(
  { source, file }: ChatTemplate,
  tokens: { readonly image: string; readonly bos: string; readonly eos: string },
  render: RenderChat | undefined,
): Promise<TriedTemplate> {
  if (!render) return { use: /image/.test(source) ? "parts" : "text", cue: undefined, close: undefined };
  const context = (messages: readonly object[]) => ({
    messages,
    add_generation_prompt: true,
    bos_token: tokens.bos,
    eos_token: tokens.eos,
  });
  const parts = turns.map(({ role, images, text }) => ({
    role,
    content: [...Array.from({ length: images }, () => ({ type: "image" })), { type: "text", text }],
  }));
  const texts = turns.map(({ role, images, text }) => ({ role, content: `${tokens.image}\n`.repeat(images) + text }));
  for (const [use, messages] of [
    ["parts", parts],
    ["text", texts],
  ] as const) {
    for (const some of [messages, messages.slice(0, 1)]) {
      const text = await rendered(source, context(some), render).catch((error: unknown) => {
        if (!(error instanceof TemplateOutOfBounds)) return undefined;
        throw badCheckpoint(
          `the chat template in ${file} ${error.message}; name another one with --template, and it is left out`,
          { cause: error },
        );
      });
      const shown = turns.slice(0, some.length);
      const pictures = shown.reduce((sum, { images }) => sum + images, 0);
      const whole = text !== undefined && shown.every((turn) => text.includes(turn.text));
      if (whole && text.split(tokens.image).length - 1 === pictures) return { use, ...around(text, some.length) };
    }
  }
  return { use: "none", cue: undefined, close: undefined };
}

async function rendered(source: string, context: Readonly<Record<string, unknown>>, render: RenderChat) {
  return (await render(source, [context]))[0];
}

function around(text: string, shown: number): Pick<TriedTemplate, "cue" | "close"> {
  const lastQuestion = turns[shown - 1]?.text ?? "";
  const cue = text.slice(text.lastIndexOf(lastQuestion) + lastQuestion.length);
  const answer = turns[1].text;
  const close = shown > 1 ? text.slice(text.indexOf(answer) + answer.length) : undefined;
  return { cue: cue.replace(/\s+/g, ""), close };
}
