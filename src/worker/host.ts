// The inference worker's side of the wire: picks the device, loads the engine, proves it, and runs one generation at a time.
// Knows no Comlink; the browser's adapters are handed in.
import type { AdapterPackage } from "#engine/model/adapter.ts";
import type { Engine, EngineOptions } from "#engine/engine.ts";
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";
import { featureScope, type FeatureCupboard } from "#weights/store/features.ts";
import { isAdapterManifest, parseManifest, parsePackageManifest, type Manifest } from "#weights/manifest.ts";
import type { DeviceNotice, InferenceApi, LoadEvent, LoadRequest, StoredPackage } from "./api.ts";

/** What WebGPU offers, as far as the choice of a device needs it. */
export type Probe =
  | { readonly kind: "none"; readonly reason: "no-webgpu" | "no-adapter" }
  | { readonly kind: "adapter"; readonly software: boolean };

/** The parts of a host that differ between browsers; `P` is its own kind of adapter. */
export interface InferenceAdapters<P extends Probe> {
  probeGpu(): Promise<P>;
  createWebGpuRuntime(probe: Extract<P, { kind: "adapter" }>, options: { runtimeUrl: string }): Promise<Runtime>;
  createWasmRuntime(options: { runtimeUrl: string }): Promise<Runtime>;
  createEngine(options: EngineOptions): Promise<Engine>;
  readonly decodeImage: EngineOptions["decodeImage"];
  /** Where features of pictures outlive the page. */
  readonly features?: FeatureCupboard;
}

interface Loaded {
  readonly runtime: Runtime;
  readonly engine: Engine;
  /** See weights/store/features.ts. */
  readonly scope: string;
}

type OnEvent = (event: LoadEvent) => Promise<void> | void;

/** Serves the inference worker's calls. */
export function createInferenceHost<P extends Probe>(adapters: InferenceAdapters<P>): InferenceApi {
  let loaded: Loaded | undefined;
  let running: AbortController | undefined;
  let preparing: AbortController | undefined;
  /** Those beside the loaded model, by id; and the one that it goes on with. */
  const beside = new Map<string, AdapterPackage>();
  let current: string | undefined;
  let changing = Promise.resolve();

  /** One change after the other; a failed one is its caller's. */
  const goOnWith = (engine: Engine, id: string | undefined, again = false): Promise<void> => {
    const change = changing.then(async () => {
      if (id === current && !again) return;
      const adapter = id === undefined ? undefined : beside.get(id);
      if (id !== undefined && !adapter) throw new EngineError("internal", `the adapter ${id} was not loaded`);
      await engine.setAdapter(adapter);
      current = id;
    });
    changing = change.catch(() => undefined);
    return change;
  };

  const unload = async (): Promise<void> => {
    const { engine, runtime } = loaded ?? {};
    loaded = undefined;
    current = undefined;
    beside.clear();
    await engine?.dispose();
    await runtime?.dispose();
  };

  return {
    async load(request, onEvent) {
      const startedAt = performance.now();
      await unload();
      const { notices, ...ready } = await loadOnBestDevice(adapters, request, onEvent);
      loaded = ready;
      const { runtime, engine } = ready;
      if (!request.package.persisted) notices.push("memory-only");
      if ((request.package.leftOut?.length ?? 0) > 0) notices.push("part-damaged");
      const { model } = engine.info;
      return {
        id: request.model.id,
        name: model.name,
        device: runtime.device,
        adapter: runtime.adapter,
        threads: runtime.threads,
        runtimeFree: !runtime.loaded,
        notices,
        contextLength: engine.contextLength,
        imageTokens: model.imageTokens,
        loadMs: performance.now() - startedAt,
      };
    },
    async generate(request, onEvent, adapter) {
      if (!loaded) throw new EngineError("internal", "no model is loaded");
      if (running) throw new EngineError("busy", "an answer is already under way");
      const abort = new AbortController();
      running = abort;
      try {
        await goOnWith(loaded.engine, adapter);
        // Awaiting every event lets a Stop in between two tokens, and no event arrives after this call's own reply.
        for await (const event of loaded.engine.generate(request, abort.signal)) await onEvent(event);
      } finally {
        running = undefined;
      }
    },
    async prepare(request, adapter) {
      preparing?.abort();
      if (!loaded || running) return;
      const { engine } = loaded;
      const abort = new AbortController();
      preparing = abort;
      await goOnWith(engine, adapter);
      // A function, because the compiler does not know what changes while an adapter is put in place.
      const isFree = (): boolean => running === undefined && loaded?.engine === engine;
      if (isFree()) await engine.prepare(request, abort.signal);
    },
    stopPreparing() {
      preparing?.abort();
      return Promise.resolve();
    },
    async loadAdapter(id, stored) {
      if (!loaded) throw new EngineError("internal", "no model is loaded");
      const parsed = parsePackageManifest(stored.manifest);
      if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
      const { manifest } = parsed;
      if (!isAdapterManifest(manifest)) throw new EngineError("bad-package", `${manifest.model.name} is no adapter`);
      const before = beside.get(id);
      const { projector } = manifest.adapter;
      const own = projector && (await featureScope(manifest.files, [projector.path, ...projector.data], ""));
      const keptFeatures = own && adapters.features?.shelf(id, loaded.scope + own);
      beside.set(id, { info: manifest, files: packageFiles(stored), ...(keptFeatures && { keptFeatures }) });
      try {
        // An answer under way ends as it began; the next one goes on with the adapter then.
        if (!running) await goOnWith(loaded.engine, id, true);
      } catch (error) {
        if (before) beside.set(id, before);
        else beside.delete(id);
        throw error;
      }
      return { name: manifest.model.name, baseName: manifest.adapter.baseName };
    },
    stop() {
      running?.abort();
      return Promise.resolve();
    },
    unload,
    ping: () => Promise.resolve(),
  };
}

/** WebGPU where a hardware adapter is (or where it is forced) and computes right, else WASM. */
async function loadOnBestDevice<P extends Probe>(
  adapters: InferenceAdapters<P>,
  request: LoadRequest,
  onEvent: OnEvent,
): Promise<Loaded & { readonly notices: DeviceNotice[] }> {
  const { device, runtimeUrl } = request;
  const { id } = request.model;
  const parsed = parseManifest(request.package.manifest);
  if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
  const { manifest } = parsed;
  const files = packageFiles(request.package);
  const notices: DeviceNotice[] = [];
  const open = (runtime: Runtime): Promise<Loaded | "failed-self-test"> =>
    openEngine(adapters, runtime, { manifest, files, id, adaptable: request.package.adaptable }, onEvent);

  if (device !== "wasm") {
    const probe = await adapters.probeGpu();
    if (!isAdapter(probe)) {
      const reason = probe.kind === "none" ? probe.reason : "no-adapter";
      if (device === "webgpu") throw new EngineError("no-device", `WebGPU was asked for: ${reason}`);
      notices.push(reason);
    } else if (probe.software && device === "auto") {
      notices.push("software-adapter");
    } else {
      try {
        const result = await open(await adapters.createWebGpuRuntime(probe, { runtimeUrl }));
        if (result !== "failed-self-test") return { ...result, notices };
        notices.push(result);
      } catch (error) {
        if (!mayFallBack.has(errorCodeOf(error))) throw error;
        console.warn("WebGPU could not load the model, WASM takes over:", error);
        notices.push("webgpu-failed");
      }
    }
  }
  const runtime = await adapters.createWasmRuntime({ runtimeUrl });
  if (runtime.threads === 1 && !crossOriginIsolated) notices.push("single-thread");
  const result = await open(runtime);
  if (result === "failed-self-test") throw new EngineError("numerics", "every device computed wrong numbers");
  return { ...result, notices };
}

/** Failures of a device, which another device may not share; a bad package fails everywhere. */
const mayFallBack = new Set(["no-device", "device-lost", "out-of-memory", "internal"]);

/** Loads the package on a runtime and proves it; what fails is disposed here. */
async function openEngine(
  adapters: Pick<InferenceAdapters<Probe>, "createEngine" | "decodeImage" | "features">,
  runtime: Runtime,
  given: {
    readonly id: string;
    readonly manifest: Manifest;
    readonly files: PackageFiles;
    readonly adaptable: boolean | undefined;
  },
  onEvent: OnEvent,
): Promise<Loaded | "failed-self-test"> {
  const { device } = runtime;
  const { manifest, id } = given;
  const { path, data, expanded } = manifest.graphs.vision;
  const paths = [path, ...data, ...(expanded ? [expanded.path, expanded.recipe] : [])];
  const scope = await featureScope(manifest.files, [...paths, "config.json", "preprocessor_config.json"], device);
  let told = Promise.resolve();
  let engine: Engine | undefined;
  try {
    engine = await adapters.createEngine({
      runtime,
      files: given.files,
      info: manifest,
      adaptable: given.adaptable,
      keptFeatures: adapters.features?.shelf(id, scope),
      decodeImage: adapters.decodeImage,
      onProgress: (part) => {
        told = told.then(() => onEvent({ type: "session", part, device }));
      },
    });
    await told;
    await onEvent({ type: "session", part: "self-test", device });
    const result = await engine.selfTest();
    if (result === undefined || result.ok) return { runtime, engine, scope };
    console.warn(`The self-test on ${device} failed: logits differ by ${result.worst}`);
  } catch (error) {
    // No event may arrive after the call's own reply; why the engine failed matters more than whether anyone listens.
    await told.catch(() => undefined);
    await engine?.dispose();
    await runtime.dispose();
    throw error;
  }
  await engine.dispose();
  await runtime.dispose();
  return "failed-self-test";
}

function isAdapter<P extends Probe>(probe: P): probe is Extract<P, { kind: "adapter" }> {
  return probe.kind === "adapter";
}

function packageFiles({ files }: StoredPackage): PackageFiles {
  return {
    blob(path) {
      const blob = files.get(path);
      return blob
        ? Promise.resolve(blob)
        : Promise.reject(new EngineError("bad-package", `the package has no ${path}`));
    },
  };
}
