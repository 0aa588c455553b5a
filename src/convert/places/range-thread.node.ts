// Reads ranges in a thread of Node.
import { typescriptThread } from "#convert/threads/thread.node.ts";
import type { RangeReader } from "./range-reader.ts";
import { rangesOver, type RangeNews } from "./range-thread.ts";

/** Whoever starts it ends it; reads under way reject then. It keeps the process alive only while it reads. */
export function rangeThread(): RangeReader & { readonly end: () => Promise<void> } {
  const worker = typescriptThread(new URL("./range-serving.node.ts", import.meta.url));
  const ranges = rangesOver((order, taken) => worker.postMessage(order, [...taken]));
  const die = (error: Error): void => ranges.die(error);
  worker.unref();
  worker.on("message", (news: RangeNews) => ranges.take(news));
  worker.on("error", die);
  worker.on("exit", () => die(new Error("the thread that fetches has ended")));
  return {
    async read(call, watch) {
      worker.ref();
      try {
        return await ranges.read(call, watch);
      } finally {
        if (ranges.underWay() === 0) worker.unref();
      }
    },
    async end() {
      await worker.terminate();
    },
  };
}
