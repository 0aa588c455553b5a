// The inference worker's model: this project's engine on the best device that this machine has, with the adapters beside it.
// Knows no Comlink; the browser's adapters are handed in.
import type { AdapterPackage } from "#engine/model/adapter.ts";
import { EngineError } from "#engine/errors.ts";
import { featureScope } from "#weights/store/features.ts";
import { isAdapterManifest, parsePackageManifest } from "#weights/manifest.ts";
import type { StoredPackage } from "#worker/api.ts";
import { createHost, type HostedModel, type InferenceHost } from "./host.ts";
import {
  loadOnBestDevice,
  packageFiles,
  type InferenceAdapters,
  type LoadedEngine,
  type Probe,
} from "./load-engine.ts";

/** Serves the inference worker's calls. */
export function createInferenceHost<P extends Probe>(adapters: InferenceAdapters<P>): InferenceHost {
  return createHost(async (request, onEvent) => {
    const { notices, ...loaded } = await loadOnBestDevice(adapters, request, onEvent);
    if (!request.package.persisted) notices.push("memory-only");
    if ((request.package.leftOut?.length ?? 0) > 0) notices.push("part-damaged");
    const { runtime, engine } = loaded;
    const { model } = engine.info;
    const about = {
      name: model.name,
      device: runtime.device,
      adapter: runtime.adapter,
      threads: runtime.threads,
      runtimeFree: !runtime.loaded,
      notices,
      contextLength: engine.contextLength,
      imageTokens: model.imageTokens,
    };
    return hostEngine(loaded, about, adapters.features);
  });
}

/** A loaded engine and the adapters that were given for it, one of which it goes on with. */
function hostEngine(
  { runtime, engine, scope }: LoadedEngine,
  about: HostedModel["about"],
  features: InferenceAdapters<Probe>["features"],
): HostedModel {
  const adapters = new Map<string, AdapterPackage>();
  let current: string | undefined;

  const useAdapter = async (id: string | undefined): Promise<void> => {
    const adapter = id === undefined ? undefined : adapters.get(id);
    if (id !== undefined && !adapter) throw new EngineError("internal", `the adapter ${id} was not loaded`);
    await engine.setAdapter(adapter);
    current = id;
  };
  const open = async (id: string, stored: StoredPackage): Promise<AdapterPackage> => {
    const parsed = parsePackageManifest(stored.manifest);
    if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
    const { manifest } = parsed;
    if (!isAdapterManifest(manifest)) throw new EngineError("bad-package", `${manifest.model.name} is no adapter`);
    const { projector } = manifest.adapter;
    const own = projector && (await featureScope(manifest.files, [projector.path, ...projector.data], ""));
    const keptFeatures = own && features?.open(id, scope + own);
    return { info: manifest, files: packageFiles(stored), ...(keptFeatures && { keptFeatures }) };
  };

  return {
    about,
    async generate(request, signal, onEvent, adapter) {
      if (adapter !== current) await useAdapter(adapter);
      // Awaiting every event lets a Stop in between two tokens.
      for await (const event of engine.generate(request, signal)) await onEvent(event);
    },
    async prepare(request, signal, adapter) {
      if (adapter !== current) await useAdapter(adapter);
      return engine.prepare(request, signal);
    },
    async loadAdapter(id, stored) {
      const before = adapters.get(id);
      const opened = await open(id, stored);
      adapters.set(id, opened);
      try {
        await useAdapter(id);
      } catch (error) {
        if (before) adapters.set(id, before);
        else adapters.delete(id);
        throw error;
      }
      return { name: opened.info.model.name, baseName: opened.info.adapter.baseName };
    },
    async dispose() {
      await engine.dispose();
      await runtime.dispose();
    },
  };
}
