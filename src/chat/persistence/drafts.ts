// What the page asks of a place that keeps questions which are not sent yet. Knows no storage.
import type { Picture } from "#chat/conversation/conversation.ts";

export interface KeptDraft {
  readonly text: string;
  /** Undefined while those that are kept are still being read: they stay as they are. */
  readonly pictures: readonly Picture[] | undefined;
}

/** One draft per conversation, by its id. */
export interface Drafts {
  /** The words at once; "" for none. */
  text(id: string): string;
  pictures(id: string): Promise<readonly Picture[]>;
  write(id: string, draft: KeptDraft): void;
}

/** Stands for the id of a chat in which nothing was asked yet. */
export const newChatDraft = "new";
