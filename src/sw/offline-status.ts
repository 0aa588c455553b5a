// Whether a visit without a network would work: the app's files, the runtime that this device uses, and the model must be stored.
import { hubWorkerPath, runtimeBuilds, runtimeCacheName } from "./runtime-cache.ts";

/** What is stored; `ready` when everything is. */
export interface OfflineStatus {
  readonly shell: boolean;
  readonly runtime: boolean;
  readonly weights: boolean;
  readonly ready: boolean;
}

export interface OfflineQuestion {
  /** Absolute URL of the folder the app is served from. */
  readonly baseUrl: string;
  /** What the model runs on; "hub" is transformers.js on either device. */
  readonly device: "webgpu" | "wasm" | "cpu" | "hub";
  /** The model needs no files of a runtime. */
  readonly runtimeFree?: boolean;
  readonly isModelStored: () => Promise<boolean>;
}

/** Looks into the caches and the weights' store. A runtime's files are cached when a model first loads, so call it again after that. */
export async function readOfflineStatus({
  baseUrl,
  device,
  runtimeFree,
  isModelStored,
}: OfflineQuestion): Promise<OfflineStatus> {
  const [shell, runtime, weights] = await Promise.all([
    isShellStored(baseUrl),
    runtimeFree === true || isRuntimeStored(baseUrl, device),
    isModelStored(),
  ]);
  return { shell, runtime, weights, ready: shell && runtime && weights };
}

/** Polls until everything is stored, or until the tries are used up: right after a load the runtime's files are still being cached. */
export async function waitUntilOffline(question: OfflineQuestion, tries = 10): Promise<OfflineStatus> {
  for (let left = tries; ; left--) {
    const status = await readOfflineStatus(question);
    if (status.ready || left <= 1) return status;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Precaching is all or nothing, so the presence of the page proves that of all files. */
async function isShellStored(baseUrl: string): Promise<boolean> {
  if (!("caches" in globalThis) || !("serviceWorker" in navigator) || !navigator.serviceWorker.controller) return false;
  const page = new URL("index.html", baseUrl).href;
  return (await caches.match(page, { ignoreSearch: true })) !== undefined;
}

async function isRuntimeStored(baseUrl: string, device: OfflineQuestion["device"]): Promise<boolean> {
  const name = runtimeCacheName(baseUrl);
  if (!("caches" in globalThis) || !(await caches.has(name))) return false;
  const builds =
    device === "webgpu"
      ? [runtimeBuilds.jspi, runtimeBuilds.asyncify]
      : [device === "hub" ? runtimeBuilds.asyncify : runtimeBuilds.wasm];
  const urls = (await (await caches.open(name)).keys()).map(({ url }) => url);
  if (device === "hub" && !urls.some((url) => url.includes(`/${hubWorkerPath}`))) return false;
  const stored = new Set(urls.map((url) => url.split("/").at(-1)));
  return builds.some((build) => stored.has(`${build}.mjs`) && stored.has(`${build}.wasm`));
}
