// The application's state and everything that may change it. No framework, no DOM: the page watches it and calls back.
import type { LoadedModel } from "#worker/api.ts";
import type { Conversation, Failure, Picture, Turn, UserTurn } from "./conversation.ts";
import { toMessages } from "./conversation.ts";
import { createCell, type Observable } from "./observable.ts";
import { advanceLoad, startOfLoad, type LoadProgress } from "./load-progress.ts";
import type { ModelClient } from "./model-client.ts";
import type { ChatPersistence } from "./persistence.ts";
import { queuedTurn, reduceTurn, runTurn, toFailure, type TurnEvent } from "./run-turn.ts";
import { toSampling, type Settings } from "./settings.ts";

export type ModelState =
  | { readonly phase: "loading"; readonly progress: LoadProgress }
  | { readonly phase: "ready"; readonly model: LoadedModel }
  | { readonly phase: "failed"; readonly failure: Failure };

export interface ChatState {
  readonly conversation: Conversation;
  readonly model: ModelState;
  readonly settings: Settings;
  /** False when the browser keeps nothing: the chat is gone after a reload. */
  readonly saved: boolean;
}

export interface ChatStore extends Observable<ChatState> {
  /** Brings back the last conversation; call once, before anything is sent. */
  restore(): Promise<void>;
  /** Loads the model, or starts it again after it failed; then answers what waits. Does nothing while it loads or is ready. */
  start(): Promise<void>;
  /** Adds a question; it is answered at once, or when the model is ready. Ignored while another answer is under way. */
  send(text: string, pictures: readonly Picture[]): void;
  /** Ends the answer under way, or takes a waiting one out of the queue. */
  stop(): void;
  /** Answers the last question anew. */
  retry(): void;
  newChat(): void;
  changeSettings(settings: Settings): void;
}

export interface ChatOptions {
  readonly client: ModelClient;
  readonly persistence: ChatPersistence;
  readonly settings: Settings;
  readonly newId: () => string;
  /** How often a growing answer is saved; default every second. */
  readonly saveEveryMs?: number;
}

/** These failures take the model with them: it has to be loaded again before anything else can be asked. */
const fatal = new Set<string>(["device-lost", "worker-dead", "out-of-memory"]);

/** True while an answer waits or runs. */
export function isBusy(conversation: Conversation): boolean {
  const last = conversation.turns.at(-1);
  return last?.role === "assistant" && (last.status === "queued" || last.status === "running");
}

/** The state of the page, with an empty conversation and a model that has not been started. */
export function createChatStore({ client, persistence, settings, newId, saveEveryMs = 1000 }: ChatOptions): ChatStore {
  const cell = createCell<ChatState>({
    conversation: { id: newId(), turns: [] },
    model: { phase: "loading", progress: startOfLoad },
    settings,
    saved: true,
  });
  let loading = false;
  let running: { readonly turnId: string; readonly abort: AbortController } | undefined;

  const setTurns = (turns: readonly Turn[]): void =>
    cell.update((state) => ({ ...state, conversation: { ...state.conversation, turns } }));

  const applyTo = (turnId: string, event: TurnEvent): void => {
    const { turns } = cell.get().conversation;
    // After New chat the answer belongs to nobody.
    if (!turns.some((turn) => turn.id === turnId)) return;
    setTurns(turns.map((turn) => (turn.id === turnId && turn.role === "assistant" ? reduceTurn(turn, event) : turn)));
    if (event.type !== "stage") save(event.type === "text");
  };

  let saveTimer: ReturnType<typeof setTimeout> | undefined;
  /** At once, or soon while words stream in. */
  const save = (streaming: boolean): void => {
    if (streaming) {
      saveTimer ??= setTimeout(() => save(false), saveEveryMs);
      return;
    }
    clearTimeout(saveTimer);
    saveTimer = undefined;
    persistence.save(cell.get().conversation).then(
      () => cell.update((state) => (state.saved ? state : { ...state, saved: true })),
      () => cell.update((state) => (state.saved ? { ...state, saved: false } : state)),
    );
  };

  /** Answers the waiting turn, if there is one and the model is free. */
  const answerNext = async (): Promise<void> => {
    const { conversation, model } = cell.get();
    const waiting = conversation.turns.at(-1);
    if (
      running !== undefined ||
      model.phase !== "ready" ||
      waiting?.role !== "assistant" ||
      waiting.status !== "queued"
    )
      return;
    const abort = new AbortController();
    running = { turnId: waiting.id, abort };
    applyTo(waiting.id, { type: "started", device: model.model.device });
    await runTurn(
      client,
      {
        messages: toMessages(conversation.turns.slice(0, -1)),
        sampling: toSampling(cell.get().settings),
        maxNewTokens: cell.get().settings.maxNewTokens,
        stop: [],
      },
      abort.signal,
      (event) => {
        applyTo(waiting.id, event);
        if (event.type === "failed" && fatal.has(event.failure.code))
          cell.update((state) => ({ ...state, model: { phase: "failed", failure: event.failure } }));
      },
    );
    running = undefined;
    // A question may have been asked in a new chat while the old answer was ending.
    await answerNext();
  };

  const enqueue = (turns: readonly Turn[]): void => {
    setTurns([...turns, queuedTurn(newId())]);
    save(false);
    void answerNext();
  };

  const start = async (): Promise<void> => {
    if (loading || cell.get().model.phase === "ready") return;
    loading = true;
    cell.update((state) => ({ ...state, model: { phase: "loading", progress: startOfLoad } }));
    try {
      const model = await client.load((event) =>
        cell.update((state) =>
          state.model.phase === "loading"
            ? { ...state, model: { phase: "loading", progress: advanceLoad(state.model.progress, event) } }
            : state,
        ),
      );
      cell.update((state) => ({ ...state, model: { phase: "ready", model } }));
    } catch (error) {
      cell.update((state) => ({ ...state, model: { phase: "failed", failure: toFailure(error) } }));
    } finally {
      loading = false;
    }
    void answerNext();
  };

  // Whoever runs or loads hears of a death through its own call; this is for the quiet times.
  client.onDied((error) => {
    if (running === undefined && !loading)
      cell.update((state) => ({ ...state, model: { phase: "failed", failure: toFailure(error) } }));
  });

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async restore() {
      try {
        const conversation = await persistence.load();
        if (conversation === undefined || cell.get().conversation.turns.length > 0) return;
        cell.update((state) => ({
          ...state,
          conversation: { ...conversation, turns: conversation.turns.map(settle) },
        }));
      } catch {
        cell.update((state) => ({ ...state, saved: false }));
      }
    },
    start,
    send(text, pictures) {
      const { conversation } = cell.get();
      if (isBusy(conversation) || (text.trim() === "" && pictures.length === 0)) return;
      const question: UserTurn = { role: "user", id: newId(), text: text.trim(), pictures };
      enqueue([...conversation.turns, question]);
    },
    stop() {
      const last = cell.get().conversation.turns.at(-1);
      if (running !== undefined && last?.id === running.turnId) running.abort.abort();
      else if (last?.role === "assistant") applyTo(last.id, { type: "stopped" });
    },
    retry() {
      const { conversation, model } = cell.get();
      const last = conversation.turns.at(-1);
      if (last?.role !== "assistant" || isBusy(conversation)) return;
      enqueue(conversation.turns.slice(0, -1));
      if (model.phase === "failed") void start();
    },
    newChat() {
      running?.abort.abort();
      cell.update((state) => ({ ...state, conversation: { id: newId(), turns: [] } }));
      save(false);
    },
    changeSettings: (next) => cell.update((state) => ({ ...state, settings: next })),
  };
}

/** A turn that ran when the page went is one that was stopped; one that waited still waits. */
function settle(turn: Turn): Turn {
  return turn.role === "assistant" && turn.status === "running" ? reduceTurn(turn, { type: "stopped" }) : turn;
}
