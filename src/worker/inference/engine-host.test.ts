// Stands in for the browsers that are not here: adapters of every kind, an engine that passes or fails its self-test.
import { expect, test, vi } from "vitest";
import type { Engine } from "#engine/engine.ts";
import { EngineError } from "#engine/errors.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { Device, GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { LoadEvent, LoadRequest } from "#worker/api.ts";
import { createInferenceHost } from "./engine-host.ts";
import type { Probe } from "./load-engine.ts";

vi.stubGlobal("crossOriginIsolated", true);
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const graph = { path: "g.onnx", data: [], bits: 4 };
const manifest = {
  version: 1,
  model: {
    id: "tiny",
    name: "Tiny",
    license: "Apache-2.0",
    architecture: "llava",
    template: "vicuna_v1",
    imageAspect: "pad",
    imageTokens: 4,
    contextLength: 64,
  },
  graphs: { vision: graph, embed: graph, decoder: graph },
  files: [{ path: "g.onnx", bytes: 0, shards: [] }],
};

const loadRequest = (device: LoadRequest["device"], persisted = true): LoadRequest => ({
  model: { id: "tiny", baseUrl: "http://localhost/" },
  package: { persisted, manifest, files: new Map([["g.onnx", new Blob([])]]) },
  device,
  runtimeUrl: "http://localhost/ort/",
});

const request: GenerateRequest = {
  messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 3,
  stop: [],
};

const done: GenerateEvent = {
  type: "done",
  reason: "length",
  usage: { promptTokens: 1, cachedTokens: 0, imageTokens: 0, newTokens: 3 },
  timings: { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, totalMs: 0 },
};

interface Machine {
  readonly probe: Probe;
  readonly threads?: number;
  /** Devices whose self-test fails. */
  readonly wrong?: readonly Device[];
  /** Failure of the engine on WebGPU. */
  readonly webgpuFails?: EngineError;
  /** Failure of the engine on every device, after it has begun to load. */
  readonly failsAfterProgress?: EngineError;
}

/** A host on a machine, and which runtimes and engines are alive on it. */
function hostOn(machine: Machine) {
  const alive: string[] = [];
  const leave = (name: string): Promise<void> => {
    alive.splice(alive.indexOf(name), 1);
    return Promise.resolve();
  };
  const runtimeOf = (device: Device): Runtime => {
    alive.push(`runtime ${device}`);
    const partial: Partial<Runtime> = {
      device,
      adapter: device === "webgpu" ? "A real one" : "",
      threads: device === "wasm" ? (machine.threads ?? 2) : 1,
      dispose: () => leave(`runtime ${device}`),
    };
    return partial as Runtime;
  };
  const host = createInferenceHost({
    probeGpu: () => Promise.resolve(machine.probe),
    createWebGpuRuntime: () => Promise.resolve(runtimeOf("webgpu")),
    createWasmRuntime: () => Promise.resolve(runtimeOf("wasm")),
    createEngine({ runtime, info, onProgress }) {
      const { device } = runtime;
      if (device === "webgpu" && machine.webgpuFails) return Promise.reject(machine.webgpuFails);
      for (const part of ["vision", "embed", "decoder"] as const) onProgress?.(part);
      if (machine.failsAfterProgress) return Promise.reject(machine.failsAfterProgress);
      alive.push(`engine ${device}`);
      const engine: Engine = {
        info,
        contextLength: 64,
        expanded: false,
        selfTest: () => Promise.resolve({ ok: machine.wrong?.includes(device) !== true, worst: 9 }),
        async *generate(_, signal) {
          for (const text of ["one", "two", "three"]) {
            await Promise.resolve();
            if (signal?.aborted) {
              yield { ...done, reason: "abort" };
              return;
            }
            yield { type: "text", text };
          }
          yield done;
        },
        prepare: () => Promise.resolve([]),
        setAdapter: () => Promise.resolve(),
        dispose: () => leave(`engine ${device}`),
      };
      return Promise.resolve(engine);
    },
    decodeImage: () => Promise.reject(new EngineError("bad-image", "no pictures here")),
  });
  return { host, alive };
}

const hardware: Probe = { kind: "adapter", software: false };
const software: Probe = { kind: "adapter", software: true };
const noWebGpu: Probe = { kind: "none", reason: "no-webgpu" };
const noAdapter: Probe = { kind: "none", reason: "no-adapter" };

test.each([
  ["a real adapter", { probe: hardware }, "auto", "webgpu", []],
  ["a real adapter, WASM asked for", { probe: hardware }, "wasm", "wasm", []],
  ["a software adapter", { probe: software }, "auto", "wasm", ["software-adapter"]],
  ["a software adapter, WebGPU asked for", { probe: software }, "webgpu", "webgpu", []],
  ["no WebGPU", { probe: noWebGpu }, "auto", "wasm", ["no-webgpu"]],
  ["no adapter", { probe: noAdapter }, "auto", "wasm", ["no-adapter"]],
  ["an adapter that computes wrong", { probe: hardware, wrong: ["webgpu"] }, "auto", "wasm", ["failed-self-test"]],
  ["the same, WebGPU asked for", { probe: hardware, wrong: ["webgpu"] }, "webgpu", "wasm", ["failed-self-test"]],
  [
    "an adapter that runs out of memory",
    { probe: hardware, webgpuFails: new EngineError("out-of-memory", "full") },
    "auto",
    "wasm",
    ["webgpu-failed"],
  ],
] as const)("%s: the device and the word to the user", async (_, machine, asked, device, notices) => {
  const { host, alive } = hostOn(machine);
  const model = await host.load(loadRequest(asked), () => undefined);
  expect(model).toMatchObject({ device, notices, name: "Tiny" });
  // What was tried and not taken is gone.
  expect(alive).toEqual([`runtime ${device}`, `engine ${device}`]);
});

test("one thread without isolation, and weights in memory only, are told", async () => {
  vi.stubGlobal("crossOriginIsolated", false);
  const { host } = hostOn({ probe: noWebGpu, threads: 1 });
  const model = await host.load(loadRequest("auto", false), () => undefined);
  expect(model.notices).toEqual(["no-webgpu", "single-thread", "memory-only"]);
  vi.stubGlobal("crossOriginIsolated", true);
});

test("WebGPU that was asked for and is not there is an error, not another device", async () => {
  const { host } = hostOn({ probe: noAdapter });
  await expect(host.load(loadRequest("webgpu"), () => undefined)).rejects.toMatchObject({ code: "no-device" });
});

test("when every device computes wrong numbers nothing is loaded", async () => {
  const { host, alive } = hostOn({ probe: hardware, wrong: ["webgpu", "wasm"] });
  await expect(host.load(loadRequest("auto"), () => undefined)).rejects.toMatchObject({ code: "numerics" });
  expect(alive).toEqual([]);
});

test("a bad package is not tried on another device", async () => {
  const { host, alive } = hostOn({ probe: hardware, webgpuFails: new EngineError("bad-package", "no tokenizer") });
  await expect(host.load(loadRequest("auto"), () => undefined)).rejects.toMatchObject({ code: "bad-package" });
  expect(alive).toEqual([]);
});

test("loading tells its parts in order, the self-test last", async () => {
  const { host } = hostOn({ probe: hardware });
  const parts: string[] = [];
  await host.load(loadRequest("auto"), async (event: LoadEvent) => {
    await Promise.resolve();
    if (event.type === "session") parts.push(event.part);
  });
  expect(parts).toEqual(["vision", "embed", "decoder", "self-test"]);
});

test("when loading fails every event has been taken before the call rejects", async () => {
  const { host } = hostOn({ probe: hardware, failsAfterProgress: new EngineError("bad-package", "no tokenizer") });
  const taken: string[] = [];
  const loading = host.load(loadRequest("auto"), async (event: LoadEvent) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (event.type === "session") taken.push(event.part);
  });
  await expect(loading).rejects.toMatchObject({ code: "bad-package" });
  expect(taken).toEqual(["vision", "embed", "decoder"]);
});

test("a page that is gone while parts load does not hide why loading failed", async () => {
  const { host, alive } = hostOn({
    probe: hardware,
    failsAfterProgress: new EngineError("bad-package", "no tokenizer"),
  });
  const loading = host.load(loadRequest("auto"), () => Promise.reject(new Error("nobody listens")));
  await expect(loading).rejects.toMatchObject({ code: "bad-package" });
  expect(alive).toEqual([]);
});

test("every event has been taken before the call replies", async () => {
  const { host } = hostOn({ probe: noWebGpu });
  await host.load(loadRequest("auto"), () => undefined);
  const taken: string[] = [];
  await host.generate(request, async (event) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    taken.push(event.type === "text" ? event.text : event.type);
  });
  expect(taken).toEqual(["one", "two", "three", "done"]);
});

test("a Stop ends the answer between two tokens, and the next one runs whole", async () => {
  const { host } = hostOn({ probe: noWebGpu });
  await host.load(loadRequest("auto"), () => undefined);
  const events: GenerateEvent[] = [];
  await host.generate(request, async (event) => {
    events.push(event);
    if (event.type === "text") await host.stop();
  });
  expect(events).toEqual([
    { type: "text", text: "one" },
    { ...done, reason: "abort" },
  ]);
  events.length = 0;
  await host.generate(request, (event) => void events.push(event));
  expect(events.at(-1)).toEqual(done);
});

test("a second answer waits for the first, and both are whole", async () => {
  const { host } = hostOn({ probe: noWebGpu });
  await host.load(loadRequest("auto"), () => undefined);
  const events: string[] = [];
  const listen = (name: string) => (event: GenerateEvent) => {
    if (event.type !== "stage") events.push(`${name} ${event.type === "text" ? event.text : event.type}`);
  };
  await Promise.all([host.generate(request, listen("first")), host.generate(request, listen("second"))]);
  expect(events).toEqual(
    ["first", "second"].flatMap((name) => ["one", "two", "three", "done"].map((word) => `${name} ${word}`)),
  );
});

test("a Stop by name ends that answer alone, the running or the waiting one", async () => {
  const { host } = hostOn({ probe: noWebGpu });
  await host.load(loadRequest("auto"), () => undefined);
  for (const stopped of ["first", "second"]) {
    const endings: Record<string, string> = {};
    const ask = (job: string): Promise<void> =>
      host.generate(
        request,
        async (event) => {
          if (event.type === "text") await host.stop(stopped);
          if (event.type === "done") endings[job] = event.reason;
        },
        { job },
      );
    await Promise.all([ask("first"), ask("second")]);
    expect(endings).toEqual({ first: "length", second: "length", [stopped]: "abort" });
  }
});

test("unloading disposes the engine and its runtime, and loading again starts from there", async () => {
  const { host, alive } = hostOn({ probe: hardware });
  await host.load(loadRequest("auto"), () => undefined);
  await host.unload();
  expect(alive).toEqual([]);
  await expect(host.generate(request, () => undefined)).rejects.toMatchObject({ code: "internal" });
  await host.load(loadRequest("wasm"), () => undefined);
  expect(alive).toEqual(["runtime wasm", "engine wasm"]);
});
