// How many threads WASM may use in this browser. Knows no runtime.

/** Whether the page is cross-origin isolated, without which there is no shared memory and so one thread. */
export function isIsolated(): boolean {
  return typeof crossOriginIsolated === "boolean" && crossOriginIsolated;
}

/** The threads that WASM is fastest with here. */
export function wasmThreads(): number {
  if (!isIsolated()) return 1;
  const logicalCores = navigator.hardwareConcurrency;
  // Most large machines have two logical cores per core, and a second thread on a core only waits for the first.
  return logicalCores <= 4 ? Math.max(1, logicalCores) : Math.min(8, Math.ceil(logicalCores / 2));
}
