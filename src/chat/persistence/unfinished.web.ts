// What a page had asked of its database when it went. A transaction that has not ended then is undone, so the page notes what is left
// in localStorage, where a write is over when the call returns, under a key of its own; the next page does it and forgets the note.
import * as v from "valibot";
import type { Conversation } from "#chat/conversation/conversation.ts";

/** The state a conversation was to be saved in. */
export interface NotedSave {
  readonly op: "save";
  readonly id: string;
  /** The revision that was kept, as far as the page knew; none for a conversation that was new. */
  readonly before?: string | undefined;
  /** The revisions this page was writing, the last one's state noted: any of them may have got there after all. */
  readonly own: readonly string[];
  /** A StoredConversation. */
  readonly value: unknown;
}

/** Something to be done once more; doing it twice does no harm. */
export type Unfinished = NotedSave | { readonly op: "remove" | "restore" | "last"; readonly id: string };

export interface PendingSave {
  readonly op: "save";
  readonly conversation: Conversation;
  readonly revision: string;
}

/** What was asked for and has not ended. */
export type Pending = PendingSave | Exclude<Unfinished, NotedSave>;

/** Of several saves of one conversation the last says it all; `asNoted` is told the revisions of all of them. */
export function toNotes(
  steps: readonly Pending[],
  asNoted: (save: PendingSave, own: readonly string[]) => NotedSave,
): Unfinished[] {
  const saves = new Map<string, PendingSave[]>();
  for (const step of steps) {
    if (step.op === "save") saves.set(step.conversation.id, [...(saves.get(step.conversation.id) ?? []), step]);
  }
  return steps.flatMap((step): Unfinished[] => {
    if (step.op !== "save") return [step];
    const all = saves.get(step.conversation.id) ?? [];
    return step === all.at(-1)
      ? [
          asNoted(
            step,
            all.map(({ revision }) => revision),
          ),
        ]
      : [];
  });
}

const Noted = v.array(
  v.variant("op", [
    v.object({
      op: v.literal("save"),
      id: v.string(),
      before: v.optional(v.string()),
      own: v.array(v.string()),
      value: v.unknown(),
    }),
    v.object({ op: v.picklist(["remove", "restore", "last"]), id: v.string() }),
  ]),
);

export interface Notes {
  write(steps: readonly Unfinished[]): void;
  /** Forgets what this page wrote. */
  forget(): void;
  /** What other pages have written, each with a call that forgets it. */
  ofOthers(): { readonly steps: readonly Unfinished[]; readonly forget: () => void }[];
}

/** The notes of one page, whose name no other page has. Where the browser keeps nothing, there are none. */
export function createNotes(prefix: string, page: string): Notes {
  const own = `${prefix}:${page}`;
  const forget = (key: string): void => {
    try {
      localStorage.removeItem(key);
    } catch {
      // A browser that keeps nothing has nothing to forget.
    }
  };
  return {
    write(steps) {
      try {
        localStorage.setItem(own, JSON.stringify(steps));
      } catch {
        // Full, or not allowed: the page is going and nobody is left to be told.
      }
    },
    forget: () => forget(own),
    ofOthers() {
      try {
        const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
        return keys
          .filter((key) => key.startsWith(`${prefix}:`) && key !== own)
          .map((key) => ({ steps: parse(localStorage.getItem(key)), forget: () => forget(key) }));
      } catch {
        return [];
      }
    },
  };
}

/** Nothing, when it is none of ours. */
function parse(text: string | null): readonly Unfinished[] {
  try {
    const parsed = v.safeParse(Noted, JSON.parse(text ?? "[]"));
    return parsed.success ? parsed.output : [];
  } catch {
    return [];
  }
}
