// The page's side over real message channels and Comlink; only the two Workers are stand-ins, with hosts that do as they are told.
import { expose } from "comlink";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { InferenceApi, LoadEvent, LoadedModel, StoredPackage, WeightsApi } from "#worker/api.ts";
import { createModelClient, type WorkerModelClient } from "./client.ts";
import {
  createFetchAhead,
  createPackagesClient,
  createWeightsWorker,
  type WeightsWorker,
} from "#worker/weights/weights-client.ts";

const stored: StoredPackage = { persisted: true, manifest: {}, files: new Map() };
const loadedModel: LoadedModel = {
  id: "tiny",
  name: "Tiny",
  device: "wasm",
  adapter: "",
  threads: 1,
  notices: [],
  contextLength: 64,
  imageTokens: 4,
  loadMs: 1,
};
const request: GenerateRequest = {
  messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 3,
  stop: [],
};
const done = {
  type: "done" as const,
  reason: "length" as const,
  usage: { promptTokens: 1, cachedTokens: 0, imageTokens: 0, newTokens: 3 },
  timings: { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, totalMs: 0 },
} satisfies GenerateEvent;

let weightsApi: WeightsApi;
let inferenceApi: InferenceApi;
let workers: StandIn[] = [];
let weights: WeightsWorker;
let client: WorkerModelClient;

/** A Worker whose script is one of the two APIs above, in this thread. */
class StandIn extends EventTarget {
  readonly name: string;
  readonly #page: MessagePort;
  readonly #inside: MessagePort;
  constructor(_: URL, { name = "" }: WorkerOptions) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.name = name;
    this.#page = port1;
    this.#inside = port2;
    this.#page.addEventListener("message", ({ data }) => {
      this.dispatchEvent(Object.assign(new Event("message"), { data: data as unknown }));
    });
    this.#page.start();
    expose(name === "weights" ? weightsApi : inferenceApi, port2);
    workers.push(this);
  }
  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#page.postMessage(message, transfer);
  }
  terminate(): void {
    this.#page.close();
    this.#inside.close();
  }
  crash(message: string): void {
    this.dispatchEvent(Object.assign(new Event("error"), { message }));
  }
}

beforeEach(() => {
  vi.stubGlobal("Worker", StandIn);
  workers = [];
  weightsApi = {
    async ensure(_, onEvent) {
      await onEvent({ type: "download", loaded: 5, total: 5, stored: 0 });
      return stored;
    },
    fetchAhead: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    isComplete: () => Promise.resolve(true),
  };
  inferenceApi = {
    async load(_, onEvent) {
      await onEvent({ type: "session", part: "vision", device: "wasm" });
      return loadedModel;
    },
    async generate(_, onEvent) {
      for (const text of ["one", "two", "three"]) await onEvent({ type: "text", text });
      await onEvent(done);
    },
    prepare: () => Promise.resolve([]),
    loadAdapter: () => Promise.resolve({ name: "Adapter", baseName: "Tiny" }),
    stop: () => Promise.resolve(),
    ping: () => Promise.resolve(),
  };
  weights = createWeightsWorker();
  client = createModelClient({
    model: { id: "tiny", path: "models/tiny/" },
    weights,
    device: "auto",
    pageUrl: "http://localhost/sub/?device=wasm",
    runtimeUrl: "http://localhost/sub/ort/",
    silenceMs: 400,
  });
});
afterEach(() => {
  client.dispose();
  weights.end();
  vi.unstubAllGlobals();
});

const never = <T>(): Promise<T> => new Promise(() => undefined);
const inference = (): StandIn => {
  const worker = workers.findLast(({ name }) => name === "inference");
  if (!worker) throw new Error("no inference worker");
  return worker;
};

async function collect(signal = new AbortController().signal): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of client.generate(request, signal)) events.push(event);
  return events;
}

/** An engine that says a word every few milliseconds until it is stopped. */
function talkUntilStopped(): { stops: number } {
  const seen = { stops: 0 };
  inferenceApi.generate = async (_, onEvent) => {
    seen.stops = 0;
    while (seen.stops === 0) {
      await onEvent({ type: "text", text: "on " });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await onEvent({ ...done, reason: "abort" });
  };
  inferenceApi.stop = () => {
    seen.stops++;
    return Promise.resolve();
  };
  return seen;
}

test("loading hands the stored package to a new inference worker and passes every event on", async () => {
  let asked: unknown;
  const plain = { ...inferenceApi };
  inferenceApi.load = (request, onEvent) => {
    asked = request;
    return plain.load(request, onEvent);
  };
  const events: LoadEvent[] = [];
  await expect(client.load((event) => events.push(event))).resolves.toEqual(loadedModel);
  expect(events.map(({ type }) => type)).toEqual(["download", "session"]);
  expect(asked).toMatchObject({
    model: { id: "tiny", baseUrl: "http://localhost/sub/models/tiny/" },
    device: "auto",
    runtimeUrl: "http://localhost/sub/ort/",
    package: { persisted: true },
  });
});

test("an answer arrives in order and ends with done", async () => {
  await client.load(() => undefined);
  const events = await collect();
  expect(events.map((event) => (event.type === "text" ? event.text : event.type))).toEqual([
    "one",
    "two",
    "three",
    "done",
  ]);
});

test("the worker is told which pictures are copies of the same, from call to call", async () => {
  await client.load(() => undefined);
  const heard: (string | undefined)[][] = [];
  const keep = ({ messages }: GenerateRequest): void => {
    const parts = messages.flatMap((message) => message.parts);
    heard.push(parts.flatMap((part) => (part.type === "image" ? [part.id] : [])));
  };
  inferenceApi.generate = (asked) => Promise.resolve(keep(asked));
  inferenceApi.prepare = (asked) => {
    keep(asked);
    return Promise.resolve([]);
  };
  const [one, other] = [new Blob(["picture"]), new Blob(["picture"])];
  const about = (...blobs: Blob[]): GenerateRequest => ({
    ...request,
    messages: [{ role: "user", parts: blobs.map((blob) => ({ type: "image" as const, blob })) }],
  });
  await client.prepare(about(one), new AbortController().signal);
  const answered = client.generate(about(one, other, one), new AbortController().signal);
  while ((await answered.next()).done !== true);
  const [[first] = [], again] = heard;
  expect(first).toBeDefined();
  expect(again).toEqual([first, expect.not.stringMatching(`^${first ?? ""}$`), first]);
});

test("an abort becomes a Stop, and the last event still arrives", async () => {
  const seen = talkUntilStopped();
  await client.load(() => undefined);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 30);
  const events = await collect(abort.signal);
  expect(events.at(-1)).toMatchObject({ type: "done", reason: "abort" });
  expect(seen.stops).toBe(1);
});

test("a signal that is aborted before the start still gives an ending", async () => {
  talkUntilStopped();
  await client.load(() => undefined);
  expect((await collect(AbortSignal.abort())).at(-1)).toMatchObject({ type: "done", reason: "abort" });
});

test("leaving the loop stops the worker, and the next answer may begin", async () => {
  const seen = talkUntilStopped();
  await client.load(() => undefined);
  for await (const event of client.generate(request, new AbortController().signal)) {
    expect(event.type).toBe("text");
    break;
  }
  expect(seen.stops).toBe(1);
  for await (const event of client.generate(request, new AbortController().signal)) {
    expect(event.type).toBe("text");
    break;
  }
});

test("an adapter is given to the worker once, and again to one that was started after it", async () => {
  const log: string[] = [];
  inferenceApi.loadAdapter = (id) => {
    log.push(`given ${id}`);
    return Promise.resolve({ name: "Style", baseName: "Tiny" });
  };
  inferenceApi.generate = async (_, onEvent, { adapter } = {}) => {
    log.push(`asked with ${adapter ?? "none"}`);
    await onEvent(done);
  };
  const ask = async (signal = new AbortController().signal, adapter?: string): Promise<void> => {
    for await (const { type } of client.generate(request, signal, adapter)) expect(type).toBe("done");
  };
  const { signal } = new AbortController();
  await client.load(() => undefined);
  await expect(ask(signal, "style")).rejects.toThrow(/the adapter style was not loaded/);
  const adapter = { id: "style", path: "models/style/" };
  expect(await client.loadAdapter(adapter, () => undefined)).toEqual({ name: "Style", baseName: "Tiny" });
  await ask(signal, "style");
  await ask();
  await client.load(() => undefined);
  await ask(signal, "style");
  expect(log).toEqual(["given style", "asked with style", "asked with none", "given style", "asked with style"]);

  // A Stop while the adapter is being put in place is not lost.
  await client.load(() => undefined);
  const abort = new AbortController();
  inferenceApi.loadAdapter = async () => {
    abort.abort();
    await new Promise((resolve) => setTimeout(resolve, 10));
    return { name: "Style", baseName: "Tiny" };
  };
  talkUntilStopped();
  const events: GenerateEvent[] = [];
  for await (const event of client.generate(request, abort.signal, "style")) events.push(event);
  expect(events.at(-1)).toMatchObject({ type: "done", reason: "abort" });
});

test("of two answers at once a Stop ends only the one it was meant for", async () => {
  const running = new Map<string | undefined, () => void>();
  inferenceApi.generate = async (_, onEvent, { job } = {}) => {
    await onEvent({ type: "text", text: "on " });
    await new Promise<void>((resolve) => running.set(job, resolve));
    await onEvent({ ...done, reason: "abort" });
  };
  inferenceApi.stop = (job) => {
    running.get(job)?.();
    return Promise.resolve();
  };
  await client.load(() => undefined);
  const aborts = [new AbortController(), new AbortController()];
  const ended: number[] = [];
  const answers = aborts.map(async ({ signal }, i) => {
    const events = await collect(signal);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "abort" });
    ended.push(i);
  });
  await vi.waitFor(() => expect(running.size).toBe(2));
  aborts[1]?.abort();
  await answers[1];
  expect(ended).toEqual([1]);
  aborts[0]?.abort();
  await Promise.all(answers);
});

test("an error's code survives the trip out of the worker", async () => {
  inferenceApi.generate = () => Promise.reject(new EngineError("context-full", "too long"));
  await client.load(() => undefined);
  const failure: unknown = await collect().catch((error: unknown) => error);
  expect(errorCodeOf(failure)).toBe("context-full");
});

test("a worker that dies during an answer rejects it, tells who listens, and loading again starts a new one", async () => {
  inferenceApi.generate = async (_, onEvent) => {
    await onEvent({ type: "text", text: "one" });
    await never();
  };
  await client.load(() => undefined);
  const deaths: string[] = [];
  client.onDied((error) => deaths.push(error.code));
  setTimeout(() => inference().crash("boom"), 50);
  await expect(collect()).rejects.toMatchObject({ code: "worker-dead" });
  expect(deaths).toEqual(["worker-dead"]);
  await client.load(() => undefined);
  expect(workers.filter(({ name }) => name === "inference")).toHaveLength(2);
});

test("a worker that dies while nothing runs is told to who listens", async () => {
  await client.load(() => undefined);
  const death = new Promise<EngineError>((resolve) => client.onDied(resolve));
  inference().crash("");
  expect((await death).code).toBe("worker-dead");
  await expect(collect()).rejects.toMatchObject({ code: "worker-dead" });
});

test("a worker that neither answers nor speaks is given up", async () => {
  inferenceApi.generate = () => never();
  inferenceApi.ping = () => never();
  await client.load(() => undefined);
  await expect(collect()).rejects.toMatchObject({ code: "worker-dead" });
});

test("stopping a load stops the download and rejects with an AbortError", async () => {
  let stops = 0;
  weightsApi.ensure = () => never();
  weightsApi.stop = () => {
    stops++;
    return Promise.resolve();
  };
  const abort = new AbortController();
  const loading = client.load(() => undefined, abort.signal);
  setTimeout(() => abort.abort(), 30);
  await expect(loading).rejects.toMatchObject({ name: "AbortError" });
  await vi.waitFor(() => expect(stops).toBe(1));
});

test("a download worker that dies rejects the load, and the next load starts a new one", async () => {
  const plain = { ...weightsApi };
  weightsApi.ensure = () => never();
  const loading = client.load(() => undefined);
  setTimeout(() => workers.find(({ name }) => name === "weights")?.crash("boom"), 30);
  await expect(loading).rejects.toMatchObject({ code: "worker-dead" });
  weightsApi = { ...plain };
  await expect(client.load(() => undefined)).resolves.toEqual(loadedModel);
});

test("an answer without a model is refused", async () => {
  await expect(collect()).rejects.toMatchObject({ code: "worker-dead" });
});

test("a question is prepared by the loaded model until its signal stops it", async () => {
  const heard: string[] = [];
  let end = (): void => undefined;
  let preparedAs: string | undefined;
  inferenceApi.prepare = (_, { job } = {}) => {
    heard.push("prepare");
    preparedAs = job;
    return new Promise(
      (resolve) =>
        (end = () => {
          resolve([]);
        }),
    );
  };
  inferenceApi.stop = (job) => {
    heard.push("stop");
    expect(job).toBe(preparedAs);
    end();
    return Promise.resolve();
  };
  const abort = new AbortController();
  await client.prepare(request, abort.signal);
  expect(heard).toEqual([]);
  await client.load(() => undefined);
  const preparing = client.prepare(request, abort.signal);
  await vi.waitFor(() => expect(heard).toEqual(["prepare"]));
  abort.abort();
  await preparing;
  expect(heard).toEqual(["prepare", "stop"]);
  await client.prepare(request, abort.signal);
  expect(heard).toHaveLength(2);
});

/** Locks by name, as a browser grants them one after the other; Node has none. */
function createLocks() {
  const last = new Map<string, Promise<unknown>>();
  return {
    request(name: string, ...rest: unknown[]) {
      const work = rest.at(-1) as () => unknown;
      const turn = (last.get(name) ?? Promise.resolve()).then(work);
      last.set(name, turn);
      return turn;
    },
  };
}

test("models, downloads and the list of what is stored share one download worker, and none stops another's job", async () => {
  const packages = { list: () => Promise.resolve([]) };
  const jobs: string[] = [];
  const stopped: (string | undefined)[] = [];
  const hang = (job: string | undefined) => {
    jobs.push(job ?? "");
    return never<never>();
  };
  Object.assign(weightsApi, packages, {
    ensure: (_: unknown, __: unknown, job?: string) => hang(job),
    fetchAhead: (_: unknown, __: unknown, job?: string) => hang(job),
    stop: (job?: string) => Promise.resolve(void stopped.push(job)),
  });
  const other = createModelClient({
    model: { id: "other", path: "models/other/" },
    weights,
    device: "auto",
    pageUrl: "http://localhost/",
    runtimeUrl: "http://localhost/ort/",
  });
  const abort = new AbortController();
  const first = client.load(() => undefined, abort.signal);
  other.load(() => undefined).catch(() => undefined);
  const ahead = createFetchAhead(weights)({ id: "third", baseUrl: "" }, () => undefined, new AbortController().signal);
  ahead.catch(() => undefined);
  expect(await createPackagesClient(weights).list()).toEqual([]);
  await vi.waitFor(() => expect(new Set(jobs).size).toBe(3));
  expect(workers.filter(({ name }) => name === "weights")).toHaveLength(1);
  abort.abort();
  await expect(first).rejects.toMatchObject({ name: "AbortError" });
  await vi.waitFor(() => expect(stopped).toEqual([jobs[0]]));
  other.dispose();
});

test("a model that is let go ends its worker, and the download worker stays", async () => {
  await client.load(() => undefined);
  let closed = false;
  inference().terminate = () => (closed = true);
  client.dispose();
  expect(closed).toBe(true);
  await expect(collect()).rejects.toMatchObject({ code: "worker-dead" });
  await client.load(() => undefined);
  expect(workers.map(({ name }) => name)).toEqual(["inference", "weights", "inference"]);
});

test("a worker that is gone without a word is told of as soon as its lock is free", async () => {
  const locks = createLocks();
  vi.stubGlobal("navigator", { locks });
  let die = (): void => undefined;
  Object.assign(inferenceApi, {
    holdLock: (name: string) =>
      new Promise<void>((held) => {
        void locks.request(name, () => {
          held();
          return new Promise<void>((resolve) => (die = resolve));
        });
      }),
    generate: () => never(),
    ping: () => never(),
  });
  const patient = createModelClient({
    model: { id: "tiny", path: "models/tiny/" },
    weights,
    device: "auto",
    pageUrl: "http://localhost/",
    runtimeUrl: "http://localhost/ort/",
  });
  await patient.load(() => undefined);
  setTimeout(die, 30);
  const answer = patient.generate(request, new AbortController().signal).next();
  await expect(answer).rejects.toMatchObject({ code: "worker-dead" });
  patient.dispose();
});
