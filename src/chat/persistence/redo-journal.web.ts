// A journal of the changes that a page had begun when it went. A transaction that has not ended by then is undone, so the page writes
// what is left into localStorage, where a write is over when the call returns. Each page has a key of its own; the next page repeats the
// changes and forgets the entry.
import * as v from "valibot";
import type { Conversation } from "#chat/conversation/conversation.ts";

/** A save of one conversation. */
export interface JournaledSave {
  readonly op: "save";
  readonly id: string;
  /** The revision that was stored, as far as the page knew; none for a new conversation. */
  readonly before?: string | undefined;
  /** The revisions that this page was writing, the last one among them: any of them may have been stored after all. */
  readonly own: readonly string[];
  /** A StoredConversation. */
  readonly value: unknown;
}

/** A change that can be repeated: doing it twice does no harm. */
export type JournalStep = JournaledSave | { readonly op: "remove" | "restore" | "last"; readonly id: string };

/** A save that was asked for and has not ended. */
export interface PendingSave {
  readonly op: "save";
  readonly conversation: Conversation;
  readonly revision: string;
}

export type PendingStep = PendingSave | Exclude<JournalStep, JournaledSave>;

/** Of several saves of one conversation only the last is journaled; `journal` gets the revisions of all of them. */
export function toJournal(
  steps: readonly PendingStep[],
  journal: (save: PendingSave, own: readonly string[]) => JournaledSave,
): JournalStep[] {
  const saves = new Map<string, PendingSave[]>();
  for (const step of steps) {
    if (step.op === "save") saves.set(step.conversation.id, [...(saves.get(step.conversation.id) ?? []), step]);
  }
  return steps.flatMap((step): JournalStep[] => {
    if (step.op !== "save") return [step];
    const all = saves.get(step.conversation.id) ?? [];
    const own = all.map(({ revision }) => revision);
    return step === all.at(-1) ? [journal(step, own)] : [];
  });
}

/** A step of the conversations' journal, as it was written. */
export const ConversationStep: v.GenericSchema<unknown, JournalStep> = v.variant("op", [
  v.object({
    op: v.literal("save"),
    id: v.string(),
    before: v.optional(v.string()),
    own: v.array(v.string()),
    value: v.unknown(),
  }),
  v.object({ op: v.picklist(["remove", "restore", "last"]), id: v.string() }),
]);

export interface RedoJournal<Step> {
  /** Replaces this page's entry. */
  write(steps: readonly Step[]): void;
  /** Forgets this page's entry. */
  clear(): void;
  /** The entries of other pages, each with a call that forgets it. */
  ofOtherPages(): { readonly steps: readonly Step[]; readonly forget: () => void }[];
}

/**
 * The journal as one page sees it; `page` is a name that no other page has, and `step` parses a step. Empty where the browser stores nothing.
 */
export function createRedoJournal<Step>(
  prefix: string,
  page: string,
  step: v.GenericSchema<unknown, Step>,
): RedoJournal<Step> {
  const steps = v.array(step);
  const own = `${prefix}:${page}`;
  const forget = (key: string): void => {
    try {
      localStorage.removeItem(key);
    } catch {
      // A browser that stores nothing has nothing to forget.
    }
  };
  return {
    write(begun) {
      try {
        localStorage.setItem(own, JSON.stringify(begun));
      } catch {
        // Full, or not allowed: the page is closing, so there is no way left to tell.
      }
    },
    clear: () => forget(own),
    ofOtherPages() {
      try {
        const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
        return keys
          .filter((key) => key.startsWith(`${prefix}:`) && key !== own)
          .map((key) => ({ steps: parse(steps, localStorage.getItem(key)), forget: () => forget(key) }));
      } catch {
        return [];
      }
    },
  };
}

/** No steps where it is not a journal of ours. */
function parse<Steps>(schema: v.GenericSchema<unknown, Steps[]>, text: string | null): readonly Steps[] {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text ?? "[]"));
    return parsed.success ? parsed.output : [];
  } catch {
    return [];
  }
}
