// A thread of Node that trains: answers the calls of trainers.node.ts in their order.
import { parentPort } from "node:worker_threads";
import { createTrainer, type TrainCall } from "./trainers.ts";

const trainer = createTrainer();
let last: Promise<unknown> = Promise.resolve();
parentPort?.on("message", (call: TrainCall) => {
  last = last.then(async () => {
    try {
      parentPort?.postMessage({ answer: await trainer(call) });
    } catch (error) {
      parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
    }
  });
});
