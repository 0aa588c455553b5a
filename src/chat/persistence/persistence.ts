// What the chat asks of a place that keeps conversations, and the list of them. Knows no database: persistence.web.ts is the browser's,
// testing/chat/memory-persistence.ts one in memory; testing/chat/persistence-contract.ts holds both to the promises below.
import { titleOf, type Conversation, type Turn } from "#chat/conversation/conversation.ts";

/** One line of the list of conversations. */
export interface ConversationSummary {
  readonly id: string;
  /** "" when nothing names it. */
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
  /** All that was said, in lower case, for searching. */
  readonly words: string;
}

/** What is stored after a save. */
export interface Saved {
  readonly conversation: Conversation;
  /** How many pictures found no room; later saves try them again. */
  readonly unsavedPictures: number;
}

export interface ChatPersistence {
  /** All conversations, newest first; rejects when the place can't be read. */
  list(): Promise<readonly ConversationSummary[]>;
  /** The conversation that was shown last, or undefined; rejects when the place can't be read. */
  load(): Promise<Conversation | undefined>;
  /** One conversation with its pictures; undefined when it is not there. */
  open(id: string): Promise<Conversation | undefined>;
  /** Sets which conversation `load` gives next time; undefined is none. */
  setLast(id: string | undefined): Promise<void>;
  /**
   * Saves in the order of the calls; rejects when not even the text can be written. Where another tab has saved the same conversation
   * since it was opened here, the result is both joined (see joinConversations). "deleted" where another tab has deleted it: then nothing
   * is written.
   */
  save(conversation: Conversation): Promise<Saved | "deleted">;
  /** Joins it into what is stored under its id, whether or not that was deleted; the stored one's path stays the shown one. */
  merge(conversation: Conversation): Promise<Saved>;
  /** Hides it. Until `purge`, `restore` brings it back, joined with what has been saved under its id meanwhile. */
  remove(id: string): Promise<void>;
  restore(id: string): Promise<void>;
  /** Forgets for good what was removed more than a minute ago, and pictures that nothing shows any more. */
  purge(): Promise<void>;
  /**
   * To be called when the page goes: notes the calls that have not ended where writing takes no time. The next page repeats them before
   * anything else; a picture's bytes can't be noted.
   */
  noteUnfinished(): void;
  /** Calls back with the id when another tab has saved or removed a conversation; returns how to stop listening. */
  onChange(listener: (id: string) => void): () => void;
}

/** The conversation's line in the list. */
export function summarize(
  conversation: Pick<Conversation, "id" | "title" | "updatedAt"> & { readonly turns: readonly Turn[] },
): ConversationSummary {
  const title = titleOf(conversation);
  const words = [title, ...conversation.turns.map((turn) => turn.text)].join("\n").toLowerCase();
  return { id: conversation.id, title, updatedAt: conversation.updatedAt ?? 0, words };
}

/** Whether a write failed for want of room. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}

/** Newest first. */
export function inListOrder(summaries: readonly ConversationSummary[]): ConversationSummary[] {
  return [...summaries].sort((a, b) => b.updatedAt - a.updatedAt || a.id.localeCompare(b.id));
}
