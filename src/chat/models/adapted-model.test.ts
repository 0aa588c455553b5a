import { expect, test } from "vitest";
import type { StoredPackageInfo } from "#worker/api.ts";
import type { ModelClient, ReadyModel } from "./model-client.ts";
import { createAdaptedModel } from "./adapted-model.ts";
import { createModelRegistry } from "./models.ts";
import { createStoredModels, type AdapterRef } from "./storage.ts";

const info = (id: string, more: Partial<StoredPackageInfo>): StoredPackageInfo => ({
  id,
  name: id,
  architecture: "llava",
  license: "",
  storedBytes: 1,
  totalBytes: 1,
  complete: true,
  usedAt: undefined,
  baseUrl: "",
  ...more,
});
const adapter = info("style", { architecture: "llava-adapter", fits: "a", baseName: "llava" });
const ready: ReadyModel = {
  id: "llava",
  name: "llava",
  device: "wasm",
  adapter: "",
  threads: 1,
  notices: [],
  contextLength: 64,
  imageTokens: 4,
  loadMs: 1,
};

/** The page's models over a list of what is stored; `log` tells what their workers were asked. */
function pageOf(list: () => readonly StoredPackageInfo[]) {
  const log: string[] = [];
  const connect = ({ id }: { readonly id: string }): ModelClient => ({
    load() {
      log.push(`load ${id}`);
      return Promise.resolve({ ...ready, id });
    },
    async *generate(_request, _signal, beside) {
      await Promise.resolve();
      log.push(`ask ${id} with ${beside ?? "nothing"}`);
      yield* [];
    },
    onDied: () => () => undefined,
  });
  const registry = createModelRegistry("device", {
    id: "pocket",
    name: "Pocket",
    connect: () => connect({ id: "pocket" }),
  });
  const none = (): never => {
    throw new Error("not asked here");
  };
  const stored = createStoredModels({
    registry,
    connect,
    connectAdapter(ref: AdapterRef) {
      const base = registry.client(ref.baseId);
      if (base === undefined) throw new Error("no base");
      const host = {
        loadAdapter({ id }: { readonly id: string }) {
          log.push(`put ${id} beside ${ref.baseId}`);
          return Promise.resolve();
        },
      };
      return createAdaptedModel({ base, host, adapter: ref });
    },
    packages: {
      list: () => Promise.resolve(list()),
      forget: () => Promise.resolve("done"),
      verify: none,
      exportPackage: none,
      importPackage: none,
      preview: none,
      device: none,
    },
    estimate: () => Promise.resolve({ usedBytes: 0, quotaBytes: 0, persisted: true }),
    builtInId: "pocket",
  });
  const choices = (): string[] => registry.get().choices.map(({ name }) => name);
  return { registry, stored, log, choices };
}

test("an adapter is a model of its own as long as its base is here", async () => {
  let list: StoredPackageInfo[] = [adapter];
  const { stored, registry, choices } = pageOf(() => list);
  await stored.refresh();
  expect(choices()).toEqual(["Pocket"]);
  list = [info("other", { fits: "b" }), info("llava", { fits: "a", complete: false }), adapter];
  await stored.refresh();
  expect(choices()).toEqual(["Pocket", "other"]);
  list = [info("llava", { fits: "a" }), adapter];
  await stored.refresh();
  expect(choices()).toContain("llava + style");
  const client = registry.client("style");
  await stored.refresh();
  expect(registry.client("style")).toBe(client);
  list = [adapter];
  await stored.forget("llava");
  expect(choices()).not.toContain("llava + style");
});

test("the built-in model can be a base, too", async () => {
  const { stored, choices } = pageOf(() => [info("pocket", { fits: "a", name: "Pocket" }), adapter]);
  await stored.refresh();
  expect(choices()).toEqual(["Pocket", "Pocket + style"]);
});

test("choosing it loads the base once, and every answer says with which adapter", async () => {
  const { stored, registry, log } = pageOf(() => [info("llava", { fits: "a" }), adapter]);
  await stored.refresh();
  const [base, adapted] = [registry.select("llava"), registry.select("style")];
  if (!base || !adapted) throw new Error("not offered");
  await base.load(() => undefined);
  expect(await adapted.load(() => undefined)).toMatchObject({ id: "style", name: "llava + style", device: "wasm" });
  await adapted.load(() => undefined);
  const request = {
    messages: [],
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
    maxNewTokens: 1,
    stop: [],
  };
  for (const client of [adapted, base, adapted]) {
    for await (const event of client.generate(request, new AbortController().signal)) throw new Error(event.type);
  }
  expect(log).toEqual([
    "load llava",
    "put style beside llava",
    "ask llava with style",
    "ask llava with nothing",
    "ask llava with style",
  ]);
});
