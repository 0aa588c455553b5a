// Reads ranges in a worker of the browser; where workers can't start workers, in this thread.
import { startWorker } from "#convert/threads/thread.web.ts";
import { rangesHere, type RangeReader } from "./range-reader.ts";
import { rangesOver, type RangeNews } from "./range-thread.ts";

/** Whoever starts it ends it; reads under way reject then. */
export async function rangeWorker(): Promise<RangeReader & { readonly end: () => void }> {
  const worker = await start();
  if (!worker) return { ...rangesHere(), end: () => undefined };
  const ranges = rangesOver((order, taken) => worker.postMessage(order, [...taken]));
  const die = (message: string): void => {
    ranges.die(new Error(message));
    worker.terminate();
  };
  worker.addEventListener("message", ({ data }: MessageEvent<RangeNews>) => ranges.take(data));
  worker.addEventListener("error", ({ message }) => die(`the thread that fetches failed: ${message}`));
  return { read: ranges.read, end: () => die("the thread that fetches was ended") };
}

async function start() {
  if (typeof Worker !== "function") return undefined;
  const script = new URL("./range-serving.web.ts", import.meta.url);
  return startWorker(new Worker(script, { type: "module", name: "fetch" }), "ready?");
}
