// A worker of the browser that trains: answers the calls of trainers.web.ts in their order.
import { createTrainer, type TrainCall } from "./trainers.ts";

const trainer = createTrainer();
let last: Promise<unknown> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<TrainCall | "start">) => {
  if (data === "start") {
    self.postMessage("ready");
    return;
  }
  last = last.then(async () => {
    try {
      self.postMessage({ answer: await trainer(data) });
    } catch (error) {
      self.postMessage({ failure: error instanceof Error ? error.message : String(error) });
    }
  });
});
