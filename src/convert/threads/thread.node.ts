// Threads of Node. They do not keep the process alive, but while they work.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createCalls, type Thread } from "./thread.ts";

/** Starts a thread that runs `source`, a CommonJS script that posts an answer to every message. */
export function startThread<Call, Answer>(source: string, workerData: unknown): Thread<Call, Answer> {
  const worker = new Worker(source, { eval: true, workerData });
  worker.unref();
  const calls = createCalls<Answer>();
  const die = (error: Error): void => {
    calls.die(error);
    worker.unref();
  };
  worker.on("message", (answer: Answer) => {
    calls.answer(answer);
    if (calls.waiting() === 0) worker.unref();
  });
  worker.on("error", die);
  worker.on("exit", () => die(new Error("a thread of the converter has ended")));
  return {
    ask: (call, taken = []) =>
      calls.ask(() => {
        // While it works, it is what the process waits for.
        worker.ref();
        worker.postMessage(call, [...taken]);
      }),
    async end() {
      await worker.terminate();
    },
  };
}

/** Starts a thread that runs a TypeScript file, which may import others but must not await at its top. */
export function typescriptThread(entry: URL): Worker {
  const tsx = createRequire(import.meta.url).resolve("tsx/cjs/api");
  const source = `const { tsx, entry } = require("node:worker_threads").workerData;
require(tsx).register();
require(entry);`;
  return new Worker(source, { eval: true, workerData: { tsx, entry: fileURLToPath(entry) } });
}
