// Hashes in a worker of the browser; where workers can't start workers, in this thread.
import { startThread } from "#convert/threads/thread.web.ts";
import { fileHashHere, fileHashOver, type FileHash, type HashAnswer, type HashCall } from "./file-hash.ts";

/** Whoever starts it ends it. */
export async function fileHashWorker(): Promise<FileHash & { readonly end: () => void }> {
  const thread = await start();
  if (!thread) return { ...(await fileHashHere()), end: () => undefined };
  return { ...fileHashOver(thread), end: () => void thread.end() };
}

async function start() {
  if (typeof Worker !== "function") return undefined;
  const script = new URL("./file-hash-thread.web.ts", import.meta.url);
  const first: HashCall = { kind: "begin", state: undefined };
  return startThread<HashCall, HashAnswer>(new Worker(script, { type: "module", name: "hash" }), first);
}
