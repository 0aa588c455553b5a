// The teaching worker's side of the wire: plans and teaches, one at a time, and puts the adapter into the weights store. Knows no Comlink
// and no page; the browser's adapters are handed in.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { EngineError } from "#engine/errors.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { blobSource } from "#formats/byte-source.ts";
import {
  prepareTeaching,
  type ReplaySet,
  type Taught as TaughtFiles,
  type Teaching,
  type TeachHost,
} from "#teach/run-teaching.ts";
import type { OnStop } from "#teach/types.ts";
import { importPackage } from "#weights/import-package.ts";
import { manifestName, parseManifest } from "#weights/manifest.ts";
import type { ShardStore } from "#weights/store/store.ts";
import { packageFiles } from "#worker/inference/load-engine.ts";
import { alone } from "#worker/package-lock.ts";
import type { Taught, TeachingApi, TeachRequest } from "./teach-api.ts";

export interface TeachingHost extends Pick<TeachHost, "cores" | "decodeImage" | "startThreads"> {
  readonly store: ShardStore;
  readonly createRuntime: (options: { readonly runtimeUrl: string }) => Promise<Runtime>;
  /** From the folder at this address. */
  readonly readReplay: (folderUrl: string) => Promise<ReplaySet>;
  readonly newId: () => string;
}

/** Serves the worker's calls. */
export function createTeachingHost(host: TeachingHost): TeachingApi {
  let running: { readonly job: string; stop: OnStop | undefined } | undefined;

  /** Loads the model for one call, which it ends with. */
  const prepared = async <T>(request: TeachRequest, use: (teaching: Teaching) => Promise<T>): Promise<T> => {
    const parsed = parseManifest(request.package.manifest);
    if (!parsed.ok) throw new EngineError("bad-package", parsed.problem);
    const runtime = await host.createRuntime({ runtimeUrl: request.runtimeUrl });
    try {
      const files = packageFiles(request.package);
      const base = packageAsFolder(request);
      const { examples, options } = request;
      const readReplay = (): Promise<ReplaySet> => host.readReplay(request.replayUrl);
      const classroom = { ...host, readReplay, runtime, files, info: parsed.manifest, base };
      const teaching = await prepareTeaching(classroom, examples, options ?? {});
      try {
        return await use(teaching);
      } finally {
        await teaching.dispose();
      }
    } finally {
      await runtime.dispose();
    }
  };

  return {
    plan: (request) => prepared(request, ({ plan }) => Promise.resolve(plan)),
    async teach(request, onEvent, job) {
      if (running) throw new EngineError("bad-input", "something is being taught already");
      const now = { job, stop: undefined as OnStop | undefined };
      running = now;
      try {
        return await prepared(request, async (teaching) => {
          const parsed = parseManifest(request.package.manifest);
          const license = parsed.ok ? parsed.manifest.model.license : "unknown";
          const id = host.newId();
          const taught = await teaching.run({ id, name: request.name, license }, onEvent, () => now.stop);
          if (!taught || now.stop === "discard") return undefined;
          return alone(id, new AbortController().signal, () => store(host.store, taught));
        });
      } finally {
        running = undefined;
      }
    },
    stop(job, then) {
      if (running?.job === job) running.stop = then;
      return Promise.resolve();
    },
  };
}

/** Stores the adapter's package, or nothing of it; throws "quota" or "storage". */
async function store(shards: ShardStore, { result, manifest, files }: TaughtFiles): Promise<Taught> {
  const zipped = Array.from(files, ([path, bytes]) => {
    const blob = new Blob([bytes]);
    return [path, { bytes: blob.size, read: () => Promise.resolve(blob) }] as const;
  });
  const manifestBlob = new Blob([files.get(manifestName) ?? JSON.stringify(manifest)]);
  const imported = await importPackage(shards, { manifest, manifestBlob, files: new Map(zipped) });
  if (!imported.ok) throw new EngineError("internal", `the adapter is ${imported.problem} at ${imported.path}`);
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { ...result, adapterId: imported.id, bytes };
}

/** The model's package as the converter reads it. */
function packageAsFolder({ model, package: { files, manifest } }: TeachRequest): CheckpointFolder {
  const manifestBlob = new Blob([JSON.stringify(manifest)]);
  return {
    name: model.id,
    open(path) {
      const blob = path === manifestName ? manifestBlob : files.get(path);
      return Promise.resolve(blob && blobSource(blob));
    },
  };
}
