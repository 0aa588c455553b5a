// Loads a package on the best device: WebGPU on a hardware adapter if it computes right, else WASM. Knows no calls and no wire.
import type { Engine, EngineOptions } from "#engine/engine.ts";
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";
import { featureScope, type FeatureStorage } from "#weights/store/features.ts";
import { parseManifest, type Manifest } from "#weights/manifest.ts";
import type { DeviceNotice, LoadEvent, LoadRequest, StoredPackage } from "#worker/api.ts";
import type { OnEvent } from "./host.ts";

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
  readonly features?: FeatureStorage;
}

/** An engine and the runtime under it, which have passed the self-test. */
export interface LoadedEngine {
  readonly runtime: Runtime;
  readonly engine: Engine;
  /** What its pictures' features depend on; see weights/store/features.ts. */
  readonly scope: string;
}

/**
 * Loads on WebGPU where a hardware adapter is (or where it is asked for) and passes the self-test, else on WASM. Rejects with "no-device" when
 * WebGPU was asked for and is not there, "numerics" when every device fails the self-test, and "bad-package".
 */
export async function loadOnBestDevice<P extends Probe>(
  adapters: InferenceAdapters<P>,
  request: LoadRequest,
  onEvent: OnEvent<LoadEvent>,
): Promise<LoadedEngine & { readonly notices: DeviceNotice[] }> {
  const { device, runtimeUrl } = request;
  const { id } = request.model;
  const parsed = parseManifest(request.package.manifest);
  if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
  const { manifest } = parsed;
  const files = packageFiles(request.package);
  const notices: DeviceNotice[] = [];
  const open = (runtime: Runtime): Promise<LoadedEngine | "failed-self-test"> =>
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
  onEvent: OnEvent<LoadEvent>,
): Promise<LoadedEngine | "failed-self-test"> {
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
      keptFeatures: adapters.features?.open(id, scope),
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

/** The files of a stored package, for the engine. */
export function packageFiles({ files }: StoredPackage): PackageFiles {
  return {
    blob(path) {
      const blob = files.get(path);
      return blob
        ? Promise.resolve(blob)
        : Promise.reject(new EngineError("bad-package", `the package has no ${path}`));
    },
  };
}
