import { afterEach, describe, expect, test } from "vitest";
import { request, say } from "#testing/servers/asking.node.ts";
import { fingerprint } from "#testing/servers/fake-request.node.ts";
import { startFakeServer, type FakeServer, type FakeServerOptions } from "#testing/servers/fake-server.node.ts";
import { createModelRegistry } from "#chat/models/models.ts";
import { createServers, type Servers } from "./servers.ts";
import type { GetStorage } from "#chat/local-storage.ts";
import { queuedTurn, reduceTurn, runTurn, type TurnEvent } from "#chat/run-turn.ts";

let running: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  running = [];
});
async function start(options: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer(options);
  running.push(server);
  return server;
}

function memory(): { readonly items: Map<string, string>; readonly storage: GetStorage } {
  const items = new Map<string, string>();
  return {
    items,
    storage: () => ({ getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) }),
  };
}

function open(storage: GetStorage) {
  const registry = createModelRegistry("device", {
    id: "pocket",
    name: "Pocket",
    connect: () => {
      throw new Error("not in this test");
    },
  });
  let id = 0;
  const servers = createServers({
    storage,
    registry,
    encodePicture: (blob) => Promise.resolve(blob),
    newId: () => `server-${++id}`,
  });
  return { registry, servers };
}
const connect = async (servers: Servers, url: string, key = "", name = ""): Promise<string> => {
  const result = await servers.connect({ url, key, name });
  return result.ok ? result.id : result.problem.code;
};

describe("connecting a server", () => {
  test("its models join the list, say where they send things, and answer with pictures", async () => {
    const server = await start({ models: ["llava-13b", "llava-34b"] });
    const { registry, servers } = open(memory().storage);
    const id = await connect(servers, server.url, "", "Workstation");
    const host = new URL(server.url).host;
    expect(servers.get()).toMatchObject([{ id, name: "Workstation", host, hasKey: false }]);
    expect(registry.get().choices).toMatchObject([
      { id: "pocket" },
      { name: "llava-13b", host },
      { name: "llava-34b", host },
    ]);
    const client = registry.select(`${id}/llava-34b`);
    expect(await client?.load(() => undefined)).toMatchObject({ device: "remote", host, contextLength: 4096 });
    const blob = new Blob(["picture"], { type: "image/png" });
    const events: TurnEvent[] = [];
    if (client !== undefined)
      await runTurn(
        client,
        {
          messages: [
            {
              role: "user",
              parts: [
                { type: "image", blob },
                { type: "text", text: "What?" },
              ],
            },
          ],
          sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
          maxNewTokens: 100,
          stop: [],
        },
        new AbortController().signal,
        (event) => events.push(event),
      );
    const words = events.map((event) => (event.type === "text" ? event.text : "")).join("");
    expect(words).toContain(fingerprint(new TextEncoder().encode("picture")));
    expect(server.requests.at(-1)?.body).toMatchObject({ model: "llava-34b" });
  });

  test("it is there on the next visit with its models, and is asked nothing until it is needed", async () => {
    const server = await start({ key: "sk-secret" });
    const { storage } = memory();
    const id = await connect(open(storage).servers, server.url, "sk-secret");
    const before = server.requests.length;
    const { registry, servers } = open(storage);
    expect(servers.get()).toMatchObject([{ id, hasKey: true }]);
    expect(registry.get().choices).toHaveLength(2);
    expect(server.requests).toHaveLength(before);
    await registry.select(registry.get().choices[1]?.id ?? "")?.load(() => undefined);
    expect(server.requests.at(-1)?.authorization).toBe("Bearer sk-secret");
  });

  test("the key stands in its own place in the storage, and nowhere in what the page gets", async () => {
    const server = await start({ key: "sk-secret" });
    const { items, storage } = memory();
    const { registry, servers } = open(storage);
    await connect(servers, server.url, "sk-secret");
    expect([...items].filter(([, value]) => value.includes("sk-secret")).map(([key]) => key)).toEqual([
      "llava-web-servers",
    ]);
    expect(JSON.stringify([servers.get(), registry.get()])).not.toContain("sk-secret");
  });

  test("connected again with another key it is the same server, and its models use the new key", async () => {
    const server = await start();
    const { registry, servers } = open(memory().storage);
    const id = await connect(servers, server.url, "old");
    const model = registry.get().choices[1]?.id ?? "";
    registry.select(model);
    expect(await connect(servers, server.url, "new")).toBe(id);
    await registry.select(model)?.load(() => undefined);
    expect(server.requests.at(-1)?.authorization).toBe("Bearer new");
    expect(servers.get()).toHaveLength(1);
  });

  test("what can't be connected is not kept, and says why", async () => {
    const locked = await start({ key: "sk-secret" });
    const empty = await start({ models: [] });
    const { items, storage } = memory();
    const { servers } = open(storage);
    expect(await connect(servers, locked.url, "wrong")).toBe("server-key");
    expect(await connect(servers, empty.url)).toBe("server-empty");
    expect(await connect(servers, "http://192.168.0.7:8000")).toBe("server-insecure");
    expect(await connect(servers, "no address at all")).toBe("server-address");
    expect(servers.get()).toEqual([]);
    expect(items.size).toBe(0);
  });

  test("a key that can't be sent is not kept, and what surely is no part of one is taken off", async () => {
    const server = await start({ key: "sk-secret" });
    const { items, storage } = memory();
    const { servers } = open(storage);
    const result = await servers.connect({ url: server.url, key: "“sk-secret”", name: "" });
    expect(result).toMatchObject({ ok: false, problem: { code: "server-key-characters", said: "“ (U+201C)" } });
    expect(items.size).toBe(0);
    expect(await connect(servers, server.url, ' Bearer "sk-secret" ')).toBe("server-1");
    expect(items.get("llava-web-servers")).toContain('"key":"sk-secret"');
  });

  test.each([
    ["has no list", { status: 404, body: '{"detail":"Not Found"}' }, "server-not-found"],
    ["has only POST", { status: 405, body: "" }, "server-not-found"],
    ["lists nothing", { status: 200, body: '{"data":[]}' }, "server-empty"],
    ["lists something else", { status: 200, body: '{"hello":1}' }, "server-wrong-answer"],
  ])("of a server that %s a model can be named, which is kept and asked", async (_, list, code) => {
    const server = await start({ list, models: ["my-llava"] });
    const { storage } = memory();
    const { servers } = open(storage);
    const typed = { url: server.url, key: "", name: "" };
    expect(await servers.connect(typed)).toMatchObject({ problem: { code, canNameModel: true } });
    const connected = await servers.connect({ ...typed, model: " my-llava " });
    expect(connected).toMatchObject({ ok: true });
    // It stays when the list is asked for again, and on the next visit.
    await servers.refresh();
    expect(servers.get()).toMatchObject([{ models: [{ name: "my-llava" }], problem: undefined }]);
    const later = open(storage);
    const client = later.registry.select(later.registry.get().choices[1]?.id ?? "");
    expect(await client?.load(() => undefined)).toMatchObject({ name: "my-llava", contextLength: Infinity });
    const events: TurnEvent[] = [];
    if (client !== undefined)
      await runTurn(client, request([say("Hello?")]), new AbortController().signal, (event) => events.push(event));
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "eos" });
    expect(server.requests.at(-1)?.body).toMatchObject({ model: "my-llava" });
  });

  test("a model that was named joins those that a server lists; a server that can't be reached takes none", async () => {
    const server = await start({ models: ["a"] });
    const { registry, servers } = open(memory().storage);
    expect(await servers.connect({ url: server.url, key: "", name: "", model: "b" })).toMatchObject({ ok: true });
    expect(registry.get().choices.map(({ name }) => name)).toEqual(["Pocket", "a", "b"]);
    const locked = await start({ key: "sk-secret" });
    expect(await servers.connect({ url: locked.url, key: "", name: "", model: "b" })).toMatchObject({
      problem: { code: "server-key" },
    });
  });

  test("a dialog that is closed while a server is silent connects nothing", async () => {
    const server = await start({ silentLists: 1 });
    const { items, storage } = memory();
    const { servers } = open(storage);
    const connecting = servers.connect({ url: server.url, key: "", name: "" }, AbortSignal.timeout(30));
    await expect(connecting).rejects.toMatchObject({ name: "TimeoutError" });
    expect(items.size).toBe(0);
  });

  test("an answer that repeats the key is kept without it, and so is an error", async () => {
    const server = await start({
      key: "sk-secret-key-7",
      answer: () => "Your key is sk-secret-key-7, or c2stc2VjcmV0LWtleS03.",
    });
    const { registry, servers } = open(memory().storage);
    const id = await connect(servers, server.url, "sk-secret-key-7");
    const client = registry.select(`${id}/llava-hf/llava-1.5-13b-hf`);
    const events: TurnEvent[] = [];
    const ask = async (): Promise<void> => {
      if (client !== undefined)
        await runTurn(client, request([say("x")]), new AbortController().signal, (event) => events.push(event));
    };
    await ask();
    server.fail({ type: "status", status: 400, body: '{"message":"who is SK-SECRET-KEY-7?"}' });
    await ask();
    const turn = events.reduce(reduceTurn, queuedTurn("a"));
    expect(turn.text).toMatch(/^Your key is …, or ….?\.$/);
    expect(events.at(-1)).toMatchObject({ failure: { code: "server-rejected", said: "HTTP 400: who is …?" } });
    expect(JSON.stringify(events).toLowerCase()).not.toContain("secret-key");
  });

  test("a list that changed shows the change; a server that is gone keeps its models and has a problem", async () => {
    const server = await start({ models: ["a"] });
    const { registry, servers } = open(memory().storage);
    await connect(servers, server.url);
    server.setModels(["a", "b"]);
    await servers.refresh();
    expect(registry.get().choices.map(({ name }) => name)).toEqual(["Pocket", "a", "b"]);
    await server.stop();
    await servers.refresh();
    expect(servers.get()).toMatchObject([{ problem: { code: "server-unreachable" } }]);
    expect(registry.get().choices).toHaveLength(3);
  });

  test("a model the server took away since is told of when it is chosen", async () => {
    const server = await start({ models: ["a"] });
    const { registry, servers } = open(memory().storage);
    await connect(servers, server.url);
    server.setModels(["b"]);
    const loading = registry.select(registry.get().choices[1]?.id ?? "")?.load(() => undefined);
    await expect(loading).rejects.toMatchObject({ code: "server-model-gone" });
  });

  test("forgetting it forgets its key and its models", async () => {
    const server = await start({ key: "sk-secret" });
    const { items, storage } = memory();
    const { registry, servers } = open(storage);
    servers.remove(await connect(servers, server.url, "sk-secret"));
    expect([...items.values()].join("")).not.toContain("sk-secret");
    expect(registry.get().choices).toHaveLength(1);
  });

  test("a storage that holds nonsense, or addresses no longer allowed, holds no servers", () => {
    for (const value of [
      "{",
      "[]",
      '{"version":9}',
      '{"version":1,"servers":[{"id":"x","name":"x","url":"http://192.168.0.7/v1","models":[]}]}',
    ]) {
      const { items, storage } = memory();
      items.set("llava-web-servers", value);
      expect(open(storage).servers.get()).toEqual([]);
    }
  });
});
