// Puts imported conversations beside those that are kept, and collects what is kept for an export. Overwrites nothing.
import { joinConversations } from "./conversation-branches.ts";
import type { Conversation } from "./conversation.ts";
import type { ChatPersistence } from "./persistence.ts";

/** Saves them one by one; one that is here already keeps what it has and gets what only the file has. Rejects when it can't save. */
export async function keepImported(
  persistence: Pick<ChatPersistence, "open" | "save">,
  conversations: readonly Conversation[],
): Promise<void> {
  for (const conversation of conversations) {
    const here = await persistence.open(conversation.id);
    await persistence.save(here === undefined ? conversation : joinConversations(here, conversation));
  }
}

/** All that are kept, newest first, with the shown one as it is now. */
export async function collectKept(
  persistence: Pick<ChatPersistence, "open" | "list">,
  shown: Conversation,
): Promise<Conversation[]> {
  const all: Conversation[] = [];
  for (const { id } of await persistence.list()) {
    const conversation = id === shown.id ? shown : await persistence.open(id);
    if (conversation !== undefined && conversation.turns.length > 0) all.push(conversation);
  }
  const isListed = all.some(({ id }) => id === shown.id);
  return isListed || shown.turns.length === 0 ? all : [shown, ...all];
}
