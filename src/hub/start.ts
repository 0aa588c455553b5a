// The page's side: starts the worker in which the hub's library runs. Loads nothing of the library itself.

/** A worker that serves the same calls as the inference worker. */
export function startHubWorker(): Worker {
  return new Worker(new URL("./hub-worker.ts", import.meta.url), { type: "module", name: "hub" });
}
