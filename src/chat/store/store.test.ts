import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { LoadEvent, LoadedModel } from "#worker/api.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { AssistantTurn, Conversation } from "#chat/conversation/conversation.ts";
import { allTurns, alternativesOf } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import type { ModelClient, ReadyModel } from "#chat/models/model-client.ts";
import { inListOrder, summarize, type ChatPersistence, type Kept } from "#chat/persistence/persistence.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore, type ChatStore } from "./store.ts";

const loaded: LoadedModel = {
  id: "m",
  name: "M",
  device: "wasm",
  adapter: "",
  threads: 1,
  notices: [],
  contextLength: 512,
  imageTokens: 4,
  loadMs: 1,
};
const timings = { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, totalMs: 0 };
const usage = { promptTokens: 1, cachedTokens: 0, imageTokens: 0, newTokens: 1 };
const done = (reason: "eos" | "abort" | "length"): GenerateEvent => ({ type: "done", reason, usage, timings });

/** Yields the events, then throws the error, if there is one. */
async function* play(events: readonly GenerateEvent[], error?: Error): AsyncGenerator<GenerateEvent> {
  for (const event of events) {
    await Promise.resolve();
    yield event;
  }
  if (error !== undefined) throw error;
}

/** A model at the other end of the wire, whose loading and answers the test decides. */
class ScriptedModel implements ModelClient {
  readonly requests: GenerateRequest[] = [];
  loads = 0;
  load = async (onEvent: (event: LoadEvent) => void): Promise<ReadyModel> => {
    this.loads += 1;
    onEvent({ type: "download", loaded: 5, total: 10, stored: 0 });
    await Promise.resolve();
    return loaded;
  };
  answer: (signal: AbortSignal) => AsyncGenerator<GenerateEvent> = () =>
    play([{ type: "text", text: "Yes." }, done("eos")]);
  died: ((error: Error) => void) | undefined;
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent> {
    this.requests.push(request);
    return this.answer(signal);
  }
  onDied(listener: (error: Error) => void): () => void {
    this.died = listener;
    return () => undefined;
  }
}

/** What several tabs share: conversations with their revisions, as a database keeps them. */
class SharedPlace {
  readonly kept = new Map<string, { readonly conversation: Conversation; readonly revision: number }>();
  readonly removed = new Map<string, Conversation>();
  readonly listeners = new Map<MemoryPersistence, (id: string) => void>();
  last: string | undefined;
  revisions = 0;
}

/** One tab's view of a place in memory; keeps the contract of ChatPersistence. */
class MemoryPersistence implements ChatPersistence {
  readonly place: SharedPlace;
  readonly known = new Map<string, number>();
  unkeptPictures = 0;
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
  save = (conversation: Conversation): Promise<Kept | "deleted"> => {
    const there = this.place.kept.get(conversation.id);
    const known = this.known.get(conversation.id);
    if (there === undefined && known !== undefined) return Promise.resolve("deleted");
    const isOurs = there === undefined || there.revision === known;
    return this.put(isOurs ? conversation : joinConversations(conversation, there.conversation));
  };
  merge = (conversation: Conversation): Promise<Kept> => {
    const there = this.place.kept.get(conversation.id)?.conversation;
    return this.put(there === undefined ? conversation : joinConversations(there, conversation));
  };
  private put(joined: Conversation): Promise<Kept> {
    const revision = ++this.place.revisions;
    this.place.kept.set(joined.id, { conversation: joined, revision });
    this.known.set(joined.id, revision);
    this.tell(joined.id);
    return Promise.resolve({ conversation: joined, unkeptPictures: this.unkeptPictures });
  }
  remove = (id: string): Promise<void> => {
    const there = this.place.kept.get(id);
    if (there !== undefined) this.place.removed.set(id, there.conversation);
    this.place.kept.delete(id);
    this.tell(id);
    return Promise.resolve();
  };
  restore = async (id: string): Promise<void> => {
    const conversation = this.place.removed.get(id);
    if (conversation !== undefined) await this.merge(conversation);
  };
  purge = (): Promise<void> => Promise.resolve();
  noteUnfinished = (): void => undefined;
  onChange = (listener: (id: string) => void): (() => void) => {
    this.place.listeners.set(this, listener);
    return () => this.place.listeners.delete(this);
  };
  private tell(id: string): void {
    for (const [tab, listener] of this.place.listeners) if (tab !== this) listener(id);
  }
}

function make(model = new ScriptedModel(), persistence: ChatPersistence = new MemoryPersistence()): ChatStore {
  let id = 0;
  return createChatStore({
    client: model,
    persistence,
    settings: defaultSettings({ knows: "pictograms" }),
    newId: () => `id-${++id}`,
    saveEveryMs: 0,
  });
}
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const lastAnswer = (store: ChatStore): AssistantTurn => {
  const turn = store.get().conversation.turns.at(-1);
  if (turn?.role !== "assistant") throw new Error("no answer");
  return turn;
};

/** Speaks once, then waits for Stop. */
const untilStopped = async function* (signal: AbortSignal): AsyncGenerator<GenerateEvent> {
  yield { type: "text", text: "Well" };
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  yield done("abort");
};

describe("asking", () => {
  test("a question gets its answer", async () => {
    const store = make();
    await store.start();
    store.send("Is it red?", []);
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Yes.", device: "wasm" });
  });

  test("a question asked while the model loads waits and is answered when it is ready", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    const starting = store.start();
    store.send("Is it red?", []);
    expect(lastAnswer(store).status).toBe("queued");
    expect(store.get().model).toMatchObject({ phase: "loading", progress: { loaded: 5, total: 10 } });
    await starting;
    await settled();
    expect(lastAnswer(store).status).toBe("done");
    expect(model.requests).toHaveLength(1);
  });

  test("a waiting question can be taken back", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    store.send("Is it red?", []);
    store.stop();
    await store.start();
    await settled();
    expect(lastAnswer(store).status).toBe("stopped");
    expect(model.requests).toHaveLength(0);
  });

  test("nothing is sent twice, and nothing empty is sent", async () => {
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model);
    await store.start();
    store.send("  ", []);
    expect(store.get().conversation.turns).toHaveLength(0);
    store.send("one", []);
    store.send("two", []);
    expect(store.get().conversation.turns).toHaveLength(2);
    store.stop();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("New chat ends the running answer, and the next question starts from nothing", async () => {
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model);
    await store.start();
    store.send("one", []);
    await settled();
    store.newChat();
    expect(store.get().conversation.turns).toHaveLength(0);
    model.answer = new ScriptedModel().answer;
    store.send("two", []);
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Yes." });
    expect(model.requests[1]?.messages).toHaveLength(1);
  });
});

describe("failures", () => {
  test("a lost device fails the answer and the model; one retry starts both again and the conversation stays", async () => {
    const model = new ScriptedModel();
    const good = model.answer;
    const store = make(model);
    await store.start();
    store.send("first", []);
    await settled();
    model.answer = () => play([{ type: "text", text: "W" }], new EngineError("device-lost", "gone"));
    store.send("second", []);
    await settled();
    expect(lastAnswer(store).failure?.code).toBe("device-lost");
    expect(store.get().model.phase).toBe("failed");
    model.answer = good;
    store.retry();
    await settled();
    expect(model.loads).toBe(2);
    expect(store.get().conversation.turns).toHaveLength(4);
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Yes." });
  });

  test("a full context fails the answer only", async () => {
    const model = new ScriptedModel();
    model.answer = () =>
      play([{ type: "stage", stage: "prefill", done: 0, total: 1 }], new EngineError("context-full", "too long"));
    const store = make(model);
    await store.start();
    store.send("long", []);
    await settled();
    expect(lastAnswer(store).failure?.code).toBe("context-full");
    expect(store.get().model.phase).toBe("ready");
  });

  test("a model that can't be loaded can be started again, and then answers what waited", async () => {
    const model = new ScriptedModel();
    const good = model.load;
    model.load = () => Promise.reject(new EngineError("network", "offline"));
    const store = make(model);
    store.send("Is it red?", []);
    await store.start();
    expect(store.get().model).toMatchObject({ phase: "failed", failure: { code: "network" } });
    expect(lastAnswer(store).status).toBe("queued");
    model.load = good;
    await store.start();
    await settled();
    expect(lastAnswer(store).status).toBe("done");
  });

  test("a worker that dies in a quiet moment is told at once", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    await store.start();
    model.died?.(new EngineError("worker-dead", "crashed"));
    expect(store.get().model).toMatchObject({ phase: "failed", failure: { code: "worker-dead" } });
  });
});

describe("keeping", () => {
  test("the conversation comes back, and an answer that ran counts as stopped", async () => {
    const persistence = new MemoryPersistence();
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model, persistence);
    await store.start();
    store.send("Is it red?", []);
    await settled();
    const later = make(new ScriptedModel(), new MemoryPersistence(persistence.place));
    await later.restore();
    expect(later.get().conversation.turns).toHaveLength(2);
    expect(lastAnswer(later)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("a question that still waited is answered on the next visit", async () => {
    const persistence = new MemoryPersistence();
    make(new ScriptedModel(), persistence).send("Is it red?", []);
    const later = make(new ScriptedModel(), new MemoryPersistence(persistence.place));
    await later.restore();
    await later.start();
    await settled();
    expect(lastAnswer(later)).toMatchObject({ status: "done", text: "Yes." });
  });

  test("words that were not saved yet are when the page goes", async () => {
    const persistence = new MemoryPersistence();
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = createChatStore({
      client: model,
      persistence,
      settings: defaultSettings({ knows: "pictograms" }),
      newId: () => crypto.randomUUID(),
      saveEveryMs: 60_000,
    });
    await store.start();
    store.send("Is it red?", []);
    await settled();
    const kept = () => [...persistence.place.kept.values()].map(({ conversation }) => conversation.turns.at(-1)?.text);
    expect(kept()).toEqual([""]);
    let noted: unknown;
    persistence.noteUnfinished = () => {
      noted = kept();
    };
    store.noteUnfinished();
    expect(noted).toEqual(["Well"]);
    store.stop();
  });

  test("a browser that keeps nothing is told of, and the chat goes on", async () => {
    const persistence = new MemoryPersistence();
    persistence.save = () => Promise.reject(new Error("no storage"));
    const store = make(new ScriptedModel(), persistence);
    await store.start();
    store.send("Is it red?", []);
    await settled();
    expect(store.get().unkept).toEqual({ cause: "blocked", turns: 2, isPart: false, pictures: 0 });
    expect(lastAnswer(store).status).toBe("done");
  });

  test("where the room ends, what is kept and what is not is told, and forgotten when there is room again", async () => {
    const persistence = new MemoryPersistence();
    const { save } = persistence;
    const store = make(counting(), persistence);
    await store.start();
    store.send("first", []);
    await settled();
    expect(store.get().unkept).toBeUndefined();
    persistence.save = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    store.send("second", []);
    await settled();
    expect(store.get().unkept).toEqual({ cause: "full", turns: 2, isPart: true, pictures: 0 });
    persistence.save = save;
    persistence.unkeptPictures = 1;
    store.send("third", []);
    await settled();
    expect(store.get().unkept).toEqual({ cause: "full", turns: 0, isPart: true, pictures: 1 });
    persistence.unkeptPictures = 0;
    store.send("fourth", []);
    await settled();
    expect(store.get().unkept).toBeUndefined();
  });
});

const titles = (store: ChatStore): string[] => store.get().conversations.map(({ title }) => title);
const texts = (store: ChatStore): string[] => store.get().conversation.turns.map((turn) => turn.text);
const idAt = (store: ChatStore, index: number): string => store.get().conversation.turns[index]?.id ?? "";

/** Answers "1", "2", "3", … */
function counting(): ScriptedModel {
  const model = new ScriptedModel();
  let count = 0;
  model.answer = () => play([{ type: "text", text: String(++count) }, done("eos")]);
  return model;
}
async function asked(model: ScriptedModel, ...questions: readonly string[]): Promise<ChatStore> {
  const store = make(model);
  await store.start();
  for (const question of questions) {
    store.send(question, []);
    await settled();
  }
  return store;
}

describe("many conversations", () => {
  test("a new chat keeps the old one in the list, and opening that brings its turns back", async () => {
    const store = await asked(counting(), "first");
    const { id } = store.get().conversation;
    store.newChat();
    store.send("second", []);
    await settled();
    expect(titles(store)).toEqual(["second", "first"]);
    await store.open(id);
    expect(texts(store)).toEqual(["first", "1"]);
  });

  test("an answer under way when another conversation is opened is stopped and kept as far as it came", async () => {
    const model = counting();
    const store = await asked(model, "first");
    const { id } = store.get().conversation;
    store.newChat();
    model.answer = untilStopped;
    store.send("second", []);
    await settled();
    const second = store.get().conversation.id;
    await store.open(id);
    await settled();
    expect(texts(store)).toEqual(["first", "1"]);
    await store.open(second);
    expect(lastAnswer(store)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("an empty chat is in no list", async () => {
    const store = await asked(counting());
    store.newChat();
    store.newChat();
    expect(titles(store)).toEqual([]);
  });

  test("a conversation is renamed, also while another one is shown, and an empty name gives the first question back", async () => {
    const store = await asked(counting(), "first");
    const { id } = store.get().conversation;
    await store.rename(id, "  Cats ");
    expect(titles(store)).toEqual(["Cats"]);
    store.newChat();
    await store.rename(id, "Dogs");
    expect(titles(store)).toEqual(["Dogs"]);
    await store.rename(id, "");
    expect(titles(store)).toEqual(["first"]);
  });

  test("what was deleted can be brought back, and is shown again if it was", async () => {
    const store = await asked(counting(), "first");
    const { id } = store.get().conversation;
    await store.remove(id);
    expect(titles(store)).toEqual([]);
    expect(store.get()).toMatchObject({ undo: "conversation", conversation: { turns: [] } });
    await store.undo();
    expect(titles(store)).toEqual(["first"]);
    expect(texts(store)).toEqual(["first", "1"]);
    expect(store.get().undo).toBeUndefined();
  });

  test("the next question ends the offer to bring something back", async () => {
    const store = await asked(counting(), "first", "second");
    store.removeTurns(idAt(store, 0));
    expect(store.get().undo).toBe("turns");
    store.send("third", []);
    expect(store.get().undo).toBeUndefined();
  });
});

describe("what the page shows first", () => {
  const place = new SharedPlace();
  const visit = async (options: Parameters<ChatStore["restore"]>[0]): Promise<ChatStore> => {
    const store = make(new ScriptedModel(), new MemoryPersistence(place));
    await store.restore(options);
    return store;
  };
  const [first, second] = ["first", "second"].map((id) => ({
    id,
    turns: [{ role: "user" as const, id: `q-${id}`, text: `ask ${id}`, pictures: [] }],
  }));
  for (const conversation of [first, second])
    if (conversation !== undefined) place.kept.set(conversation.id, { conversation, revision: 1 });
  place.last = "second";

  test("is the conversation of the address, or else the last one", async () => {
    expect(texts(await visit({ wanted: "first" }))).toEqual(["ask first"]);
    expect(texts(await visit(undefined))).toEqual(["ask second"]);
  });

  test("is nothing where the address names none that is here, and the page says so", async () => {
    const store = await visit({ wanted: "elsewhere" });
    expect(store.get()).toMatchObject({ arrival: { kind: "missing" }, conversation: { turns: [] }, restored: true });
    expect(store.get().conversations).toHaveLength(2);
    store.dismissArrival();
    expect(store.get().arrival).toBeUndefined();
  });

  test("is not the conversation that ended its page, by itself or by its address; a click opens it", async () => {
    const suspects = new Set(["second"]);
    for (const wanted of [undefined, "second"]) {
      const store = await visit({ wanted, suspects });
      expect(store.get().arrival).toEqual({ kind: "crashed", id: "second", title: "ask second" });
      expect(texts(store)).toEqual([]);
      await store.open("second");
      expect(texts(store)).toEqual(["ask second"]);
      expect(store.get().arrival).toBeUndefined();
    }
    expect(texts(await visit({ wanted: "first", suspects }))).toEqual(["ask first"]);
  });
});

describe("opinions", () => {
  test("stay with the answer, change, and are taken back by the same once more", async () => {
    const store = await asked(counting(), "first");
    const opinion = () => {
      const turn = store.get().conversation.turns[1];
      return turn?.role === "assistant" ? turn.opinion : "no answer";
    };
    store.judge(idAt(store, 1), "up");
    expect(opinion()).toBe("up");
    store.judge(idAt(store, 1), "down");
    expect(opinion()).toBe("down");
    store.judge(idAt(store, 1), "down");
    expect(opinion()).toBeUndefined();
  });

  test("a flag goes with a thumb, and neither takes the other away", async () => {
    const store = await asked(counting(), "first");
    const judged = () => store.get().conversation.turns[1];
    store.judge(idAt(store, 1), "up");
    store.judge(idAt(store, 1), "flag");
    expect(judged()).toMatchObject({ opinion: "up", flagged: true });
    store.judge(idAt(store, 1), "down");
    expect(judged()).toMatchObject({ opinion: "down", flagged: true });
    store.judge(idAt(store, 1), "flag");
    expect(judged()).toMatchObject({ opinion: "down" });
    expect(judged()).not.toHaveProperty("flagged");
  });
});

describe("an answer from elsewhere", () => {
  const other: AssistantTurn = {
    role: "assistant",
    id: "x",
    text: "Elsewhere.",
    status: "done",
    model: { id: "o", name: "O" },
  };

  test("to the last question stands beside the one that was there", async () => {
    const store = await asked(counting(), "first");
    store.adopt(other, undefined);
    expect(texts(store)).toEqual(["first", "Elsewhere."]);
    expect(alternativesOf(store.get().conversation, idAt(store, 1))).toEqual({ index: 1, count: 2 });
    store.page(idAt(store, 1), -1);
    expect(texts(store)).toEqual(["first", "1"]);
  });

  test("to another question brings it along", async () => {
    const store = await asked(counting(), "first");
    store.adopt(other, { text: "second", pictures: [] });
    expect(texts(store)).toEqual(["first", "1", "second", "Elsewhere."]);
    expect(store.get().conversation.turns[3]).toMatchObject({ model: { name: "O" } });
  });

  test("is not taken while another one is under way", async () => {
    const store = await asked(counting(), "first");
    store.send("second", []);
    store.adopt(other, { text: "third", pictures: [] });
    expect(texts(store)).not.toContain("third");
  });
});

describe("other answers and other questions", () => {
  test("an answer given anew stands beside the old one, with what followed each", async () => {
    const store = await asked(counting(), "first", "second");
    store.regenerate(idAt(store, 1));
    await settled();
    expect(texts(store)).toEqual(["first", "3"]);
    expect(alternativesOf(store.get().conversation, idAt(store, 1))).toEqual({ index: 1, count: 2 });
    store.page(idAt(store, 1), -1);
    expect(texts(store)).toEqual(["first", "1", "second", "2"]);
    expect(alternativesOf(store.get().conversation, idAt(store, 1))).toEqual({ index: 0, count: 2 });
    store.page(idAt(store, 1), -1);
    expect(texts(store)).toEqual(["first", "1", "second", "2"]);
    store.page(idAt(store, 1), 1);
    expect(texts(store)).toEqual(["first", "3"]);
  });

  test("another answer is sampled with dice of its own, hotter while it says the same again; the first one keeps the settings", async () => {
    const model = new ScriptedModel();
    const said = ["Three.", "Three.", "Three.", "Two cats."];
    model.answer = () => play([{ type: "text", text: said.shift() ?? "?" }, done("eos")]);
    const store = make(model);
    store.changeSettings({ ...store.get().settings, greedy: true, seed: 7 });
    await store.start();
    store.send("How many?", []);
    await settled();
    store.regenerate(idAt(store, 1));
    await settled();
    expect(texts(store)).toEqual(["How many?", "Two cats."]);
    expect(alternativesOf(store.get().conversation, idAt(store, 1))).toEqual({ index: 1, count: 2 });
    const sampling = model.requests.map((request) => request.sampling);
    expect(sampling.map(({ temperature }) => temperature)).toEqual([0, 0.8, 1.2, 2]);
    expect(sampling.map(({ seed }) => seed)).toEqual([7, undefined, undefined, undefined]);
    expect(store.get().settings).toMatchObject({ greedy: true, seed: 7 });
  });

  test("a model that has nothing else to say is not asked for ever", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    await store.start();
    store.send("Sure?", []);
    await settled();
    store.regenerate(idAt(store, 1));
    await settled();
    expect(texts(store)).toEqual(["Sure?", "Yes."]);
    expect(model.requests.length).toBe(4);
  });

  test("the answers keep their order, however often one pages", async () => {
    const store = await asked(counting(), "first");
    store.regenerate(idAt(store, 1));
    await settled();
    store.page(idAt(store, 1), -1);
    store.regenerate(idAt(store, 1));
    await settled();
    expect(texts(store)).toEqual(["first", "3"]);
    store.page(idAt(store, 1), -1);
    expect(texts(store)).toEqual(["first", "2"]);
    store.page(idAt(store, 1), -1);
    expect(texts(store)).toEqual(["first", "1"]);
  });

  test("a question asked in other words gets its own answer, and the model reads only what is shown", async () => {
    const model = counting();
    const store = await asked(model, "first", "second");
    store.edit(idAt(store, 0), "another", []);
    await settled();
    expect(texts(store)).toEqual(["another", "3"]);
    expect(model.requests.at(-1)?.messages).toHaveLength(1);
    store.page(idAt(store, 0), -1);
    expect(texts(store)).toEqual(["first", "1", "second", "2"]);
  });

  test("an answer without a word leaves nothing to page to", async () => {
    const model = counting();
    const good = model.answer;
    model.answer = () => play([], new EngineError("busy", "busy"));
    const store = await asked(model, "first");
    model.answer = good;
    store.retry();
    await settled();
    expect(alternativesOf(store.get().conversation, idAt(store, 1)).count).toBe(1);
  });

  test("an answer that was cut off goes on where it ended", async () => {
    const model = new ScriptedModel();
    model.answer = () => play([{ type: "text", text: "One, two, " }, done("length")]);
    const store = await asked(model, "Count.");
    model.answer = () => play([{ type: "text", text: " three." }, done("eos")]);
    store.continueAnswer();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "One, two, three.", reason: "eos" });
    expect(lastAnswer(store).usage?.newTokens).toBe(2);
    expect(model.requests[1]?.messages.at(-1)).toEqual({
      role: "assistant",
      parts: [{ type: "text", text: "One, two," }],
    });
    store.continueAnswer();
    expect(lastAnswer(store).status).toBe("done");
  });

  test("a question and its answer can be deleted and brought back", async () => {
    const store = await asked(counting(), "first", "second", "third");
    store.removeTurns(idAt(store, 2));
    expect(texts(store)).toEqual(["first", "1", "third", "3"]);
    await store.undo();
    expect(texts(store)).toEqual(["first", "1", "second", "2", "third", "3"]);
  });

  test("deleting the only question deletes the conversation", async () => {
    const store = await asked(counting(), "first");
    store.removeTurns(idAt(store, 0));
    await settled();
    expect(titles(store)).toEqual([]);
    await store.undo();
    expect(texts(store)).toEqual(["first", "1"]);
  });
});

describe("memory", () => {
  test("the oldest turns can be left out: they stay to be read, the model gets the rest and the last picture", async () => {
    const model = new ScriptedModel();
    model.answer = () => play([{ type: "text", text: "word ".repeat(60) }, done("eos")]);
    const store = make(model);
    await store.start();
    const picture = { id: "p", name: "cat.png", blob: new Blob(["cat"]) };
    store.send("first", [picture]);
    await settled();
    store.send("second", []);
    await settled();
    store.send("third", [], { forgetOldest: true });
    await settled();
    expect(store.get().conversation.turns).toHaveLength(6);
    const messages = model.requests.at(-1)?.messages ?? [];
    expect(messages.length).toBeLessThan(5);
    expect(messages[0]?.parts[0]).toMatchObject({ type: "image" });
  });

  test("a question that did not fit is answered after the oldest were left out", async () => {
    const model = counting();
    const store = await asked(model, "first", "second");
    const good = model.answer;
    model.answer = () => play([], new EngineError("context-full", "too long"));
    store.send("third", []);
    await settled();
    model.answer = good;
    store.forgetAndRetry();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "3" });
    expect(model.requests.at(-1)?.messages.length).toBeLessThan(5);
  });
});

describe("two tabs", () => {
  const twoTabs = async (): Promise<readonly [ChatStore, ChatStore, SharedPlace]> => {
    const place = new SharedPlace();
    const one = make(counting(), new MemoryPersistence(place));
    await one.start();
    one.send("shared", []);
    await settled();
    let id = 0;
    const two = createChatStore({
      client: counting(),
      persistence: new MemoryPersistence(place),
      settings: defaultSettings({ knows: "pictograms" }),
      newId: () => `two-${++id}`,
      saveEveryMs: 0,
    });
    await two.restore();
    await two.start();
    return [one, two, place];
  };
  const followed = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 350));

  test("what one tab adds appears in the other that shows the same conversation", async () => {
    const [one, two] = await twoTabs();
    one.send("more", []);
    await followed();
    expect(texts(two)).toEqual(["shared", "1", "more", "2"]);
  });

  test("two tabs that go on at the same time keep both, and the later one says so", async () => {
    const [one, two] = await twoTabs();
    one.send("from one", []);
    two.send("from two", []);
    await settled();
    expect(texts(two)).toEqual(["shared", "1", "from two", "1"]);
    const { index, count } = alternativesOf(two.get().conversation, idAt(two, 2));
    expect(count).toBe(2);
    expect(two.get().joined).toBe(true);
    two.page(idAt(two, 2), index === 0 ? 1 : -1);
    expect(texts(two).slice(0, 3)).toEqual(["shared", "1", "from one"]);
  });

  /** Everything in the kept conversation, whatever is shown. */
  const keptWords = (place: SharedPlace): string[] =>
    [...place.kept.values()].flatMap(({ conversation }) => allTurns(conversation).map(({ text }) => text)).sort();

  test("a question brought back here takes nothing away that another tab asked since", async () => {
    const [one, two, place] = await twoTabs();
    one.send("second", []);
    await followed();
    two.removeTurns(idAt(two, 2));
    await followed();
    expect(texts(one)).toEqual(["shared", "1"]);
    one.send("since", []);
    await followed();
    expect(texts(two)).toEqual(["shared", "1", "since", "3"]);
    await two.undo();
    await settled();
    expect(keptWords(place)).toEqual(["1", "2", "3", "second", "shared", "since"]);
    expect(texts(two)).toEqual(["shared", "1", "second", "2"]);
    expect(two.get().joined).toBe(true);
  });

  test("brought back after another conversation was opened, the question is back in its own", async () => {
    const [one, , place] = await twoTabs();
    const { id } = one.get().conversation;
    one.send("second", []);
    await settled();
    one.removeTurns(idAt(one, 2));
    place.kept.set("other", { conversation: { id: "other", turns: [] }, revision: 0 });
    await one.open("other");
    await one.undo();
    expect(one.get().conversation.id).toBe("other");
    await one.open(id);
    expect(texts(one)).toEqual(["shared", "1", "second", "2"]);
  });

  test("a conversation that another tab deletes while this one answers stays deleted, and the reader may keep it", async () => {
    const [one, two, place] = await twoTabs();
    const { id } = one.get().conversation;
    await two.remove(id);
    one.send("still here", []);
    await settled();
    expect(place.kept.has(id)).toBe(false);
    expect(one.get()).toMatchObject({ deletedElsewhere: true, conversations: [] });
    expect(texts(one)).toEqual(["shared", "1", "still here", "2"]);
    await one.keepDeleted();
    expect(one.get().deletedElsewhere).toBe(false);
    expect(keptWords(place)).toEqual(["1", "2", "shared", "still here"]);
  });

  test("a deletion taken back in the other tab brings back what was said here meanwhile", async () => {
    const [one, two, place] = await twoTabs();
    await two.remove(one.get().conversation.id);
    await followed();
    expect(one.get().deletedElsewhere).toBe(true);
    one.send("meanwhile", []);
    await settled();
    await two.undo();
    await followed();
    expect(one.get().deletedElsewhere).toBe(false);
    expect(keptWords(place)).toEqual(["1", "2", "meanwhile", "shared"]);
  });
});

describe("another model", () => {
  const remote: ReadyModel = { ...loaded, id: "big", name: "Big", device: "remote", host: "gpu.example" };
  const big = (): ScriptedModel => {
    const model = new ScriptedModel();
    model.load = () => Promise.resolve(remote);
    model.answer = () => play([{ type: "text", text: "From afar." }, done("eos")]);
    return model;
  };

  test("goes on with the same conversation, and every answer says who gave it", async () => {
    const small = new ScriptedModel();
    const store = await asked(small, "first");
    const other = big();
    await store.switchModel(other);
    store.send("second", []);
    await settled();
    expect(texts(store)).toEqual(["first", "Yes.", "second", "From afar."]);
    expect(other.requests[0]?.messages).toHaveLength(3);
    expect(lastAnswer(store)).toMatchObject({ device: "remote", model: { id: "big", host: "gpu.example" } });
    expect(store.get().conversation.turns[1]).toMatchObject({ device: "wasm", model: { id: "m", name: "M" } });
  });

  test("switching back to a model that is loaded takes no second load", async () => {
    const small = new ScriptedModel();
    const store = await asked(small, "first");
    await store.switchModel(big());
    await store.switchModel(small);
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "m" } });
    expect(small.loads).toBe(1);
  });

  test("an answer under way is finished by the model that began it", async () => {
    const small = new ScriptedModel();
    let release = (): void => undefined;
    small.answer = async function* () {
      yield { type: "text", text: "Slow" };
      await new Promise<void>((resolve) => (release = resolve));
      yield done("eos");
    };
    const store = make(small);
    await store.start();
    store.send("first", []);
    await settled();
    await store.switchModel(big());
    expect(lastAnswer(store).status).toBe("running");
    release();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Slow", model: { id: "m" } });
  });

  test("one that is left while it loads does not take the place of the chosen one", async () => {
    const slow = new ScriptedModel();
    let release = (): void => undefined;
    slow.load = async (onEvent) => {
      await new Promise<void>((resolve) => (release = resolve));
      onEvent({ type: "download", loaded: 10, total: 10, stored: 0 });
      return loaded;
    };
    const store = make(slow);
    const starting = store.start();
    await store.switchModel(big());
    release();
    await starting;
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "big" } });
    await store.switchModel(slow);
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "m" } });
  });

  test("the death of a model that is not chosen is no news, but it is loaded again when it is chosen", async () => {
    const small = new ScriptedModel();
    const store = await asked(small, "first");
    await store.switchModel(big());
    small.died?.(new EngineError("worker-dead", "crashed"));
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "big" } });
    await store.switchModel(small);
    expect(small.loads).toBe(2);
  });

  test("a server that is gone fails the answer with its own code, and the answer can be asked for again", async () => {
    const model = big();
    const good = model.answer;
    model.answer = () => play([], new RemoteError("server-unreachable", "no connection"));
    const store = make(model);
    await store.start();
    store.send("first", []);
    await settled();
    expect(lastAnswer(store).failure?.code).toBe("server-unreachable");
    expect(store.get().model.phase).toBe("ready");
    model.answer = good;
    store.retry();
    await settled();
    expect(lastAnswer(store).status).toBe("done");
  });
});

describe("a question that is put together", () => {
  const plan = (store: ChatStore, text: string): void => store.prepare({ text, pictures: [] });
  const wait = (ms = 60): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  class PreparingModel extends ScriptedModel {
    readonly prepared: string[] = [];
    readonly signals: AbortSignal[] = [];
    prepare(request: GenerateRequest, signal: AbortSignal): Promise<void> {
      this.prepared.push(JSON.stringify(request.messages.flatMap(({ parts }) => parts)));
      this.signals.push(signal);
      return new Promise(() => undefined);
    }
  }
  const said = (...texts: string[]): string => JSON.stringify(texts.map((text) => ({ type: "text", text })));
  const open = (model: ScriptedModel): ChatStore =>
    createChatStore({
      client: model,
      persistence: new MemoryPersistence(),
      settings: defaultSettings({ knows: "pictograms" }),
      newId: () => String(Math.random()),
      saveEveryMs: 0,
      prepareAfterMs: 20,
    });

  test("is prepared a little after its last change, and dropped with the next", async () => {
    const model = new PreparingModel();
    const store = open(model);
    plan(store, "Wh");
    await wait();
    expect(model.prepared).toEqual([]);
    await store.start();
    await wait();
    plan(store, "Wha");
    plan(store, " What ");
    expect(model.signals.map(({ aborted }) => aborted)).toEqual([true]);
    await wait();
    expect(model.prepared).toEqual([said("Wh"), said("What")]);
    store.prepare(undefined);
    await wait();
    expect(model.signals.every(({ aborted }) => aborted)).toBe(true);
    expect(model.prepared).toHaveLength(2);
  });

  test("follows the conversation and the settings, and rests while an answer runs", async () => {
    const model = new PreparingModel();
    const store = open(model);
    await store.start();
    let goOn = (): void => undefined;
    model.answer = async function* () {
      await new Promise<void>((resolve) => (goOn = resolve));
      yield* play([{ type: "text", text: "Yes." }, done("eos")]);
    };
    store.send("One?", []);
    plan(store, "Two?");
    await wait();
    expect(model.prepared).toEqual([]);
    goOn();
    await wait();
    expect(model.prepared).toEqual([said("One?", "Yes.", "Two?")]);
    store.changeSettings({ ...store.get().settings, systemPrompt: "Be brief." });
    await wait();
    expect(model.prepared.at(-1)).toBe(said("Be brief.", "One?", "Yes.", "Two?"));
    store.newChat();
    await wait();
    expect(model.prepared.at(-1)).toBe(said("Be brief.", "Two?"));
    store.send("Two?", []);
    expect(model.signals.every(({ aborted }) => aborted)).toBe(true);
  });

  test("is never prepared by a server", async () => {
    const model = new PreparingModel();
    model.load = () => Promise.resolve({ ...loaded, device: "remote", host: "example.org" });
    const store = open(model);
    await store.start();
    plan(store, "Secret?");
    await wait();
    expect(model.prepared).toEqual([]);
  });
});
