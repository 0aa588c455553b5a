// Where the service worker caches ONNX Runtime's files, and which of them a device needs. Data only; shared with the page.

/** The version of onnxruntime-web that is served; a test compares it with the installed package. */
export const runtimeVersion = "1.30.0";

/** The folder of the runtime's files, relative to the app; with the version in it every URL is immutable. */
export const runtimePath = `ort/${runtimeVersion}/`;

/** The worker with transformers.js, which few visits need: cached like the runtime when it is first used. Its URL continues with a hash. */
export const hubWorkerPath = "assets/hub-worker-";

/** The name of this app's runtime cache; `scope` is the absolute URL of the app's folder, because deployments share an origin. */
export function runtimeCacheName(scope: string): string {
  return `${runtimeCachePrefix(scope)}${runtimeVersion}`;
}

/** The prefix of this app's runtime caches of all versions. A URL holds no space, so no app's prefix is the beginning of another's. */
export function runtimeCachePrefix(scope: string): string {
  return `llava-ort ${scope} `;
}

/** The builds in the folder, each a .mjs and a .wasm file. */
export const runtimeBuilds = {
  wasm: "ort-wasm-simd-threaded",
  jspi: "ort-wasm-simd-threaded.jspi",
  asyncify: "ort-wasm-simd-threaded.asyncify",
} as const;
