// Conversations kept in memory, with the promises of ChatPersistence (persistence-contract.ts holds it and the browser's to them).
// Knows no test runner.
import { joinConversations } from "#chat/conversation/join.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import { inListOrder, summarize, type ChatPersistence, type Saved } from "#chat/persistence/persistence.ts";

interface Entry {
  readonly conversation: Conversation;
  readonly revision: number;
}

/** What several tabs share: conversations with their revisions, as a database keeps them. */
export class SharedPlace {
  readonly kept = new Map<string, Entry>();
  readonly removed = new Map<string, Entry & { readonly removedAt: number }>();
  readonly listeners = new Map<MemoryPersistence, Set<(id: string) => void>>();
  last: string | undefined;
  revisions = 0;
}

const undoMs = 60_000;

/** One tab's view of a place in memory. */
export class MemoryPersistence implements ChatPersistence {
  readonly place: SharedPlace;
  /** The revision of each conversation that this tab has opened or saved. */
  readonly known = new Map<string, number>();
  /** What saves say about pictures that found no room. */
  unsavedPictures = 0;
  constructor(place = new SharedPlace()) {
    this.place = place;
  }
  list = () =>
    Promise.resolve(inListOrder([...this.place.kept.values()].map(({ conversation }) => summarize(conversation))));
  load = () => (this.place.last === undefined ? Promise.resolve(undefined) : this.open(this.place.last));
  open = (id: string): Promise<Conversation | undefined> => {
    const there = this.place.kept.get(id);
    if (there !== undefined) this.known.set(id, there.revision);
    return Promise.resolve(there?.conversation);
  };
  setLast = (id: string | undefined): Promise<void> => {
    this.place.last = id;
    return Promise.resolve();
  };
  save = (conversation: Conversation): Promise<Saved | "deleted"> => {
    const there = this.place.kept.get(conversation.id);
    const known = this.known.get(conversation.id);
    if (there === undefined && known !== undefined) return Promise.resolve("deleted");
    const isOurs = there === undefined || there.revision === known;
    return this.put(isOurs ? conversation : joinConversations(conversation, there.conversation));
  };
  merge = (conversation: Conversation): Promise<Saved> => {
    const there = this.place.kept.get(conversation.id)?.conversation;
    return this.put(there === undefined ? conversation : joinConversations(there, conversation));
  };
  private put(joined: Conversation): Promise<Saved> {
    const revision = ++this.place.revisions;
    this.place.kept.set(joined.id, { conversation: joined, revision });
    this.known.set(joined.id, revision);
    this.tell(joined.id);
    return Promise.resolve({ conversation: joined, unsavedPictures: this.unsavedPictures });
  }
  remove = (id: string): Promise<void> => {
    const there = this.place.kept.get(id);
    if (there !== undefined) this.place.removed.set(id, { ...there, removedAt: Date.now() });
    this.place.kept.delete(id);
    this.tell(id);
    return Promise.resolve();
  };
  restore = (id: string): Promise<void> => {
    const { kept, removed } = this.place;
    const [there, back] = [kept.get(id), removed.get(id)];
    removed.delete(id);
    if (back !== undefined && there === undefined) kept.set(id, back);
    if (back !== undefined && there !== undefined) {
      const conversation = joinConversations(there.conversation, back.conversation);
      kept.set(id, { conversation, revision: ++this.place.revisions });
    }
    this.tell(id);
    return Promise.resolve();
  };
  purge = (): Promise<void> => {
    const { removed } = this.place;
    for (const [id, { removedAt }] of removed) if (Date.now() - removedAt >= undoMs) removed.delete(id);
    return Promise.resolve();
  };
  /** Every call is over when it returns. */
  noteUnfinished = (): void => undefined;
  onChange = (listener: (id: string) => void): (() => void) => {
    const mine = this.place.listeners.get(this) ?? new Set();
    this.place.listeners.set(this, mine.add(listener));
    return () => mine.delete(listener);
  };
  private tell(id: string): void {
    for (const [tab, listeners] of this.place.listeners)
      if (tab !== this) for (const listener of listeners) listener(id);
  }
}
