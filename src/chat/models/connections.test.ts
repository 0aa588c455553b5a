import { expect, test } from "vitest";
import { ScriptedModel } from "#testing/chat/chat-store.ts";
import { createConnections } from "./connections.ts";
import { createModelMemory } from "./memory.ts";
import type { ModelClient } from "./model-client.ts";

class PackageModel extends ScriptedModel {
  readonly adapters: string[] = [];
  isStored = () => Promise.resolve(true);
  dispose = (): void => undefined;
  loadAdapter = ({ id }: { readonly id: string }) => Promise.resolve(this.adapters.push(id));
}

function setUp() {
  const offered = new Map<string, ModelClient>();
  const connections = createConnections({
    createClient: () => new PackageModel(),
    memory: createModelMemory(Infinity),
    offeredClient: (id) => offered.get(id),
  });
  return { connections, offered };
}

const base = { id: "base", path: "models/base/", architecture: "llava" } as const;
const adapter = { id: "adapter", path: "", name: "Base + Adapter", baseId: "base" } as const;

test("an adapter shares the worker of its base", async () => {
  const { connections, offered } = setUp();
  offered.set("base", connections.connect(base));
  const adapted = connections.connectAdapter(adapter);
  expect(connections.get("adapter")).toBe(connections.get("base"));
  expect(await adapted.load(() => undefined)).toMatchObject({ id: "adapter", name: "Base + Adapter" });
  const client = connections.get("base")?.client;
  expect(client instanceof PackageModel && client.adapters).toEqual(["adapter"]);
});

test("what was not connected here has no worker, and an adapter none without its base", () => {
  const { connections } = setUp();
  expect(connections.get("server/model")).toBeUndefined();
  expect(() => connections.connectAdapter(adapter)).toThrow("base");
});
