// The files of a package that lies on a server. Keeps nothing beyond the worker's life: a bench measures no storage.
import { EngineError } from "#engine/errors.ts";
import type { PackageFiles } from "#engine/types.ts";
import { parseManifest, type Manifest } from "#weights/manifest.ts";

export interface ServedPackage {
  readonly info: Manifest;
  readonly files: PackageFiles;
  /** Every file that the manifest lists, by path. */
  readonly all: ReadonlyMap<string, Blob>;
  /** What fetching took, past every cache. */
  readonly fetchMs: number;
}

async function fetchBlob(url: string): Promise<Blob> {
  const response = await fetch(url, { cache: "no-store" });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.blob();
}

/** Everything is here when this resolves, so that what follows is load and not download. */
export async function fetchPackage(packageUrl: string): Promise<ServedPackage> {
  const began = performance.now();
  const manifest: unknown = JSON.parse(await (await fetchBlob(`${packageUrl}manifest.json`)).text());
  const parsed = parseManifest(manifest);
  if (!parsed.ok) throw new Error(parsed.problem);
  const info = parsed.manifest;
  const entries = info.files.map(async ({ path }) => [path, await fetchBlob(`${packageUrl}${path}`)] as const);
  const all = new Map(await Promise.all(entries));
  const fetchMs = performance.now() - began;
  const files: PackageFiles = {
    blob(path) {
      const blob = all.get(path);
      return blob
        ? Promise.resolve(blob)
        : Promise.reject(new EngineError("bad-package", `${path} is not in the package`));
    },
  };
  return { info, files, all, fetchMs };
}
