import { expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { LoadEvent, PackageSource } from "#worker/api.ts";
import type { ConversionEvent, ConversionMade, ConversionRequest, GatedPlace } from "#worker/convert/convert-api.ts";
import { createDownloads, type DownloadsOptions } from "./downloads.ts";
import { downloadsKey } from "./stored-downloads.ts";
import { createTransferRate } from "./transfer-rate.ts";

const model = { id: "m", name: "M", baseUrl: "https://a.example/m/", architecture: "llava" as const, bytes: 100 };

interface Call {
  readonly model: PackageSource;
  readonly onEvent: (event: LoadEvent) => void;
  readonly signal: AbortSignal;
  readonly end: (error?: Error) => void;
}

interface ConvertCall {
  readonly request: ConversionRequest;
  readonly onEvent: (event: ConversionEvent) => void;
  readonly signal: AbortSignal;
  readonly end: (outcome: ConversionMade | GatedPlace | Error) => void;
}

/** A fetch that the test ends; it ends by itself when it is aborted. */
function setUp(values = new Map<string, string>(), changes: Partial<DownloadsOptions> = {}) {
  const calls: Call[] = [];
  const converted: ConvertCall[] = [];
  const forgotten: string[] = [];
  const used: string[] = [];
  let at = 0;
  const downloads = createDownloads({
    storage: () => ({
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => void values.set(key, value),
    }),
    fetchAhead: (model, onEvent, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
        calls.push({ model, onEvent, signal, end: (error) => (error ? reject(error) : resolve()) });
      }),
    convert: (request, onEvent, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("paused", "AbortError")));
        converted.push({
          request,
          onEvent,
          signal,
          end: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
        });
      }),
    forget: (id) => Promise.resolve(void forgotten.push(id)).then(() => "done" as const),
    changed: () => Promise.resolve(),
    use: (id) => Promise.resolve(void used.push(id)).then(() => true),
    now: () => at,
    ...changes,
  });
  const progress = (index: number, loaded: number, stored: number, atMs: number): void => {
    at = atMs;
    calls[index]?.onEvent({ type: "download", loaded, total: 100, stored });
  };
  return { downloads, calls, converted, forgotten, used, values, progress };
}

const kept = (values: Map<string, string>): string => values.get(downloadsKey) ?? "";

test("a download tells bytes and pace, becomes the chat's model, and is forgotten then", async () => {
  const { downloads, calls, used, values, progress } = setUp();
  downloads.start(model, "use");
  downloads.start(model, "use");
  expect(calls).toHaveLength(1);
  expect(kept(values)).toContain(model.baseUrl);
  progress(0, 20, 20, 0);
  progress(0, 30, 20, 1000);
  progress(0, 50, 20, 2000);
  expect(downloads.get()).toMatchObject([{ phase: "running", loaded: 50, total: 100, bytesPerSecond: 20 }]);
  calls[0]?.end();
  await vi.waitFor(() => expect(used).toEqual(["m"]));
  await vi.waitFor(() => expect(downloads.get()).toEqual([]));
  expect(kept(values)).not.toContain(model.baseUrl);
});

test("a model that was found again can be used once it is listed, not before", async () => {
  const before = setUp();
  before.downloads.start(model, "use");
  let list: (() => void) | undefined;
  const { downloads, calls } = setUp(before.values, { changed: () => new Promise((resolve) => (list = resolve)) });
  downloads.restore(false);
  calls[0]?.end();
  await vi.waitFor(() => expect(list).toBeDefined());
  expect(downloads.get()).toMatchObject([{ phase: "running" }]);
  list?.();
  await vi.waitFor(() => expect(downloads.get()).toMatchObject([{ phase: "done" }]));
});

test("a model that the chat did not take stands there to be used", async () => {
  const { downloads, calls } = setUp(undefined, { use: () => Promise.reject(new Error("no")) });
  downloads.start(model, "use");
  calls[0]?.end();
  await vi.waitFor(() => expect(downloads.get()).toMatchObject([{ phase: "done" }]));
  downloads.dismiss("m");
  expect(downloads.get()).toEqual([]);
});

test("a pause ends the fetch, and going on begins one more", async () => {
  const { downloads, calls, forgotten } = setUp();
  downloads.start(model, "use");
  downloads.pause("m");
  expect(calls[0]?.signal.aborted).toBe(true);
  downloads.resume("m"); // At once, while the first is still ending.
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect(downloads.get()).toMatchObject([{ phase: "running" }]);
  expect(forgotten).toEqual([]);
});

test("a cancelled download leaves nothing, a cancelled repair what was there", async () => {
  const { downloads, forgotten, values } = setUp();
  downloads.start(model, "use");
  await downloads.cancel("m");
  expect(forgotten).toEqual(["m"]);
  downloads.start(model, "repair");
  await downloads.cancel("m");
  expect(forgotten).toEqual(["m"]);
  expect(downloads.get()).toEqual([]);
  expect(kept(values)).not.toContain(model.baseUrl);
});

test("no room and a failure are told apart, and can be tried again", async () => {
  const { downloads, calls } = setUp();
  downloads.start(model, "use");
  calls[0]?.end(new EngineError("quota", "full"));
  await vi.waitFor(() => expect(downloads.get()).toMatchObject([{ phase: "no-room" }]));
  downloads.resume("m");
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  calls[1]?.end(new EngineError("network", "gone"));
  await vi.waitFor(() => expect(downloads.get()).toMatchObject([{ phase: "failed", code: "network" }]));
});

test("the next visit goes on, but not with what was paused, nor where data costs money; and takes no model unasked", async () => {
  const values = new Map<string, string>();
  setUp(values).downloads.start(model, "use");
  const held = setUp(values);
  held.downloads.restore(true);
  expect(held.downloads.get()).toMatchObject([{ phase: "paused" }]);
  const next = setUp(values);
  next.downloads.restore(false);
  expect(next.calls.map((call) => call.model)).toEqual([{ id: "m", baseUrl: model.baseUrl }]);
  next.downloads.pause("m");
  const after = setUp(values);
  after.downloads.restore(false);
  expect(after.calls).toEqual([]);
  after.downloads.resume("m");
  await vi.waitFor(() => expect(after.calls).toHaveLength(1));
  after.calls[0]?.end();
  await vi.waitFor(() => expect(after.downloads.get()).toMatchObject([{ phase: "done" }]));
  expect(after.used).toEqual([]);
});

test("what another tab pauses, goes on with or ends does the same here", async () => {
  const values = new Map<string, string>();
  const [one, two] = [setUp(values), setUp(values)];
  one.downloads.start(model, "use");
  two.downloads.start(model, "use");
  one.downloads.pause("m");
  two.downloads.followOtherTabs();
  expect(two.downloads.get()).toMatchObject([{ phase: "paused" }]);
  expect(two.calls[0]?.signal.aborted).toBe(true);
  one.downloads.resume("m");
  two.downloads.followOtherTabs();
  await vi.waitFor(() => expect(two.calls).toHaveLength(2));
  await one.downloads.cancel("m");
  two.downloads.followOtherTabs();
  expect(two.downloads.get()).toEqual([]);
  expect(two.calls[1]?.signal.aborted).toBe(true);
  expect(two.forgotten).toEqual([]);
});

test("what is kept is parsed: nonsense is nothing", () => {
  const { downloads } = setUp(new Map([[downloadsKey, '{"version":1,"downloads":[{"id":5}]}']]));
  downloads.restore(false);
  expect(downloads.get()).toEqual([]);
});

test("the pace is that of the last seconds", () => {
  const rate = createTransferRate();
  expect(rate.add(0, 0)).toBeUndefined();
  expect(rate.add(100, 500)).toBeUndefined();
  expect(rate.add(1000, 1000)).toBe(1000);
  for (let second = 2; second <= 20; second++) rate.add(second * 1000, 1000);
  expect(rate.add(21_000, 1000)).toBe(0);
  expect(rate.add(22_000, 500)).toBeUndefined();
});

test("a server that stops sending takes the pace away and is told of; what has come stays, and asking again is a new request", async () => {
  const { downloads, calls, progress } = setUp();
  downloads.start(model, "use");
  progress(0, 20, 0, 0);
  progress(0, 50, 0, 1000);
  expect(downloads.get()[0]?.bytesPerSecond).toBe(30);
  calls[0]?.onEvent({ type: "download", loaded: 0, total: 0, stored: 0, silences: 3 });
  expect(downloads.get()).toMatchObject([{ phase: "running", loaded: 50, total: 100, silences: 3 }]);
  expect(downloads.get()[0]?.bytesPerSecond).toBeUndefined();
  downloads.pause("m");
  downloads.resume("m");
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect(downloads.get()[0]?.silences).toBeUndefined();
  progress(1, 60, 50, 2000);
  expect(downloads.get()).toMatchObject([{ loaded: 60 }]);
});

const place = { kind: "hub", hub: "https://hub.example/", repository: "a/b" } as const;
const checkpoint = { ...model, id: "a/b", baseUrl: "", bytes: 30, checkpoint: { place } };
const event: ConversionEvent = {
  type: "convert",
  stage: "converting",
  fetched: 50,
  toFetch: 100,
  converted: 12,
  kept: 10,
  toKeep: 30,
  bytesPerSecond: 25,
  secondsLeft: 2,
};

test("a checkpoint is converted while it is downloaded: one bar, and the chat goes on with what comes of it", async () => {
  const { downloads, calls, converted, used } = setUp();
  downloads.start(checkpoint, "use");
  expect(calls).toEqual([]);
  expect(converted.map(({ request }) => request)).toEqual([{ place, id: "a/b", name: "M" }]);
  converted[0]?.onEvent(event);
  expect(downloads.get()).toMatchObject([
    {
      phase: "running",
      loaded: 50,
      total: 100,
      bytesPerSecond: 25,
      conversion: { converted: 12, kept: 10, toKeep: 30 },
    },
  ]);
  converted[0]?.end({ kind: "made", id: "a/b" });
  await vi.waitFor(() => expect(used).toEqual(["a/b"]));
  await vi.waitFor(() => expect(downloads.get()).toEqual([]));
});

test("a conversion is paused, gone on with by the next visit with the same request, and cancelled with all that is left", async () => {
  const values = new Map<string, string>();
  const first = setUp(values);
  const asked = { place, weights: ["m.gguf", "mmproj.gguf"], bits: { vision: 8, embed: 8, decoder: 8 } } as const;
  first.downloads.start({ ...checkpoint, checkpoint: asked }, "use");
  first.converted[0]?.onEvent(event);
  first.downloads.pause("a/b");
  expect(first.converted[0]?.signal.aborted).toBe(true);
  expect(first.downloads.get()).toMatchObject([{ phase: "paused", loaded: 50 }]);
  const next = setUp(values);
  next.downloads.restore(false);
  expect(next.downloads.get()).toMatchObject([{ phase: "paused" }]);
  next.downloads.resume("a/b");
  await vi.waitFor(() => expect(next.converted).toHaveLength(1));
  expect(next.converted[0]?.request).toEqual(first.converted[0]?.request);
  await next.downloads.cancel("a/b");
  expect(next.forgotten).toEqual(["a/b"]);
});

test("a gated checkpoint waits for its token, and is then asked for again", async () => {
  const { downloads, converted } = setUp();
  downloads.start(checkpoint, "use");
  converted[0]?.end({ kind: "gated", status: 401, page: "https://hub.example/a/b" });
  await vi.waitFor(() => expect(downloads.get()).toMatchObject([{ phase: "gated", gated: { status: 401 } }]));
  downloads.resume("a/b");
  await vi.waitFor(() => expect(converted).toHaveLength(2));
});

test("what the converter says of a checkpoint that it can't read is told", async () => {
  const { downloads, converted } = setUp();
  downloads.start(checkpoint, "use");
  converted[0]?.end(new EngineError("bad-checkpoint", "model.safetensors is truncated"));
  await vi.waitFor(() =>
    expect(downloads.get()).toMatchObject([{ phase: "failed", message: "model.safetensors is truncated" }]),
  );
});

test("dropped files are converted in this tab alone, and not asked for by the next visit", () => {
  const values = new Map<string, string>();
  const { downloads, converted } = setUp(values);
  const files = { kind: "files", name: "b", files: new Map([["config.json", new File([], "config.json")]]) } as const;
  downloads.start({ ...checkpoint, checkpoint: { place: files } }, "use");
  downloads.followOtherTabs();
  expect(downloads.get()).toMatchObject([{ phase: "running" }]);
  expect(converted).toHaveLength(1);
  expect(kept(values)).not.toContain("a/b");
});
