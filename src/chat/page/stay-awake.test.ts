import { expect, test } from "vitest";
import type { Download, DownloadPhase } from "#chat/downloads/wanted.ts";
import { createCell } from "#chat/observable.ts";
import type { ModelState } from "#chat/store/chat-state.ts";
import { loaded } from "#testing/chat/chat-store.ts";
import { stayAwakeWhileDownloading, stayAwakeWhileLoading } from "./stay-awake.ts";

function createLock() {
  const lock = {
    isHeld: false,
    hold: () => {
      lock.isHeld = true;
    },
    release: () => {
      lock.isHeld = false;
    },
  };
  return lock;
}

const loading = (bytes: number, total: number): { model: ModelState } => ({
  model: { phase: "loading", progress: { loaded: bytes, total, stored: 0 } },
});
const download = (phase: DownloadPhase, bytes: number, total: number): Download => ({
  id: "m",
  name: "M",
  baseUrl: "",
  architecture: "llava",
  bytes: total,
  phase,
  loaded: bytes,
  total,
});

test("the screen stays on from the time that a load has much left until it has nothing left, or ends", () => {
  const lock = createLock();
  const chat = createCell(loading(0, 0));
  stayAwakeWhileLoading(chat, lock);
  chat.set(loading(0, 50e6));
  expect(lock.isHeld).toBe(false);
  chat.set(loading(0, 500e6));
  expect(lock.isHeld).toBe(true);
  chat.set(loading(499e6, 500e6));
  expect(lock.isHeld).toBe(true);
  chat.set(loading(500e6, 500e6));
  expect(lock.isHeld).toBe(false);
  chat.set(loading(0, 500e6));
  chat.set({ model: { phase: "ready", model: loaded } });
  expect(lock.isHeld).toBe(false);
});

test("the screen stays on from the time that a download has much left until none runs", () => {
  const lock = createLock();
  const downloads = createCell<readonly Download[]>([]);
  stayAwakeWhileDownloading(downloads, lock);
  downloads.set([download("paused", 0, 500e6)]);
  expect(lock.isHeld).toBe(false);
  downloads.set([download("running", 0, 500e6)]);
  expect(lock.isHeld).toBe(true);
  downloads.set([download("running", 499e6, 500e6)]);
  expect(lock.isHeld).toBe(true);
  downloads.set([download("done", 500e6, 500e6)]);
  expect(lock.isHeld).toBe(false);
});
