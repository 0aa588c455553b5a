// The application's state and everything that may change it, as one object. No framework, no DOM: the page watches it and calls it.
// Each method is a function of a file beside this one.
import type { AssistantTurn, Opinion, Picture } from "#chat/conversation/conversation.ts";
import type { ModelClient } from "#chat/models/model-client.ts";
import type { Observable } from "#chat/observable.ts";
import { stopAnswer } from "./answering.ts";
import { continueAnswer, edit, forgetAndRetry, regenerate, retry, send, type SendOptions } from "./asking.ts";
import type { ChatState } from "./chat-state.ts";
import { adopt, judge, page, removeTurns } from "./editing.ts";
import { newChat, openConversation, removeConversation, rename, restore, type Visit } from "./history.ts";
import { startModel, stopLoading, switchModel, watchForDeath } from "./loading.ts";
import { followOtherTabs, keepDeleted, refresh } from "./other-tabs.ts";
import { prepare, prepareOnChanges } from "./preparing.ts";
import { saveNow } from "./saving.ts";
import { createContext, type ChatOptions, type QuestionDraft } from "./store-context.ts";
import { undo, withdrawUndo } from "./undo.ts";

export interface ChatStore extends Observable<ChatState> {
  // The model
  /** Loads the model, or starts it again after it failed; then answers what waits. Does nothing while it loads or is ready. */
  start(): Promise<void>;
  /** Ends the loading; what has been fetched stays stored. `again`: starts over at once, with a new connection. */
  stopLoading(again: boolean): void;
  /** Lets another model go on with the conversation; an answer under way is finished by the one that began it. */
  switchModel(client: ModelClient): Promise<void>;
  changeSettings(settings: ChatState["settings"]): void;

  // Questions and answers
  /** Adds a question; it is answered at once, or when the model is ready. Ignored while another answer is under way. */
  send(text: string, pictures: readonly Picture[], options?: SendOptions): void;
  /** Ends the answer under way, or takes a waiting one out of the queue. */
  stop(): void;
  /** Answers the last question anew. */
  retry(): void;
  /**
   * Answers a question anew. Where the same model is asked the same, it samples, so that it says something else. The old answer, and
   * what followed it, can be paged back to.
   */
  regenerate(answerId: string): void;
  /** Lets the last answer go on where it was cut off. */
  continueAnswer(): void;
  /** Asks a question again in other words or with other pictures; the old one can be paged back to. */
  edit(questionId: string, text: string, pictures: readonly Picture[]): void;
  /** Leaves the oldest turns out of what the model reads, and answers the last question anew. */
  forgetAndRetry(): void;
  /**
   * Tells what is about to be asked; undefined when nothing is. Soon after the last change a model of this device computes ahead what the
   * answer will begin with; nothing is sent to a server.
   */
  prepare(draft: QuestionDraft | undefined): void;

  // Changes that ask no model
  /** Sets the reader's opinion of an answer; the same once more takes it back. A flag and a thumb go together. */
  judge(answerId: string, opinion: Opinion): void;
  /** Takes an answer that another model gave elsewhere: to a question of its own, or as an alternative to the last answer. */
  adopt(answer: AssistantTurn, question: QuestionDraft | undefined): void;
  /** Pages to the alternative before or after the turn. */
  page(turnId: string, step: -1 | 1): void;
  /** Takes a question and its answer out; `undo` brings them back. */
  removeTurns(questionId: string): void;

  // Conversations
  /**
   * Brings back the list, and shows the conversation that is wanted, or else the one shown last. Call once, before anything is sent. A
   * suspect is not shown by itself.
   */
  restore(visit?: Visit): Promise<void>;
  /** Shows an empty conversation; the one that was shown stays in the list, and an answer under way in it is stopped. */
  newChat(): void;
  /** Shows another conversation; an answer under way is stopped, one that waited there gets answered. */
  open(id: string): Promise<void>;
  /** Names a conversation; with an empty title its first question names it again. */
  rename(id: string, title: string): Promise<void>;
  /** Takes a conversation away; `undo` brings it back. */
  remove(id: string): Promise<void>;
  /** Brings back what was deleted last. */
  undo(): Promise<void>;
  /** Gives up what was deleted last. */
  dismissUndo(): void;
  /** Reads these conversations anew, after something other than this store has saved them. */
  refresh(ids: readonly string[]): Promise<void>;
  /** Keeps the shown conversation after all, which another tab has deleted. */
  keepDeleted(): Promise<void>;
  /** The page goes: what is not saved yet, the latest words of an answer among it, is noted for the next page. */
  noteUnfinished(): void;

  // Notes that the page shows
  /** An address was followed that names no conversation of this browser. */
  tellMissing(): void;
  dismissArrival(): void;
  /** The user has read that another tab's turns were joined in. */
  dismissJoined(): void;
}

/** An empty conversation, and a model that has not been started. */
export function createChatStore(options: ChatOptions): ChatStore {
  const store = createContext(options);
  const { cell, persistence } = store;
  prepareOnChanges(store);
  watchForDeath(store, store.client);
  followOtherTabs(store);
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),

    start: () => startModel(store),
    stopLoading: (again) => stopLoading(store, again),
    switchModel: (client) => switchModel(store, client),
    changeSettings: (settings) => cell.update((state) => ({ ...state, settings })),

    send: (text, pictures, sendOptions) => send(store, text, pictures, sendOptions),
    stop: () => stopAnswer(store),
    retry: () => retry(store),
    regenerate: (answerId) => regenerate(store, answerId),
    continueAnswer: () => continueAnswer(store),
    edit: (questionId, text, pictures) => edit(store, questionId, text, pictures),
    forgetAndRetry: () => forgetAndRetry(store),
    prepare: (draft) => prepare(store, draft),

    judge: (answerId, opinion) => judge(store, answerId, opinion),
    adopt: (answer, question) => adopt(store, answer, question),
    page: (turnId, step) => page(store, turnId, step),
    removeTurns: (questionId) => removeTurns(store, questionId),

    restore: (visit) => restore(store, visit),
    newChat: () => newChat(store),
    open: (id) => openConversation(store, id),
    rename: (id, title) => rename(store, id, title),
    remove: (id) => removeConversation(store, id),
    undo: () => undo(store),
    dismissUndo: () => withdrawUndo(store),
    refresh: (ids) => refresh(store, new Set(ids)),
    keepDeleted: () => keepDeleted(store),
    noteUnfinished() {
      if (store.saveTimer !== undefined) saveNow(store);
      persistence.noteUnfinished();
    },

    tellMissing: () => cell.update((state) => ({ ...state, arrival: { kind: "missing" } })),
    dismissArrival: () => cell.update((state) => ({ ...state, arrival: undefined })),
    dismissJoined: () => cell.update((state) => ({ ...state, joined: false })),
  };
}
