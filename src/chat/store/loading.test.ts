// A load that stands still, and is ended or started over by the user.
import { expect, test, vi } from "vitest";
import type { LoadEvent } from "#worker/api.ts";
import type { ModelClient } from "#chat/models/model-client.ts";
import { loadOnce } from "#chat/models/load-once.ts";
import { loaded } from "#testing/chat/chat-store.ts";
import { MemoryPersistence } from "#testing/chat/memory-persistence.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore } from "./store.ts";

/** A model that is fetched until the test says that it is here, or somebody ends it. */
function setUp() {
  const loads: { readonly onEvent: (event: LoadEvent) => void; readonly arrive: () => void }[] = [];
  const client: ModelClient = {
    load: (onEvent, signal) =>
      new Promise((resolve, reject) => {
        loads.push({ onEvent, arrive: () => resolve(loaded) });
        signal?.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
      }),
    generate: () => {
      throw new Error("not in this test");
    },
    onDied: () => () => undefined,
  };
  const persistence = new MemoryPersistence();
  const settings = defaultSettings({ knows: "basics" });
  const shared = loadOnce(client);
  return { loads, shared, store: createChatStore({ client: shared, persistence, settings, newId: () => "id" }) };
}

test("how often a server fell silent is told until bytes come again", () => {
  const { store, loads } = setUp();
  void store.start();
  const progress = (): unknown => store.get().model;
  loads[0]?.onEvent({ type: "download", loaded: 5, total: 10, stored: 0, silences: 2 });
  expect(progress()).toMatchObject({ progress: { loaded: 5, silences: 2 } });
  loads[0]?.onEvent({ type: "download", loaded: 6, total: 10, stored: 0 });
  expect(progress()).not.toHaveProperty("progress.silences");
});

test("asking again ends the load that stands still, and a new one brings the model", async () => {
  const { store, loads } = setUp();
  const starting = store.start();
  store.stopLoading(true);
  await vi.waitFor(() => expect(loads).toHaveLength(2));
  expect(store.get().model.phase).toBe("loading");
  loads[1]?.arrive();
  await starting;
  expect(store.get().model.phase).toBe("ready");
});

test("cancelling says that it was stopped, and starting it again loads it", async () => {
  const { store, loads } = setUp();
  const starting = store.start();
  store.stopLoading(false);
  await starting;
  expect(store.get().model).toMatchObject({ phase: "failed", ended: "stopped" });
  const again = store.start();
  expect(loads).toHaveLength(2);
  loads[1]?.arrive();
  await again;
  expect(store.get().model.phase).toBe("ready");
});

test("one who waits for the same load can end it for all", async () => {
  const { shared, loads } = setUp();
  const abort = new AbortController();
  const first = shared.load(() => undefined);
  const second = shared.load(() => undefined, abort.signal);
  abort.abort();
  await expect(first).rejects.toMatchObject({ name: "AbortError" });
  await expect(second).rejects.toMatchObject({ name: "AbortError" });
  void shared.load(() => undefined);
  expect(loads).toHaveLength(2);
});
