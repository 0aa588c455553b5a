// The application's state and everything that may change it. No framework, no DOM: the page watches it and calls back.
// What keeps the list of conversations is store-history.ts; this is the conversation that is shown, and the model.
import { forgetOldest } from "#chat/conversation/budget.ts";
import {
  allTurns,
  branchFrom,
  changeTurn,
  mapTurns,
  removePair,
  showAlternative,
  versionsOf,
} from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import { createAhead } from "#chat/ahead.ts";
import type {
  AssistantTurn,
  Conversation,
  Failure,
  Opinion,
  Picture,
  Turn,
  UserTurn,
} from "#chat/conversation/conversation.ts";
import { isBusy, picturesCarriedOver, toMessages, turnsInMemory } from "#chat/conversation/conversation.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import { advanceLoad, startOfLoad } from "#chat/models/load-progress.ts";
import type { ModelClient, ReadyModel } from "#chat/models/model-client.ts";
import { MadeRoomError } from "#chat/models/memory.ts";
import { fatalCodes } from "#chat/models/loaded.ts";
import { inListOrder, summarize, type ChatPersistence } from "#chat/persistence/persistence.ts";
import {
  canContinue,
  continuedTurn,
  queuedTurn,
  reduceTurn,
  runTurn,
  toFailure,
  type TurnEvent,
} from "#chat/run-turn.ts";
import { mostVariations, toRequest, variedSettings, type Settings } from "#chat/settings.ts";
import type { ChatState } from "./chat-state.ts";
import { createHistory, type History } from "./history.ts";

export interface ChatStore extends Observable<ChatState>, History {
  /** Loads the model, or starts it again after it failed; then answers what waits. Does nothing while it loads or is ready. */
  start(): Promise<void>;
  /** Ends the loading; what has been fetched is kept. `again`: goes on with it at once, over a new connection. */
  stopLoading(again: boolean): void;
  /** Lets another model go on with the conversation; an answer under way is finished by the one that began it. */
  switchModel(client: ModelClient): Promise<void>;
  /** Adds a question; it is answered at once, or when the model is ready. Ignored while another answer is under way. */
  send(text: string, pictures: readonly Picture[], options?: SendOptions): void;
  /** Ends the answer under way, or takes a waiting one out of the queue. */
  stop(): void;
  /** Answers the last question anew. */
  retry(): void;
  /**
   * Answers a question anew. Where the same model is asked the same, it samples, so that it says something else; the answer that was
   * there, and what followed, can be paged back to.
   */
  regenerate(answerId: string): void;
  /** Lets the last answer go on where it was cut off. */
  continueAnswer(): void;
  /** Asks a question again in other words or with other pictures; the old one can be paged back to. */
  edit(questionId: string, text: string, pictures: readonly Picture[]): void;
  /** Keeps what the reader thinks of an answer; the same once more takes it back. A flag and a thumb go together. */
  judge(answerId: string, opinion: Opinion): void;
  /** Takes an answer that another model gave elsewhere into the conversation: beside that to its last question, or with a question of its own. */
  adopt(
    answer: AssistantTurn,
    question: { readonly text: string; readonly pictures: readonly Picture[] } | undefined,
  ): void;
  /** Pages to the alternative before or after the turn. */
  page(turnId: string, step: -1 | 1): void;
  /** Takes a question and its answer out; `undo` brings them back. */
  removeTurns(questionId: string): void;
  /** Leaves the oldest turns out of what the model reads, and answers the last question anew. */
  forgetAndRetry(): void;
  changeSettings(settings: Settings): void;
  /** The page goes: what is not kept yet, the latest words of an answer among it, is noted for the next page. */
  noteUnfinished(): void;
  /**
   * What is about to be asked; undefined when nothing is. Soon after its last change a model of this device computes ahead what the answer
   * will begin with; nothing is sent to a server.
   */
  prepare(draft: QuestionDraft | undefined): void;
}

/** A question that is being put together. */
export type QuestionDraft = Pick<UserTurn, "text" | "pictures">;

export interface SendOptions {
  /** Leave the oldest turns out of what the model reads. */
  readonly forgetOldest?: boolean;
}

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

/** An answer that is to be another: what it is not to say again, and how often that was tried. */
interface Variation {
  readonly unlike: ReadonlySet<string>;
  readonly tries: number;
}

/** The state of the page, with an empty conversation and a model that has not been started. */
export function createChatStore({
  persistence,
  settings,
  newId,
  saveEveryMs = 1000,
  prepareAfterMs = 200,
  ...options
}: ChatOptions): ChatStore {
  const cell = createCell<ChatState>({
    conversation: { id: newId(), turns: [] },
    conversations: [],
    restored: false,
    model: { phase: "loading", progress: startOfLoad },
    settings,
  });
  let client = options.client;
  const loading = new Map<ModelClient, { readonly abort: AbortController; again: boolean }>();
  /** Switching back to one of these takes no time. */
  const ready = new Map<ModelClient, ReadyModel>();
  let running: { readonly turnId: string; readonly client: ModelClient; readonly abort: AbortController } | undefined;
  /** Answers, by their ids, that are to be others than those before them, and how often that was tried. */
  const variations = new Map<string, Variation>();
  let lastTime = 0;
  /** Never the same twice: it orders alternatives. */
  const now = (): number => (lastTime = Math.max(lastTime + 1, Date.now()));

  const change = (conversation: Conversation): void => cell.update((state) => ({ ...state, conversation }));

  const applyTo = (turnId: string, event: TurnEvent): void => {
    const { conversation } = cell.get();
    // Where another conversation is shown by now, the answer belongs to nobody.
    if (!conversation.turns.some((turn) => turn.id === turnId)) return;
    change(changeTurn(conversation, turnId, (turn) => reduceTurn(turn, event)));
    if (event.type !== "stage" && event.type !== "waiting") save(event.type === "text");
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
    const { conversation } = cell.get();
    if (conversation.turns.length === 0 || cell.get().deletedElsewhere === true) return;
    const summary = summarize(conversation);
    cell.update((state) => ({
      ...state,
      conversations: inListOrder([summary, ...state.conversations.filter(({ id }) => id !== conversation.id)]),
    }));
    persistence.save(conversation).then(
      (result) => {
        const shown = cell.get().conversation;
        if (result === "deleted") return history.lost(conversation.id);
        history.noteKept(result);
        const kept = result.conversation;
        if (kept === conversation || shown.id !== kept.id) return;
        const grown = allTurns(kept).length > allTurns(conversation).length;
        cell.update((state) => ({
          ...state,
          conversation: joinConversations(shown, kept),
          joined: grown || state.joined === true,
        }));
      },
      (error: unknown) => history.noteUnkept(error),
    );
  };

  const ahead = createAhead(prepareAfterMs);
  let draft: QuestionDraft | undefined;
  const prepareDraft = (): void => {
    const drafted = draft;
    ahead.plan(
      drafted &&
        (async (signal) => {
          const { conversation, model, settings: chosen } = cell.get();
          const here = model.phase === "ready" && model.model.host === undefined && model.model.device !== "remote";
          if (!here || running !== undefined || isBusy(conversation)) return;
          const question: UserTurn = { role: "user", id: "", text: drafted.text.trim(), pictures: drafted.pictures };
          const messages = toMessages([...turnsInMemory(conversation), question], picturesCarriedOver(conversation));
          await client.prepare?.(toRequest(chosen, messages), signal);
        }),
    );
  };

  let planned: readonly unknown[] = [];
  cell.subscribe(({ conversation: { turns, memoryStart }, settings: chosen, model }) => {
    const now = [turns, memoryStart, chosen, model.phase === "ready" ? model.model : undefined];
    if (now.every((part, i) => part === planned[i])) return;
    planned = now;
    prepareDraft();
  });

  /** Whether the answer says only what stood there before, and another try may say something else. */
  const repeats = (turnId: string, variation: Variation | undefined): boolean => {
    if (variation === undefined) return false;
    const { unlike, tries } = variation;
    const last = cell.get().conversation.turns.at(-1);
    return last?.id === turnId && tries + 1 < mostVariations && unlike.has(last.text.trim());
  };
  const askOnceMore = (turnId: string, { unlike, tries }: Variation): void => {
    const { conversation } = cell.get();
    if (conversation.turns.at(-1)?.id !== turnId) return;
    const again = queuedTurn(newId(), now());
    variations.set(again.id, { unlike, tries: tries + 1 });
    change({ ...conversation, turns: [...conversation.turns.slice(0, -1), again] });
    save(false);
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
    running = { turnId: waiting.id, client, abort };
    const answering = client;
    const { device, id, name, host } = model.model;
    applyTo(waiting.id, {
      type: "started",
      device,
      model: { id, name, ...(host === undefined ? {} : { host }) },
    });
    const read = turnsInMemory(conversation);
    const variation = variations.get(waiting.id);
    const chosen = cell.get().settings;
    const outcome = { repeated: false };
    await runTurn(
      answering,
      toRequest(
        variation === undefined ? chosen : variedSettings(chosen, variation.tries),
        // An answer that has words already is to go on.
        toMessages(waiting.text === "" ? read.slice(0, -1) : read, picturesCarriedOver(conversation)),
      ),
      abort.signal,
      (event) => {
        outcome.repeated = event.type === "done" && event.reason !== "abort" && repeats(waiting.id, variation);
        if (outcome.repeated) return;
        applyTo(waiting.id, event);
        if (event.type === "failed" && fatalCodes.has(event.failure.code)) failModel(answering, event.failure);
      },
    );
    running = undefined;
    variations.delete(waiting.id);
    if (outcome.repeated && variation !== undefined) askOnceMore(waiting.id, variation);
    prepareDraft();
    // A question may have been asked in another conversation while the old answer was ending.
    await answerNext();
  };

  /** Shows the conversation, which ends with a waiting answer, and gets that answered. */
  const ask = (conversation: Conversation): void => {
    history.forgetUndo();
    const { model } = cell.get();
    change({ ...conversation, updatedAt: now() });
    save(false);
    void persistence.setLast(conversation.id).catch(() => undefined);
    if (model.phase === "failed" && fatalCodes.has(model.failure.code)) void start();
    else void answerNext();
  };

  /** The conversation if nothing is under way in it. */
  const atRest = (): Conversation | undefined => {
    const { conversation } = cell.get();
    return isBusy(conversation) ? undefined : conversation;
  };

  /** An answer nobody could read is replaced; any other is put aside. */
  const answerAnew = (conversation: Conversation, answerId: string, varied = false): void => {
    const index = conversation.turns.findIndex((turn) => turn.id === answerId);
    const old = conversation.turns[index];
    if (old?.role !== "assistant") return;
    const anew = queuedTurn(newId(), now());
    if (varied) {
      const said = versionsOf(conversation, answerId).map(({ text }) => text.trim());
      variations.set(anew.id, { unlike: new Set(said), tries: 0 });
    }
    const worthless = old.text === "" && index === conversation.turns.length - 1;
    if (worthless) ask({ ...conversation, turns: [...conversation.turns.slice(0, -1), anew] });
    else ask(branchFrom(conversation, answerId, [anew]));
  };

  /** The model is gone; which only shows while it is the chosen one. */
  const failModel = (failed: ModelClient, failure: Failure, ended?: "stopped" | "made-room"): void => {
    ready.delete(failed);
    if (failed === client) cell.update((state) => ({ ...state, model: { phase: "failed", failure, ended } }));
  };

  const start = async (): Promise<void> => {
    if (cell.get().model.phase === "ready") return;
    const mine = client;
    if (loading.has(mine)) return;
    const under = { abort: new AbortController(), again: false };
    loading.set(mine, under);
    cell.update((state) => ({ ...state, model: { phase: "loading", progress: startOfLoad } }));
    try {
      const model = await mine.load((event) => {
        if (client !== mine) return;
        cell.update((state) =>
          state.model.phase === "loading"
            ? { ...state, model: { phase: "loading", progress: advanceLoad(state.model.progress, event) } }
            : state,
        );
      }, under.abort.signal);
      ready.set(mine, model);
      if (client === mine) cell.update((state) => ({ ...state, model: { phase: "ready", model } }));
    } catch (error) {
      if (!under.again) failModel(mine, toFailure(error), under.abort.signal.aborted ? "stopped" : undefined);
    } finally {
      loading.delete(mine);
    }
    if (under.again) return start();
    void answerNext();
  };

  const watched = new Set<ModelClient>();
  /** Whoever runs or loads hears of a death through its own call; this is for the quiet times. */
  const watch = (quiet: ModelClient): void => {
    if (watched.has(quiet)) return;
    watched.add(quiet);
    quiet.onDied((error) => {
      const ended = error instanceof MadeRoomError ? "made-room" : undefined;
      if (running?.client !== quiet && !loading.has(quiet)) failModel(quiet, toFailure(error), ended);
    });
  };
  watch(client);

  const history = createHistory({
    cell,
    persistence,
    newId,
    leave() {
      if (running === undefined) return;
      const { turnId, abort } = running;
      applyTo(turnId, { type: "stopped" });
      abort.abort();
    },
    save: () => save(false),
    shown: () => void answerNext(),
    isBusy: () => isBusy(cell.get().conversation),
    settle: (conversation) => mapTurns(conversation, settle),
  });

  return {
    ...history,
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    start,
    stopLoading(again) {
      const under = loading.get(client);
      if (under === undefined || under.abort.signal.aborted) return;
      under.again = again;
      under.abort.abort();
    },
    async switchModel(next) {
      if (next === client) return start();
      client = next;
      watch(next);
      const model = ready.get(next);
      if (model === undefined) {
        cell.update((state) => ({ ...state, model: { phase: "loading", progress: startOfLoad } }));
        return start();
      }
      cell.update((state) => ({ ...state, model: { phase: "ready", model } }));
      await answerNext();
    },
    send(text, pictures, options = {}) {
      const conversation = atRest();
      if (conversation === undefined || (text.trim() === "" && pictures.length === 0)) return;
      const question: UserTurn = { role: "user", id: newId(), text: text.trim(), pictures, at: now() };
      const { model } = cell.get();
      const longer = { ...conversation, turns: [...conversation.turns, question, queuedTurn(newId(), now())] };
      const shorter =
        options.forgetOldest === true && model.phase === "ready" ? forgetOldest(longer, model.model) : undefined;
      ask(shorter ?? longer);
    },
    stop() {
      const last = cell.get().conversation.turns.at(-1);
      if (running !== undefined && last?.id === running.turnId) running.abort.abort();
      else if (last?.role === "assistant") applyTo(last.id, { type: "stopped" });
    },
    retry() {
      const conversation = atRest();
      const last = conversation?.turns.at(-1);
      if (conversation === undefined || last?.role !== "assistant") return;
      answerAnew(conversation, last.id);
      if (cell.get().model.phase === "failed") void start();
    },
    regenerate(answerId) {
      const conversation = atRest();
      const old = conversation?.turns.find((turn) => turn.id === answerId);
      if (conversation === undefined || old?.role !== "assistant") return;
      const { model } = cell.get();
      // Another model says something else by itself; an answer that broke off has not been said yet.
      const same = old.model === undefined || (model.phase === "ready" && old.model.id === model.model.id);
      answerAnew(conversation, answerId, same && old.status === "done" && old.text.trim() !== "");
    },
    continueAnswer() {
      const conversation = atRest();
      const last = conversation?.turns.at(-1);
      if (conversation === undefined || last?.role !== "assistant" || !canContinue(last)) return;
      ask(changeTurn(conversation, last.id, continuedTurn));
    },
    edit(questionId, text, pictures) {
      const conversation = atRest();
      if (conversation === undefined || (text.trim() === "" && pictures.length === 0)) return;
      const question: UserTurn = { role: "user", id: newId(), text: text.trim(), pictures, at: now() };
      const branched = branchFrom(conversation, questionId, [question, queuedTurn(newId(), now())]);
      if (branched !== conversation) ask(branched);
    },
    judge(answerId, opinion) {
      const { conversation } = cell.get();
      change(
        changeTurn(conversation, answerId, ({ opinion: before, flagged, ...turn }) => {
          const thumb = opinion === "flag" ? before : before === opinion ? undefined : opinion;
          const flag = opinion === "flag" ? flagged !== true : flagged === true;
          return { ...turn, ...(thumb === undefined ? {} : { opinion: thumb }), ...(flag ? { flagged: true } : {}) };
        }),
      );
      save(false);
    },
    adopt(answer, asked) {
      const conversation = atRest();
      if (conversation === undefined) return;
      const last = conversation.turns.at(-1);
      const question: UserTurn | undefined = asked && { role: "user", id: newId(), ...asked, at: now() };
      const taken: AssistantTurn = { ...answer, id: newId(), at: now() };
      history.forgetUndo();
      if (question !== undefined)
        change({ ...conversation, turns: [...conversation.turns, question, taken], updatedAt: now() });
      else if (last?.role === "assistant") change({ ...branchFrom(conversation, last.id, [taken]), updatedAt: now() });
      else return;
      save(false);
      void persistence.setLast(conversation.id).catch(() => undefined);
    },
    page(turnId, step) {
      const conversation = atRest();
      if (conversation === undefined) return;
      change(showAlternative(conversation, turnId, step));
      save(false);
    },
    removeTurns(questionId) {
      const conversation = atRest();
      if (conversation === undefined) return;
      const rest = removePair(conversation, questionId);
      if (rest === conversation) return;
      if (rest.turns.length === 0) void history.remove(conversation.id);
      else history.replaceUndoably(rest);
    },
    forgetAndRetry() {
      const conversation = atRest();
      const { model } = cell.get();
      const last = conversation?.turns.at(-1);
      if (conversation === undefined || model.phase !== "ready" || last?.role !== "assistant") return;
      answerAnew(forgetOldest(conversation, model.model) ?? conversation, last.id);
    },
    changeSettings(next) {
      cell.update((state) => ({ ...state, settings: next }));
    },
    noteUnfinished() {
      if (saveTimer !== undefined) save(false);
      persistence.noteUnfinished();
    },
    prepare(next) {
      draft = next !== undefined && (next.text.trim() !== "" || next.pictures.length > 0) ? next : undefined;
      prepareDraft();
    },
  };
}

/** A turn that ran when the page went is one that was stopped; one that waited still waits. */
function settle(turn: Turn): Turn {
  return turn.role === "assistant" && turn.status === "running" ? reduceTurn(turn, { type: "stopped" }) : turn;
}
