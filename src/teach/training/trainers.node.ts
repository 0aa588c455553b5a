// Training threads of Node.
import { startThread } from "#convert/threads/thread.node.ts";
import { trainThread, type TrainCall, type TrainReply, type TrainThread } from "./trainers.ts";

/** The code of a worker thread. Its imports are of TypeScript, which tsx brings, in threads only on its own call. */
const source = `
const { workerData } = require("node:worker_threads");
import(workerData.tsx).then((tsx) => { tsx.register(); return import(workerData.entry); });`;

/** So many threads. They do not keep the process alive, but while they work. */
export function nodeTrainThreads(count: number): TrainThread[] {
  const entry = new URL("./train-thread.node.ts", import.meta.url).href;
  const data = { entry, tsx: import.meta.resolve("tsx/esm/api") };
  return Array.from({ length: count }, () => trainThread(startThread<TrainCall, TrainReply>(source, data)));
}
