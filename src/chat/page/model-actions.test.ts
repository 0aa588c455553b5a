import { expect, test } from "vitest";
import type { ModelClient } from "#chat/models/model-client.ts";
import { createModelRegistry, type ModelOffer } from "#chat/models/models.ts";
import { ScriptedModel } from "#testing/chat/chat-store.ts";
import { createModelActions } from "./model-actions.ts";

function setUp({ forgets = "done" }: { forgets?: "done" | "in-use" } = {}) {
  const events: string[] = [];
  const registry = createModelRegistry("device", { id: "small", name: "Small", connect: () => new ScriptedModel() });
  const offer = (id: string, model = new ScriptedModel()): ModelOffer => ({ id, name: id, connect: () => model });
  let chosen: ModelClient | undefined;
  const actions = createModelActions({
    registry,
    memory: { release: (id) => events.push(`release ${id}`) },
    stored: {
      forget: (id) => {
        if (forgets === "done") registry.offer("stored", []);
        events.push(`forget ${id}`);
        return Promise.resolve(forgets);
      },
      refresh: () => Promise.resolve(registry.offer("stored", [offer("found")])),
    },
    servers: { remove: (id) => registry.offer(id, []) },
    builtInId: "small",
    switchModel: (client) => {
      chosen = client;
      events.push(`switch ${registry.get().selected.id}`);
      return Promise.resolve();
    },
    remember: (id) => events.push(`remember ${id}`),
  });
  return { actions, events, registry, offer, chosen: () => chosen };
}

test("a choice switches the chat and is remembered; a model that nobody offers can't be chosen", () => {
  const { actions, events, registry, offer } = setUp();
  registry.offer("stored", [offer("big")]);
  actions.select("big");
  expect(events).toEqual(["remember big", "switch big"]);
  actions.select("nowhere");
  expect(registry.get().selected.id).toBe("big");
  expect(events).toHaveLength(2);
});

test("a deleted model leaves the memory; where it was the chosen one, the built-in one goes on first", async () => {
  const { actions, events, registry, offer } = setUp();
  registry.offer("stored", [offer("big")]);
  await actions.forget("big");
  expect(events).toEqual(["forget big", "release big"]);
  registry.offer("stored", [offer("big")]);
  actions.select("big");
  events.length = 0;
  await actions.forget("big");
  expect(events).toEqual(["forget big", "remember small", "switch small"]);
});

test("a model that is in use elsewhere stays", async () => {
  const { actions, events, registry, offer } = setUp({ forgets: "in-use" });
  registry.offer("stored", [offer("big")]);
  expect(await actions.forget("big")).toBe("in-use");
  expect(events).toEqual(["forget big"]);
});

test("when the server of the chosen model is removed, the built-in one goes on", () => {
  const { actions, events, registry, offer } = setUp();
  registry.offer("server", [offer("server/a")]);
  registry.offer("other", [offer("other/a")]);
  actions.select("server/a");
  events.length = 0;
  actions.removeServer("other");
  expect(events).toEqual([]);
  actions.removeServer("server");
  expect(events).toEqual(["remember small", "switch small"]);
});

test("a downloaded model is loaded before the chat goes on with it", async () => {
  const { actions, events, registry, offer } = setUp();
  const model = new ScriptedModel();
  registry.offer("stored", [offer("big", model)]);
  expect(await actions.useDownloaded("big")).toBe(true);
  expect(model.loads).toBe(1);
  expect(events).toEqual(["remember big", "switch big"]);
  expect(await actions.useDownloaded("nowhere")).toBe(false);
});

test("a downloaded model does not take the place of one that was chosen while it loaded", async () => {
  const { actions, registry, offer } = setUp();
  registry.offer("stored", [offer("big"), offer("other")]);
  const using = actions.useDownloaded("big");
  actions.select("other");
  expect(await using).toBe(false);
  expect(registry.get().selected.id).toBe("other");
});

test("the model that a visit begins with is found among the stored ones, without being remembered", async () => {
  const { actions, events, chosen, registry } = setUp();
  expect(await actions.findStored("nowhere")).toBe(false);
  expect(events).toEqual([]);
  expect(await actions.findStored("found")).toBe(true);
  expect(events).toEqual(["switch found"]);
  expect(chosen()).toBe(registry.client("found"));
});
