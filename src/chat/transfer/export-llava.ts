// Conversations as LLaVA's training data. Pure.
import type { Message } from "#engine/types.ts";
import { withoutMarks } from "#samples/read-sample.ts";
import { toMessages, type Conversation } from "#chat/conversation/conversation.ts";

/** One sample of LLaVA's training data; several pictures make `image` a list, as LLaVA-NeXT reads it. */
export interface LlavaSample {
  readonly id: string;
  readonly image?: string | readonly string[];
  readonly conversations: readonly { readonly from: "human" | "gpt"; readonly value: string }[];
}

/** The shown turns that were answered; undefined where none was. */
export function toLlavaSample(conversation: Conversation, fileOf: ReadonlyMap<Blob, string>): LlavaSample | undefined {
  const messages = toMessages(conversation.turns);
  // A question without an answer teaches nothing.
  const answered = messages.at(-1)?.role === "user" ? messages.slice(0, -1) : messages;
  if (answered.length === 0) return undefined;
  const images = answered.flatMap(imagesOf).map((blob) => fileOf.get(blob) ?? "");
  const [first] = images;
  return {
    id: conversation.id,
    ...(first === undefined ? {} : { image: images.length === 1 ? first : images }),
    conversations: answered.map((message) => ({
      from: message.role === "user" ? "human" : "gpt",
      // A mark that was typed as text must not be read as a picture's.
      value: "<image>\n".repeat(imagesOf(message).length) + withoutMarks(textOf(message)),
    })),
  };
}

export const textOf = (message: Message): string =>
  message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
export const imagesOf = (message: Message): Blob[] =>
  message.parts.flatMap((part) => (part.type === "image" ? part.blob : []));
