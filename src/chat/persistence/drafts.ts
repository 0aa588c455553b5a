// Questions that are not sent yet, as the page reads and writes them. Knows no storage.
import type { Picture } from "#chat/conversation/conversation.ts";

interface KeptDraft {
  readonly text: string;
  /** Undefined while the stored ones are still being read: then these stay as they are. */
  readonly pictures: readonly Picture[] | undefined;
}

/** One draft per conversation, by its id. */
export interface Drafts {
  /** Returns at once; "" for none. */
  text(id: string): string;
  pictures(id: string): Promise<readonly Picture[]>;
  write(id: string, draft: KeptDraft): void;
}

/** The id of the draft of a chat in which nothing has been asked yet. */
export const newChatDraft = "new";
