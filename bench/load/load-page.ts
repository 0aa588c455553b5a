// Runs in a page of its own, which the bench of warm loads opens: puts a package into IndexedDB, and after a reload reads it from there,
// merely its bytes and as a model, in turns.
import { createStore, get, keys, set } from "idb-keyval";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { createEngine } from "#engine/engine.ts";
import { EngineError } from "#engine/errors.ts";
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "#engine/runtime/runtime.web.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { parseManifest } from "#weights/manifest.ts";

export interface WarmLoad {
  /** Of merely reading every byte. */
  readonly readMs: number;
  /** Until the model could be asked; the runtime's own code is there already. */
  readonly loadMs: number;
  /** When each part began, from the load's start on. */
  readonly parts: Readonly<Record<string, number>>;
}

declare global {
  interface Window {
    keep: (packageUrl: string, tokenizerUrl: string) => Promise<number>;
    load: (runtimeUrl: string, device: "wasm" | "webgpu") => Promise<WarmLoad>;
  }
}

const store = createStore("bench-load", "files");
const at = (path: string): string => new URL(path, document.baseURI).href;

window.keep = async (packageUrl, tokenizerUrl) => {
  const fetchBlob = async (url: string): Promise<Blob> => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    return response.blob();
  };
  const manifest = await fetchBlob(at(`${packageUrl}manifest.json`));
  const parsed = parseManifest(JSON.parse(await manifest.text()));
  if (!parsed.ok) throw new Error(parsed.problem);
  let bytes = 0;
  await set("manifest.json", manifest, store);
  for (const { path } of parsed.manifest.files) {
    // Packages of random weights have no tokenizer to speak of.
    const blob = await fetchBlob(at((path.startsWith("tokenizer") ? tokenizerUrl : packageUrl) + path));
    bytes += blob.size;
    await set(path, blob, store);
  }
  return bytes;
};

const readers = new Set<ReadableStreamBYOBReader>();
const slices = (blob: Blob): Blob[] =>
  Array.from({ length: Math.ceil(blob.size / 2 ** 24) }, (_, i) => blob.slice(i * 2 ** 24, (i + 1) * 2 ** 24));

window.load = async (runtimeUrl, device) => {
  const blobs = new Map<string, Blob>();
  for (const key of await keys<string>(store)) {
    const blob = await get<Blob>(key, store);
    if (blob) blobs.set(key, blob);
  }
  const readBegan = performance.now();
  // The fastest way there is, and the one that leaves no garbage: four streams, each into a buffer of its own.
  const waiting = [...blobs.values()].flatMap(slices).values();
  const read = async (): Promise<void> => {
    for (const blob of waiting) {
      const reader = blob.stream().getReader({ mode: "byob" });
      readers.add(reader); // or the garbage collector takes it
      for (let buffer = new Uint8Array(2 ** 20); ;) {
        const { value, done } = await reader.read(buffer);
        if (done) break;
        buffer = new Uint8Array(value.buffer);
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, read));
  const readMs = performance.now() - readBegan;

  const parsed = parseManifest(JSON.parse((await blobs.get("manifest.json")?.text()) ?? ""));
  if (!parsed.ok) throw new Error(parsed.problem);
  const files = {
    blob: (path: string) => {
      const blob = blobs.get(path);
      return blob ? Promise.resolve(blob) : Promise.reject(new EngineError("bad-package", `${path} was not kept`));
    },
  };
  const runtime = await runtimeFor(device, at(runtimeUrl));
  // The first session compiles the runtime's code; on WASM there may be none.
  if (device === "webgpu") await runtime.createSession({ graph: await files.blob(parsed.manifest.graphs.embed.path), data: await Promise.all(parsed.manifest.graphs.embed.data.map(async (path) => ({ path: path.slice(path.lastIndexOf("/") + 1), data: await files.blob(path) }))) }, []).then((session) => session.release()); // prettier-ignore
  const parts: Record<string, number> = {};
  const loadBegan = performance.now();
  const engine = await createEngine({
    runtime,
    files,
    info: parsed.manifest,
    decodeImage,
    onProgress: (part) => (parts[part] = performance.now() - loadBegan),
  });
  await runtime.settle();
  const loadMs = performance.now() - loadBegan;
  await engine.dispose();
  await runtime.dispose();
  return { readMs, loadMs, parts };
};

async function runtimeFor(device: "wasm" | "webgpu", runtimeUrl: string): Promise<Runtime> {
  if (device === "wasm") return createWasmRuntime({ runtimeUrl, threads: 1 }); // helpers are no part of a load
  const probe = await probeGpu();
  if (probe.kind !== "adapter") throw new Error("there is no WebGPU adapter");
  return createWebGpuRuntime(probe, { runtimeUrl });
}
document.body.textContent = "ready";
