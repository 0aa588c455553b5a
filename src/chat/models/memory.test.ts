import { expect, test } from "vitest";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { LoadedModel } from "#worker/api.ts";
import type { ModelClient } from "./model-client.ts";
import { loadOnce } from "./load-once.ts";
import { createModelMemory, MadeRoomError, memoryForModels, type EndableClient } from "./memory.ts";

const request: GenerateRequest = {
  messages: [],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 1,
  stop: [],
};

/** A model of so many bytes, whose loads and ends are counted; its answers end when the test says so. */
function createModel(id: string, bytes: number) {
  const seen = { loads: 0, ends: 0, finish: (): void => undefined };
  const died = new Set<(error: Error) => void>();
  const client: EndableClient = {
    load(onEvent) {
      seen.loads++;
      onEvent({ type: "download", loaded: bytes, total: bytes, stored: bytes });
      const loaded: LoadedModel = {
        id,
        name: id,
        device: "wasm",
        adapter: "",
        threads: 1,
        notices: [],
        contextLength: 1,
        imageTokens: 1,
        loadMs: 1,
      };
      return Promise.resolve(loaded);
    },
    async *generate(): AsyncGenerator<GenerateEvent> {
      const finished = new Promise<void>((resolve) => (seen.finish = resolve));
      yield { type: "text", text: id };
      await finished;
    },
    onDied(listener) {
      died.add(listener);
      return () => died.delete(listener);
    },
    dispose() {
      seen.ends++;
    },
  };
  const crash = (): void => died.forEach((listener) => listener(new Error("gone")));
  return { id, seen, client, crash };
}

/** Room for 200 bytes of weights with what they need beside them. */
function setUp(sizes: Readonly<Record<string, number>>) {
  const memory = createModelMemory(250);
  const models = new Map<string, ReturnType<typeof createModel> & { readonly shared: ModelClient; ended: Error[] }>();
  for (const [id, bytes] of Object.entries(sizes)) {
    const model = createModel(id, bytes);
    const shared = loadOnce(memory.watch(id, model.client));
    const ended: Error[] = [];
    shared.onDied((error) => ended.push(error));
    models.set(id, { ...model, shared, ended });
  }
  const get = (id: string) => {
    const model = models.get(id);
    if (!model) throw new Error(id);
    return model;
  };
  return { memory, get, load: (id: string) => get(id).shared.load(() => undefined) };
}

test("models that fit together stay loaded, and it is known which", async () => {
  const { memory, get, load } = setUp({ a: 100, b: 100 });
  await load("a");
  await load("b");
  await load("a");
  expect(memory.get()).toEqual(["a", "b"]);
  expect([get("a").seen, get("b").seen]).toMatchObject([
    { loads: 1, ends: 0 },
    { loads: 1, ends: 0 },
  ]);
});

test("the model that was used longest ago makes room for one that would not fit, and is loaded again when it is asked for", async () => {
  const { memory, get, load } = setUp({ a: 80, b: 80, c: 80 });
  await load("a");
  await load("b");
  const answer = get("a").shared.generate(request, new AbortController().signal)[Symbol.asyncIterator]();
  await answer.next();
  get("a").seen.finish();
  await answer.next();
  await load("c");
  expect(memory.get()).toEqual(["a", "c"]);
  expect(get("b").seen.ends).toBe(1);
  expect(get("b").ended).toEqual([expect.any(MadeRoomError)]);
  await load("b");
  expect(get("b").seen.loads).toBe(2);
  expect(memory.get()).toEqual(["c", "b"]);
});

test("a model that is answering is not ended for another one, but after its answer", async () => {
  const { memory, get, load } = setUp({ a: 150, b: 150 });
  await load("a");
  const answer = get("a").shared.generate(request, new AbortController().signal)[Symbol.asyncIterator]();
  await answer.next();
  await load("b");
  expect(memory.get()).toEqual(["a", "b"]);
  get("a").seen.finish();
  expect((await answer.next()).done).toBe(true);
  expect(memory.get()).toEqual(["b"]);
});

test("a model too large for the memory is loaded alone", async () => {
  const { memory, get, load } = setUp({ a: 10, b: 1000 });
  await load("a");
  await load("b");
  expect(memory.get()).toEqual(["b"]);
  expect(get("a").seen.ends).toBe(1);
});

test("a model that is let go ends at once, or after its answer, and one that died is not counted", async () => {
  const { memory, get, load } = setUp({ a: 10, b: 10, c: 10 });
  for (const id of ["a", "b", "c"]) await load(id);
  memory.release("a");
  expect(get("a").seen.ends).toBe(1);
  const answer = get("b").shared.generate(request, new AbortController().signal)[Symbol.asyncIterator]();
  await answer.next();
  memory.release("b");
  expect(get("b").seen.ends).toBe(0);
  get("b").seen.finish();
  await answer.next();
  expect(get("b").seen.ends).toBe(1);
  get("c").crash();
  expect(memory.get()).toEqual([]);
  await load("a");
  expect(memory.get()).toEqual(["a"]);
});

test("where a browser does not tell the memory, that of a small machine is assumed", () => {
  expect(memoryForModels(undefined)).toBe(3 * 2 ** 30);
  expect(memoryForModels(8 * 2 ** 30)).toBe(6 * 2 ** 30);
});
