import { expect, test, vi } from "vitest";
import { startPage, type PageStart } from "./start-page.ts";

/** Notes each step when it begins, and when it ends where that is later. */
function recorded(changes: Partial<PageStart> = {}): { readonly steps: string[]; readonly page: PageStart } {
  const steps: string[] = [];
  const now = (name: string) => (): void => void steps.push(name);
  const later = (name: string) => async (): Promise<void> => {
    steps.push(name);
    await Promise.resolve();
    steps.push(`${name}, done`);
  };
  const page: PageStart = {
    restoreChat: later("chat"),
    followAddress: now("address"),
    startServiceWorker: later("service worker"),
    forgetLaunch: now("launch"),
    receiveIncoming: now("incoming"),
    watchForUpdate: () => Promise.resolve(),
    askToPersist: () => Promise.resolve(),
    findFirstModel: later("first model"),
    startModel: later("model"),
    resumeDownloads: now("downloads"),
    refreshStored: later("stored"),
    preparePhotoModels: later("photographs"),
    ...changes,
  };
  return { steps, page };
}

test("the steps follow each other, and the page may reload before anything of the launch is used up or a model loads", async () => {
  const { steps, page } = recorded();
  await startPage(page);
  expect(steps).toEqual([
    "chat",
    "chat, done",
    "address",
    "service worker",
    "service worker, done",
    "launch",
    "incoming",
    "first model",
    "first model, done",
    "model",
    "model, done",
    "downloads",
    "stored",
    "stored, done",
    "photographs",
    "photographs, done",
  ]);
});

test("without a service worker and without word of new versions the page starts all the same, and a developer is told", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
  const fail = () => Promise.reject(new Error("expected in this test"));
  const { steps, page } = recorded({ startServiceWorker: fail, watchForUpdate: fail });
  await startPage(page);
  expect(steps.at(-1)).toBe("photographs, done");
  expect(warn).toHaveBeenCalledTimes(2);
  warn.mockRestore();
});

test("nobody waits for the browser's word on whether it will keep what is stored", async () => {
  const { steps, page } = recorded({ askToPersist: () => new Promise(() => undefined) });
  await startPage(page);
  expect(steps.at(-1)).toBe("photographs, done");
});
