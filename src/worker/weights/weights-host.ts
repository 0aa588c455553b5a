// The download worker's side of the wire: jobs that download packages and hand them out. Knows no Comlink and no page.
import type { PartialShard } from "#weights/download/download.ts";
import { ensurePackage, type WeightsHost } from "#weights/download/ensure.ts";
import { isPackageStored } from "#weights/store/stored-package.ts";
import { hasAdapter } from "#weights/inventory.ts";
import { readUseNote, writeUseNote } from "#weights/store/records.ts";
import { alone } from "#worker/package-lock.ts";
import type { LoadEvent, PackageSource, StoredPackage, WeightsApi } from "#worker/api.ts";

/** Serves the download worker's calls. Parts of unfinished shards stay in its memory for the next try. */
export function createWeightsHost(host: WeightsHost): WeightsApi {
  const partials = new Map<string, PartialShard>();
  const running = new Map<string, AbortController>();

  const bring = async (
    model: PackageSource,
    onEvent: (event: LoadEvent) => Promise<void> | void,
    job: string,
    ahead: boolean,
  ): Promise<StoredPackage> => {
    const abort = new AbortController();
    running.get(job)?.abort();
    running.set(job, abort);
    try {
      // Two tabs that open at once must not fetch the same gigabytes twice.
      return await alone(model.id, abort.signal, async () => {
        const stored = await ensurePackage(model, host, {
          signal: abort.signal,
          // A package that must be stored is not held in memory as well.
          ...(ahead ? {} : { partials }),
          mustStore: ahead,
          onProgress: (progress) => onEvent({ type: "download", ...progress }),
        });
        if (stored.persisted) {
          const usedAt = ahead ? (await readUseNote(host.store, model.id)).usedAt : Date.now();
          await writeUseNote(host.store, model.id, {
            baseUrl: model.baseUrl,
            ...(usedAt === undefined ? {} : { usedAt }),
          });
        }
        if (ahead || !stored.persisted) return stored;
        return { ...stored, adaptable: await hasAdapter(host.store, stored.manifest) };
      });
    } finally {
      if (running.get(job) === abort) running.delete(job);
    }
  };

  return {
    ensure: (model, onEvent, job = model.id) => bring(model, onEvent, job, false),
    async fetchAhead(model, onEvent, job = model.id) {
      await bring(model, onEvent, job, true);
    },
    stop(job) {
      for (const [name, abort] of running) if (job === undefined || job === name) abort.abort();
      return Promise.resolve();
    },
    isComplete: (model) => isPackageStored(model.id, host.store),
  };
}
