// Training threads of the browser.
import { startThread } from "#convert/threads/thread.web.ts";
import { createTrainer, trainThread, type TrainCall, type TrainReply, type TrainThread } from "./trainers.ts";

/** As many workers as asked for; where workers can't start workers, this thread alone. */
export async function webTrainThreads(count: number): Promise<TrainThread[]> {
  const start = async () => {
    if (typeof Worker !== "function") return undefined;
    const script = new URL("./train-thread.web.ts", import.meta.url);
    return startThread<TrainCall, TrainReply>(new Worker(script, { type: "module", name: "train" }), "start");
  };
  const started = await Promise.all(Array.from({ length: count }, start));
  const threads = started.flatMap((thread) => (thread ? [trainThread(thread)] : []));
  return threads.length > 0 ? threads : [{ ask: createTrainer(), end: () => undefined }];
}
