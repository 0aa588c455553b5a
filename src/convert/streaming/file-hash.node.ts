// Hashes in a thread of Node.
import { createRequire } from "node:module";
import { startThread } from "#convert/threads/thread.node.ts";
import { fileHashOver, type FileHash, type HashAnswer, type HashCall } from "./file-hash.ts";

/** The code of the thread: `createHasher`, in CommonJS. */
const source = `
const { parentPort, workerData } = require("node:worker_threads");
const started = require(workerData).createSHA256();
parentPort.on("message", async ({ kind, state, bytes, cuts }) => {
  const hash = await started;
  if (kind === "begin") {
    hash.init();
    if (state) hash.load(state);
    parentPort.postMessage(undefined);
  } else if (kind === "digest") parentPort.postMessage(hash.digest("hex"));
  else {
    let from = 0;
    const states = cuts.map((to) => {
      hash.update(bytes.subarray(from, to));
      from = to;
      return hash.save();
    });
    hash.update(bytes.subarray(from));
    parentPort.postMessage({ bytes, states }, [bytes.buffer]);
  }
});`;

/** Whoever starts it ends it. It does not keep the process alive. */
export function fileHashThread(): FileHash & { readonly end: () => Promise<void> } {
  const library = createRequire(import.meta.url).resolve("hash-wasm");
  const thread = startThread<HashCall, HashAnswer>(source, library);
  return { ...fileHashOver(thread), end: async () => await thread.end() };
}
