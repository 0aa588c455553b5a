// Other answers to a question, and other wordings of it.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { alternativesOf } from "#chat/conversation/branches.ts";
import {
  asked,
  counting,
  done,
  idAt,
  lastAnswer,
  make,
  play,
  ScriptedModel,
  texts,
  titles,
} from "#testing/chat/chat-store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

describe("other answers and other questions", () => {
  test("an answer given anew stands beside the old one, with what followed each", async () => {
    const store = await asked(settled, counting(), "first", "second");
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
    const store = await asked(settled, counting(), "first");
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
    const store = await asked(settled, model, "first", "second");
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
    model.answer = () => play([], new EngineError("internal", "broken"));
    const store = await asked(settled, model, "first");
    model.answer = good;
    store.retry();
    await settled();
    expect(alternativesOf(store.get().conversation, idAt(store, 1)).count).toBe(1);
  });

  test("an answer that was cut off goes on where it ended", async () => {
    const model = new ScriptedModel();
    model.answer = () => play([{ type: "text", text: "One, two, " }, done("length")]);
    const store = await asked(settled, model, "Count.");
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
    const store = await asked(settled, counting(), "first", "second", "third");
    store.removeTurns(idAt(store, 2));
    expect(texts(store)).toEqual(["first", "1", "third", "3"]);
    await store.undo();
    expect(texts(store)).toEqual(["first", "1", "second", "2", "third", "3"]);
  });

  test("deleting the only question deletes the conversation", async () => {
    const store = await asked(settled, counting(), "first");
    store.removeTurns(idAt(store, 0));
    await settled();
    expect(titles(store)).toEqual([]);
    await store.undo();
    expect(texts(store)).toEqual(["first", "1"]);
  });
});
