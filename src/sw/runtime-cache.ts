// Where the service worker keeps ONNX Runtime's files, and which of them a device needs. Data only; shared with the page.

/** Version of onnxruntime-web that is served; a test holds it to the installed package. */
export const runtimeVersion = "1.30.0";

/** Folder of the runtime's files, relative to the app; the version makes every address immutable. */
export const runtimePath = `ort/${runtimeVersion}/`;

/** The hub's library, which few visits need: kept like the runtime when it is first used. A hash of its content follows. */
export const hubWorkerPath = "assets/hub-worker-";

/** The name of the cache of this app's runtime; `scope` is the absolute URL of its folder. Other apps of the same origin have others. */
export function runtimeCacheName(scope: string): string {
  return `${runtimeCachePrefix(scope)}${runtimeVersion}`;
}

/** What the names of this app's runtime caches begin with, whatever the version. An address holds no space, so none begins another. */
export function runtimeCachePrefix(scope: string): string {
  return `llava-ort ${scope} `;
}

/** Every file of the folder: one build per kind of device, each a script and a wasm. */
export const runtimeBuilds = {
  wasm: "ort-wasm-simd-threaded",
  jspi: "ort-wasm-simd-threaded.jspi",
  asyncify: "ort-wasm-simd-threaded.asyncify",
} as const;
