// The hub worker's side of the wire: the same calls and events as the inference worker's, with @huggingface/transformers behind them.
// Knows no Comlink and no browser; it never asks the network: every file comes out of the package it is given.
import type { Tensor } from "@huggingface/transformers";
import { EngineError, saysOutOfMemory } from "#engine/errors.ts";
import type { Device, Pixels } from "#engine/types.ts";
import { isHubManifest, parsePackageManifest } from "#weights/manifest.ts";
import type { DeviceNotice, LoadRequest } from "#worker/api.ts";
import { createHost, type HostedModel, type InferenceHost } from "#worker/inference/host.ts";
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
export function createHubHost(adapters: HubAdapters): InferenceHost {
  return createHost(async ({ package: stored, device: wanted, runtimeUrl }, onEvent) => {
    const parsed = parsePackageManifest(stored.manifest);
    if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
    const { manifest } = parsed;
    if (!isHubManifest(manifest)) throw new EngineError("bad-package", "this package is for the engine");
    const needsF16 = Object.values(manifest.model.dtypes).some((dtype) => dtype.endsWith("16"));
    const chosen = await adapters.chooseDevice(wanted, needsF16);
    const { device, gpuDevice, adapter, threads } = chosen;
    let told = Promise.resolve();
    const onFile = (path: string): void => {
      if (path.endsWith(".onnx"))
        told = told.then(async () => await onEvent({ type: "session", part: partOf(path), device }));
    };
    let model: HubModel;
    try {
      const { files } = stored;
      const id = await adapters.place(files, runtimeUrl, chosen);
      model = await loadHubModel(manifest, { id, device, gpuDevice, onFile, files });
    } catch (error) {
      throw asEngineError(error);
    } finally {
      await told;
    }
    const about = {
      name: manifest.model.name,
      device,
      adapter,
      threads,
      notices: [...chosen.notices, ...(stored.persisted ? [] : (["memory-only"] as const))],
      contextLength: model.contextLength,
      imageTokens: 0,
    };
    return hostHubModel(model, about, adapters.decodeImage);
  });
}

function hostHubModel(
  model: HubModel,
  about: HostedModel["about"],
  decodeImage: HubAdapters["decodeImage"],
): HostedModel {
  const features = new Map<string, Tensor>();
  return {
    about,
    async generate(request, signal, onEvent) {
      try {
        await generateWithHub(model, request, signal, { decodeImage, features, onEvent });
      } catch (error) {
        throw asEngineError(error);
      }
    },
    // The library gives no access to the KV cache of a prompt.
    prepare: () => Promise.resolve([]),
    loadAdapter: () => Promise.reject(new EngineError("bad-package", "models of a hub have no room for an adapter")),
    async dispose() {
      features.clear();
      await model.model.dispose();
    },
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
