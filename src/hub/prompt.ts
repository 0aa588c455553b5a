// A conversation as a hub model's own chat template wants it. Pure: knows no model and no library.
import type { Message } from "#engine/types.ts";

/** Templates take a message's parts as a list, or as one text with a mark where a picture stands. */
export type TemplateStyle = "parts" | "text";

export interface TemplateMessage {
  readonly role: string;
  readonly content: string | readonly ({ readonly type: "image" } | { readonly type: "text"; readonly text: string })[];
}

/** A conversation to be rendered, and what is already there of the answer that comes next. */
export interface TemplateChat {
  readonly messages: readonly TemplateMessage[];
  readonly answerSoFar: string;
  /** In the order of their marks. */
  readonly pictures: readonly Blob[];
}

/** What a Jinja template takes: one that asks for a part's type takes lists. */
export function templateStyle(template: string): TemplateStyle {
  return /\[['"]type['"]\]|\.type\b|content is (not )?string/.test(template) ? "parts" : "text";
}

/** The conversation in that style; `imageToken` marks a picture in a text. */
export function templateChat(messages: readonly Message[], style: TemplateStyle, imageToken: string): TemplateChat {
  const last = messages.at(-1);
  const open = last?.role === "assistant" ? last : undefined;
  const told = open === undefined ? messages : messages.slice(0, -1);
  return {
    messages: told.map(({ role, parts }) => ({
      role,
      content:
        style === "parts"
          ? parts.map((part) => (part.type === "image" ? { type: "image" } : { type: "text", text: part.text }))
          : parts.map((part) => (part.type === "image" ? `${imageToken}\n` : part.text)).join(""),
    })),
    answerSoFar: open?.parts.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "",
    pictures: told.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "image" ? [part.blob] : []))),
  };
}

/** An answer of text alone. */
export function answerMessage(text: string, style: TemplateStyle): TemplateMessage {
  return { role: "assistant", content: style === "parts" ? [{ type: "text", text }] : text };
}

/** Each picture's mark repeated for every row of its features; undefined when marks and pictures are not equally many. */
export function expandMarks(prompt: string, mark: string, rows: readonly number[]): string | undefined {
  const pieces = prompt.split(mark);
  if (pieces.length !== rows.length + 1) return undefined;
  return pieces.map((piece, index) => piece + mark.repeat(rows[index] ?? 0)).join("");
}
