// What a conversation is made of, and how it becomes the messages a model reads. Pure data, no model, no page.
import type { Device, FinishReason, Message, Part, Stage, Timings, Usage } from "#engine/types.ts";
import type { ErrorCode } from "#engine/errors.ts";
import type { RemoteErrorCode } from "#remote/http/errors.ts";

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
  /** Milliseconds since 1970; orders the alternatives at one place. Absent in what older versions kept. */
  readonly at?: number;
}

/** A reader's opinions of an answer, as in LLaVA's demo; a flag can stand beside either thumb. */
export const opinions = ["up", "down", "flag"] as const;
export type Opinion = (typeof opinions)[number];

export type AnswerStatus = "queued" | "running" | "done" | "stopped" | "failed";

export type FailureCode = ErrorCode | RemoteErrorCode;

/** Why an answer failed: the code selects the sentence, the detail is for developers. */
export interface Failure {
  readonly code: FailureCode;
  readonly detail: string;
  /** What a server itself said. */
  readonly said?: string;
}

/** Where an answer is computed: on a device of this machine, or on a server. */
export type AnswerDevice = Device | "remote";

/** The model that gives an answer; with the `host` that everything was sent to, where that is another machine's. */
export interface Answerer {
  readonly id: string;
  readonly name: string;
  readonly host?: string;
}

export interface AssistantTurn {
  readonly role: "assistant";
  readonly id: string;
  readonly text: string;
  readonly status: AnswerStatus;
  /** What the model is busy with, while the answer runs. */
  readonly stage?: { readonly stage: Stage; readonly done: number; readonly total: number } | undefined;
  readonly device?: AnswerDevice;
  readonly model?: Answerer;
  readonly reason?: FinishReason;
  /** A server's own word for why it ended, where that is none of the reasons; "" when it ended without one. */
  readonly ending?: string;
  /** How long its server has said nothing, while it runs. */
  readonly silentMs?: number | undefined;
  readonly usage?: Usage;
  readonly timings?: Timings;
  /** Among the pictures that the model saw is what its vision encoder takes for a photograph. */
  readonly sawPhotograph?: true;
  readonly failure?: Failure;
  readonly opinion?: Exclude<Opinion, "flag"> | undefined;
  readonly flagged?: boolean | undefined;
  /** As in a question. */
  readonly at?: number;
}

export type Turn = UserTurn | AssistantTurn;

/** An alternative continuation: turns that were paged away from, and that follow the turn with the id `after` ("" is the beginning). */
export interface Branch {
  readonly after: string;
  /** Never empty. */
  readonly turns: readonly Turn[];
}

/** Turns in reading order; an assistant turn always follows the user turn it answers. */
export interface Conversation {
  readonly id: string;
  /** What is shown and what the model reads. */
  readonly turns: readonly Turn[];
  /** The alternatives to parts of `turns`: earlier wordings and other answers. */
  readonly branches?: readonly Branch[];
  /** The name a user gave it; absent, it is called by its first question. */
  readonly title?: string | undefined;
  /** Id of the first turn the model still reads; absent, it reads all. */
  readonly memoryStart?: string | undefined;
  /** When something was last asked, in milliseconds since 1970. */
  readonly updatedAt?: number;
}

/** True while an answer waits or runs. */
export function isBusy(conversation: Conversation): boolean {
  const last = conversation.turns.at(-1);
  return last?.role === "assistant" && (last.status === "queued" || last.status === "running");
}

/** The turns the model still reads. */
export function turnsInMemory({ turns, memoryStart }: Pick<Conversation, "turns" | "memoryStart">): readonly Turn[] {
  const start = turns.findIndex((turn) => turn.id === memoryStart);
  return start < 0 ? turns : turns.slice(start);
}

/** The pictures of forgotten turns that the model goes on seeing: the last ones, if the turns that it still reads have none. */
export function picturesCarriedOver(conversation: Pick<Conversation, "turns" | "memoryStart">): readonly Picture[] {
  const read = turnsInMemory(conversation);
  const forgotten = conversation.turns.slice(0, conversation.turns.length - read.length);
  const holdsPictures = (turn: Turn): boolean => turn.role === "user" && turn.pictures.length > 0;
  if (read.some(holdsPictures)) return [];
  const last = forgotten.findLast(holdsPictures);
  return last?.role === "user" ? last.pictures : [];
}

/** The pictures of the turns, each once; a picture's number is its place here. */
export function picturesIn(turns: readonly Turn[]): readonly Picture[] {
  const all = turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : []));
  return [...new Map(all.map((picture) => [picture.id, picture])).values()];
}

/** What a conversation is called: its given name, or the first words asked in it; "" while it is empty. */
export function titleOf(conversation: Pick<Conversation, "title" | "turns">): string {
  if (conversation.title !== undefined && conversation.title !== "") return conversation.title;
  const questions = conversation.turns.filter((turn) => turn.role === "user");
  const words = questions.find((turn) => turn.text !== "")?.text ?? questions[0]?.pictures[0]?.name ?? "";
  const line = words.replace(/\s+/g, " ").trim();
  return line.length <= longestTitle ? line : `${line.slice(0, longestTitle - 1).trimEnd()}…`;
}
const longestTitle = 80;

/**
 * The messages for the answer that comes next, or for the last answer to go on. A question that got no answer is left out, but
 * its pictures move to the next question: who stopped an answer or saw it fail still means the same picture.
 */
export function toMessages(turns: readonly Turn[], carriedOver: readonly Picture[] = []): Message[] {
  const messages: Message[] = [];
  let pictures = carriedOver;
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

/**
 * Tokens per second of the decode loop; the first token belongs to the prefill, so an answer of one token has the pace of that.
 * Undefined when there is nothing to divide.
 */
export function tokensPerSecond(turn: AssistantTurn): number | undefined {
  const { usage, timings } = turn;
  if (usage === undefined || timings === undefined || usage.newTokens < 1) return undefined;
  const [tokens, ms] =
    usage.newTokens === 1 ? [1, timings.prefillMs + timings.decodeMs] : [usage.newTokens - 1, timings.decodeMs];
  return ms > 0 ? (tokens / ms) * 1000 : undefined;
}
