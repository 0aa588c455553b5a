import { afterEach, expect, test, vi } from "vitest";
import { readOfflineStatus, waitUntilOffline } from "./offline-status.ts";
import { runtimeBuilds, runtimeCacheName } from "./runtime-cache.ts";

const baseUrl = "https://example.test/app/";
const stored = () => Promise.resolve(true);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A browser whose caches hold these addresses; the runtime's files are in a cache of their own. */
function stubBrowser({ pages = [] as string[], runtime = undefined as string[] | undefined, controlled = true }): void {
  vi.stubGlobal("navigator", { serviceWorker: { controller: controlled ? {} : null } });
  vi.stubGlobal("caches", {
    match: (url: string) => Promise.resolve(pages.includes(url) ? new Response("") : undefined),
    has: (name: string) => Promise.resolve(name === runtimeCacheName(baseUrl) && runtime !== undefined),
    open: () => Promise.resolve({ keys: () => Promise.resolve((runtime ?? []).map((url) => new Request(url))) }),
  });
}

const page = `${baseUrl}index.html`;
const filesOf = (build: string): string[] => [`${baseUrl}ort/1/${build}.mjs`, `${baseUrl}ort/1/${build}.wasm`];

test("with the page, the device's runtime and the weights stored, a visit without a network would work", async () => {
  stubBrowser({ pages: [page], runtime: filesOf(runtimeBuilds.wasm) });
  expect(await readOfflineStatus({ baseUrl, device: "wasm", isModelStored: stored })).toEqual({
    shell: true,
    runtime: true,
    weights: true,
    ready: true,
  });
});

test("either WebGPU build is enough for WebGPU, and no other build is", async () => {
  const runtimeFor = async (files: string[]): Promise<boolean> => {
    stubBrowser({ pages: [page], runtime: files });
    return (await readOfflineStatus({ baseUrl, device: "webgpu", isModelStored: stored })).runtime;
  };
  expect(await runtimeFor(filesOf(runtimeBuilds.jspi))).toBe(true);
  expect(await runtimeFor(filesOf(runtimeBuilds.asyncify))).toBe(true);
  expect(await runtimeFor(filesOf(runtimeBuilds.wasm))).toBe(false);
});

test("a model that needs no runtime's files works without them", async () => {
  stubBrowser({ pages: [page] });
  const question = { baseUrl, device: "wasm" as const, isModelStored: stored };
  expect(await readOfflineStatus({ ...question, runtimeFree: true })).toMatchObject({ runtime: true, ready: true });
  expect(await readOfflineStatus(question)).toMatchObject({ runtime: false, ready: false });
});

test("a build of which one file is missing does not count", async () => {
  stubBrowser({ pages: [page], runtime: filesOf(runtimeBuilds.wasm).slice(0, 1) });
  expect(await readOfflineStatus({ baseUrl, device: "wasm", isModelStored: stored })).toMatchObject({
    runtime: false,
    ready: false,
  });
});

test("the runtime of another app on the same origin does not count", async () => {
  stubBrowser({ pages: [page, "https://example.test/other/index.html"], runtime: filesOf(runtimeBuilds.wasm) });
  const other = { baseUrl: "https://example.test/other/", device: "wasm" as const, isModelStored: stored };
  expect(await readOfflineStatus(other)).toMatchObject({ shell: true, runtime: false, ready: false });
});

test("a page that no worker controls is not there without a network, whatever is cached", async () => {
  stubBrowser({ pages: [page], runtime: filesOf(runtimeBuilds.wasm), controlled: false });
  expect(await readOfflineStatus({ baseUrl, device: "wasm", isModelStored: stored })).toMatchObject({
    shell: false,
    ready: false,
  });
});

test("a browser without caches has nothing stored but perhaps the weights", async () => {
  vi.stubGlobal("navigator", {});
  expect(await readOfflineStatus({ baseUrl, device: "wasm", isModelStored: stored })).toEqual({
    shell: false,
    runtime: false,
    weights: true,
    ready: false,
  });
});

test("the question is asked again until the last file is written, and not for ever", async () => {
  vi.useFakeTimers();
  stubBrowser({ pages: [page], runtime: filesOf(runtimeBuilds.wasm) });
  let asked = 0;
  const late = { baseUrl, device: "wasm" as const, isModelStored: () => Promise.resolve(++asked >= 3) };
  const status = waitUntilOffline(late);
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await status).ready).toBe(true);
  expect(asked).toBe(3);
  asked = -100;
  const never = waitUntilOffline(late, 4);
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await never).ready).toBe(false);
  expect(asked).toBe(-96);
});
