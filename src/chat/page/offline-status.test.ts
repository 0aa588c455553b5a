import { expect, test, vi } from "vitest";
import type { Connection } from "#chat/models/connections.ts";
import type { ReadyModel } from "#chat/models/model-client.ts";
import { createCell } from "#chat/observable.ts";
import type { ModelState } from "#chat/store/chat-state.ts";
import { loaded, ScriptedModel } from "#testing/chat/chat-store.ts";
import { createOfflineStatus, type OfflineQuestion } from "./offline-status.ts";

class StoredModel extends ScriptedModel {
  isStored = () => Promise.resolve(true);
  dispose = (): void => undefined;
  loadAdapter = () => Promise.resolve();
}

function setUp(architecture: Connection["architecture"] = "llava") {
  const chat = createCell<{ readonly model: ModelState }>({
    model: { phase: "loading", progress: { loaded: 0, total: 0, stored: 0 } },
  });
  const asked: OfflineQuestion[] = [];
  const answers: ((isStored: boolean) => void)[] = [];
  const status = createOfflineStatus({
    chat,
    connections: { get: (id) => (id === "here" ? { client: new StoredModel(), architecture } : undefined) },
    isEverythingStored: (question) => {
      asked.push(question);
      return new Promise((resolve) => answers.push(resolve));
    },
  });
  const ready = (changes: Partial<ReadyModel>): void =>
    chat.set({ model: { phase: "ready", model: { ...loaded, id: "here", ...changes } } });
  return { status, asked, answers, ready, chat };
}

test("each time that a model becomes ready, what it needs is looked up once", async () => {
  const { status, asked, answers, ready, chat } = setUp();
  ready({ runtimeFree: true });
  chat.set({ ...chat.get() });
  expect(asked).toMatchObject([{ device: "wasm", runtimeFree: true }]);
  expect(await asked[0]?.isModelStored()).toBe(true);
  expect(status.get()).toBe(false);
  answers[0]?.(true);
  await vi.waitFor(() => expect(status.get()).toBe(true));
});

test("a hub's model needs the hub's library", () => {
  const { asked, ready } = setUp("transformers.js");
  ready({});
  expect(asked).toMatchObject([{ device: "hub", runtimeFree: false }]);
});

test("a server's answers are not there without a network", async () => {
  const { status, answers, asked, ready } = setUp();
  ready({});
  answers[0]?.(true);
  await vi.waitFor(() => expect(status.get()).toBe(true));
  ready({ id: "there", device: "remote", host: "gpu.example" });
  expect(status.get()).toBe(false);
  expect(asked).toHaveLength(1);
});

test("what is found out about an earlier model comes too late", async () => {
  const { status, answers, ready } = setUp();
  ready({ device: "wasm" });
  ready({ device: "webgpu" });
  answers[0]?.(true);
  answers[1]?.(false);
  await Promise.resolve();
  expect(status.get()).toBe(false);
});
