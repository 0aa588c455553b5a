import { expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { play, ScriptedModel } from "#testing/chat/chat-store.ts";
import { loadOnce } from "./load-once.ts";

const request = {
  messages: [],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 8,
  stop: [],
};

test("a model is loaded by the first who asks, also while another waits, and again after its death or a fatal failure", async () => {
  const model = new ScriptedModel();
  const client = loadOnce(model);
  const [one, two] = await Promise.all([client.load(() => undefined), client.load(() => undefined)]);
  expect(one).toBe(two);
  expect(model.loads).toBe(1);
  model.died?.(new Error("crashed"));
  await client.load(() => undefined);
  expect(model.loads).toBe(2);
  model.answer = () => play([], new EngineError("device-lost", "gone"));
  await expect(async () => {
    for await (const event of client.generate(request, new AbortController().signal)) expect(event).toBeDefined();
  }).rejects.toThrow("gone");
  await client.load(() => undefined);
  expect(model.loads).toBe(3);
});

test("a model that could not be loaded is tried again", async () => {
  const model = new ScriptedModel();
  const good = model.load;
  model.load = () => Promise.reject(new EngineError("network", "offline"));
  const client = loadOnce(model);
  await expect(client.load(() => undefined)).rejects.toThrow("offline");
  model.load = good;
  expect((await client.load(() => undefined)).id).toBe("m");
});
