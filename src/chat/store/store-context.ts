// What the functions of this folder work on: the state that the page shows, and the state of the work under way. Every function takes
// it as its first argument; nothing is hidden in closures.
import { isBusy, type Conversation, type UserTurn } from "#chat/conversation/conversation.ts";
import type { ModelClient, ReadyModel } from "#chat/models/model-client.ts";
import { startOfLoad } from "#chat/models/load-progress.ts";
import { createCell, type Cell } from "#chat/observable.ts";
import type { ChatPersistence } from "#chat/persistence/persistence.ts";
import type { Settings } from "#chat/settings.ts";
import type { ChatState } from "./chat-state.ts";

/** A question that is being put together. */
export type QuestionDraft = Pick<UserTurn, "text" | "pictures">;

export interface ChatOptions {
  readonly client: ModelClient;
  readonly persistence: ChatPersistence;
  readonly settings: Settings;
  readonly newId: () => string;
  /** How often a growing answer is saved; default every second. */
  readonly saveEveryMs?: number;
  /** How long a question has to stay the same before its answer is prepared; default 200. */
  readonly prepareAfterMs?: number;
}

/** The answer that a model is generating. */
interface RunningAnswer {
  readonly turnId: string;
  readonly client: ModelClient;
  readonly abort: AbortController;
}

/** A load under way; `again` means that it starts over once it has been aborted. */
export interface LoadUnderWay {
  readonly abort: AbortController;
  again: boolean;
}

/** An answer that should differ from the ones before it. */
export interface Variation {
  /** The texts it should not repeat. */
  readonly unlike: ReadonlySet<string>;
  /** How many attempts repeated one of them. */
  readonly tries: number;
}

type Timer = ReturnType<typeof setTimeout>;

export interface StoreContext {
  readonly cell: Cell<ChatState>;
  readonly persistence: ChatPersistence;
  readonly newId: () => string;
  /** Milliseconds since 1970, never the same twice: it orders alternatives. */
  readonly now: () => number;
  readonly saveEveryMs: number;
  readonly prepareAfterMs: number;

  // Models (loading.ts)
  /** The chosen model's. */
  client: ModelClient;
  readonly loads: Map<ModelClient, LoadUnderWay>;
  /** Loaded models: switching back to one of them takes no time. */
  readonly loaded: Map<ModelClient, ReadyModel>;
  /** Clients that are listened to, so that none is twice. */
  readonly watched: Set<ModelClient>;

  // Answers (answering.ts)
  running: RunningAnswer | undefined;
  /** By the ids of the answers. */
  readonly variations: Map<string, Variation>;

  // Saving (saving.ts)
  /** Set while an answer grows and a save of it is due. */
  saveTimer: Timer | undefined;
  /** The last state of the shown conversation that is known to be stored. */
  lastSaved: Conversation | undefined;

  // History (history.ts, undo.ts)
  /** Brings back what was deleted last. */
  undo: (() => Promise<void>) | undefined;
  /** Goes up whenever another conversation is asked for or shown: a slower answer to an earlier request is then dropped. */
  visit: number;

  // Preparing (preparing.ts)
  draft: QuestionDraft | undefined;
  preparation: { readonly timer: Timer; readonly abort: AbortController } | undefined;
}

/** An empty conversation, and a model that has not been started. */
export function createContext(options: ChatOptions): StoreContext {
  const { client, persistence, settings, newId, saveEveryMs = 1000, prepareAfterMs = 200 } = options;
  let lastTime = 0;
  return {
    cell: createCell<ChatState>({
      conversation: { id: newId(), turns: [] },
      conversations: [],
      restored: false,
      model: { phase: "loading", progress: startOfLoad },
      settings,
      photographs: [],
    }),
    persistence,
    newId,
    now: () => (lastTime = Math.max(lastTime + 1, Date.now())),
    saveEveryMs,
    prepareAfterMs,
    client,
    loads: new Map(),
    loaded: new Map(),
    watched: new Set(),
    running: undefined,
    variations: new Map(),
    saveTimer: undefined,
    lastSaved: undefined,
    undo: undefined,
    visit: 0,
    draft: undefined,
    preparation: undefined,
  };
}

/** Shows another state of the shown conversation. */
export function setConversation({ cell }: StoreContext, conversation: Conversation): void {
  cell.update((state) => ({ ...state, conversation }));
}

/** The shown conversation; undefined while an answer waits or runs in it, because then it must not be changed. */
export function idleConversation({ cell }: StoreContext): Conversation | undefined {
  const { conversation } = cell.get();
  return isBusy(conversation) ? undefined : conversation;
}
