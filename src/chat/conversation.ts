// What a conversation is made of, and how it becomes the messages a model reads. Pure data, no model, no page.
import type { Device, FinishReason, Message, Part, Stage, Timings, Usage } from "#engine/types.ts";
import type { ErrorCode } from "#engine/errors.ts";

/** A picture in a turn; `blob` is a copy held by the page, so it stays readable when the file on disk changes. */
export interface Picture {
  readonly id: string;
  readonly name: string;
  readonly blob: Blob;
}

export interface UserTurn {
  readonly role: "user";
  readonly id: string;
  readonly text: string;
  readonly pictures: readonly Picture[];
}

export type AnswerStatus = "queued" | "running" | "done" | "stopped" | "failed";

/** Why an answer failed: the code selects the sentence, the detail is for developers. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface AssistantTurn {
  readonly role: "assistant";
  readonly id: string;
  readonly text: string;
  readonly status: AnswerStatus;
  /** What the model is busy with, while the answer runs. */
  readonly stage?: { readonly stage: Stage; readonly done: number; readonly total: number } | undefined;
  readonly device?: Device;
  readonly reason?: FinishReason;
  readonly usage?: Usage;
  readonly timings?: Timings;
  readonly failure?: Failure;
}

export type Turn = UserTurn | AssistantTurn;

/** Turns in reading order; an assistant turn always follows the user turn it answers. */
export interface Conversation {
  readonly id: string;
  readonly turns: readonly Turn[];
}

/**
 * The messages for the answer that comes next. A question that got no answer is left out, but its pictures move to the next
 * question: who stopped an answer or saw it fail still means the same picture.
 */
export function toMessages(turns: readonly Turn[]): Message[] {
  const messages: Message[] = [];
  let pictures: readonly Picture[] = [];
  let question: UserTurn | undefined;
  const toUserMessage = (turn: UserTurn, all: readonly Picture[]): Message => ({
    role: "user",
    parts: [
      ...all.map((picture): Part => ({ type: "image", blob: picture.blob })),
      ...(turn.text === "" ? [] : [{ type: "text", text: turn.text } satisfies Part]),
    ],
  });
  for (const turn of turns) {
    if (turn.role === "user") {
      question = turn;
      pictures = [...pictures, ...turn.pictures];
    } else if (question !== undefined && turn.text !== "") {
      messages.push(toUserMessage(question, pictures), {
        role: "assistant",
        parts: [{ type: "text", text: turn.text }],
      });
      question = undefined;
      pictures = [];
    }
  }
  const last = turns.at(-1);
  if (last?.role === "user") messages.push(toUserMessage(last, pictures));
  return messages;
}

/** Tokens per second of the decode loop; the first token belongs to the prefill. Undefined when there is nothing to divide. */
export function tokensPerSecond(turn: AssistantTurn): number | undefined {
  const { usage, timings } = turn;
  if (usage === undefined || timings === undefined || usage.newTokens < 2 || timings.decodeMs <= 0) return undefined;
  return ((usage.newTokens - 1) / timings.decodeMs) * 1000;
}
