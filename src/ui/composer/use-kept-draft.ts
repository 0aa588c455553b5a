// Keeps a draft for every conversation, across visits. Switching conversations saves one draft and loads the other.
import { useLayoutEffect, useRef } from "preact/hooks";
import { newChatDraft, type Drafts } from "#chat/persistence/drafts.ts";
import type { Draft } from "./use-draft.ts";

interface Shown {
  readonly id: string;
  /** No question has been asked in it yet. */
  readonly isNew: boolean;
}

/** Keeps the draft of the conversation that is shown; undefined while that is not known yet. */
export function useKeptDraft(draft: Draft, drafts: Drafts, shown: Shown | undefined): void {
  const last = useRef<Shown | undefined>(undefined);
  const { text } = draft;
  const pictures = draft.coming ? undefined : draft.pictures;
  const id = shown?.id;
  const isNew = shown?.isNew;
  const held = pictures?.map((picture) => picture.id).join(" ");
  // A layout effect, not one after the next paint: a picture dropped right after a click on New chat belongs to the new chat.
  useLayoutEffect(() => {
    if (id === undefined || isNew === undefined) return;
    const before = last.current;
    const keyOf = (one: Shown): string => (one.isNew ? newChatDraft : one.id);
    const now = { id, isNew };
    const key = keyOf(now);
    last.current = now;
    const isSame = before !== undefined && keyOf(before) === key;
    // A new chat takes over the unsent draft.
    const begins = before?.isNew === true && before.id === id;
    // Text that was typed before the conversation was loaded stays.
    const isFirst = before === undefined;
    const isEarly = isFirst && (text !== "" || draft.given.length > 0);
    if (before !== undefined && !isSame)
      drafts.write(keyOf(before), begins ? { text: "", pictures: [] } : { text, pictures });
    if (isSame || begins || isEarly) drafts.write(key, { text, pictures });
    // A picture that was added just now may not have been rendered yet.
    else draft.start(drafts.text(key), drafts.pictures(key), isFirst);
  }, [id, isNew, text, held]);
}
