// The hub worker's side of the wire: the same calls and events as the inference worker's, with @huggingface/transformers behind them.
// Knows no Comlink and no browser; it never asks the network: every file comes out of the package it is given.
import type { Tensor } from "@huggingface/transformers";
import { EngineError, saysOutOfMemory } from "#engine/errors.ts";
import type { Device, Pixels } from "#engine/types.ts";
import { isHubManifest, parsePackageManifest } from "#weights/manifest.ts";
import type { DeviceNotice, InferenceApi, LoadRequest } from "#worker/api.ts";
import { generateWithHub } from "./generate.ts";
import { loadHubModel, type HubModel } from "./model.ts";

/** What the library computes on. */
export interface HubDevice {
  readonly device: Device;
  readonly gpuDevice?: GPUDevice | undefined;
  readonly adapter: string;
  readonly threads: number;
  readonly notices: readonly DeviceNotice[];
}

/** The parts that differ between hosts. */
export interface HubAdapters {
  /** `needsF16`: the package's numbers are 16 bits wide. Rejects with "no-device". */
  chooseDevice(wanted: LoadRequest["device"], needsF16: boolean): Promise<HubDevice>;
  /** Puts the files where the library finds them, and gives the id they are found under. */
  place(files: ReadonlyMap<string, Blob>, runtimeUrl: string, device: HubDevice): Promise<string>;
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
}

const partOf = (path: string): "vision" | "embed" | "decoder" =>
  path.includes("vision") ? "vision" : path.includes("embed") ? "embed" : "decoder";

/** Serves the hub worker's calls. */
export function createHubHost(adapters: HubAdapters): InferenceApi {
  let loaded: HubModel | undefined;
  let running: AbortController | undefined;
  const features = new Map<string, Tensor>();

  const unload = async (): Promise<void> => {
    const { model } = loaded ?? {};
    loaded = undefined;
    features.clear();
    await model?.dispose();
  };

  return {
    async load(request, onEvent) {
      const began = performance.now();
      await unload();
      const parsed = parsePackageManifest(request.package.manifest);
      if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
      const { manifest } = parsed;
      if (!isHubManifest(manifest)) throw new EngineError("bad-package", "this package is for the engine");
      const needsF16 = Object.values(manifest.model.dtypes).some((dtype) => dtype.endsWith("16"));
      const chosen = await adapters.chooseDevice(request.device, needsF16);
      const { device, gpuDevice, adapter, threads } = chosen;
      let told = Promise.resolve();
      const onFile = (path: string): void => {
        if (path.endsWith(".onnx"))
          told = told.then(async () => await onEvent({ type: "session", part: partOf(path), device }));
      };
      try {
        const { files } = request.package;
        const id = await adapters.place(files, request.runtimeUrl, chosen);
        loaded = await loadHubModel(manifest, { id, device, gpuDevice, onFile, files });
      } catch (error) {
        throw asEngineError(error);
      } finally {
        await told;
      }
      return {
        id: request.model.id,
        name: manifest.model.name,
        device,
        adapter,
        threads,
        notices: [...chosen.notices, ...(request.package.persisted ? [] : (["memory-only"] as const))],
        contextLength: loaded.contextLength,
        imageTokens: 0,
        loadMs: performance.now() - began,
      };
    },
    async generate(request, onEvent) {
      if (!loaded) throw new EngineError("internal", "no model is loaded");
      if (running) throw new EngineError("busy", "an answer is already under way");
      const abort = new AbortController();
      running = abort;
      try {
        await generateWithHub(loaded, request, abort.signal, { decodeImage: adapters.decodeImage, features, onEvent });
      } catch (error) {
        throw asEngineError(error);
      } finally {
        running = undefined;
      }
    },
    // The library gives no hold on the prompt's cache.
    prepare: () => Promise.resolve(),
    stopPreparing: () => Promise.resolve(),
    loadAdapter: () => Promise.reject(new EngineError("bad-package", "models of a hub have no room for an adapter")),
    stop() {
      running?.abort();
      return Promise.resolve();
    },
    unload,
    ping: () => Promise.resolve(),
  };
}

/** The library and the runtime throw what they like; these words tell what it was. */
function asEngineError(error: unknown): Error {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = /device (is |was )?lost|GPUDevice/i.test(message)
    ? "device-lost"
    : saysOutOfMemory(message)
      ? "out-of-memory"
      : "internal";
  return new EngineError(code, message, { cause: error });
}
