// Whether a visit with no network would work: the app's files, the runtime this device uses, and the model are all stored.
import { hubWorkerPath, runtimeBuilds, runtimeCacheName } from "./runtime-cache.ts";

/** What is stored; `ready` when nothing is missing. */
export interface OfflineStatus {
  readonly shell: boolean;
  readonly runtime: boolean;
  readonly weights: boolean;
  readonly ready: boolean;
}

export interface OfflineQuestion {
  /** Absolute URL of the folder the app is served from. */
  readonly baseUrl: string;
  /** What the model runs on; "hub" is the hub's library, on either device. */
  readonly device: "webgpu" | "wasm" | "cpu" | "hub";
  /** It runs without any runtime's files. */
  readonly runtimeFree?: boolean;
  readonly isModelStored: () => Promise<boolean>;
}

/** Asks the caches and the weights' store; ask again after a model has loaded, because the runtime's files arrive with it. */
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

/** Asks until everything is there, a few times: the runtime's files are still being written when a model has just loaded. */
export async function waitUntilOffline(question: OfflineQuestion, tries = 10): Promise<OfflineStatus> {
  for (let left = tries; ; left--) {
    const status = await readOfflineStatus(question);
    if (status.ready || left <= 1) return status;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Precaching is all or nothing, so its page stands for all of it. */
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
