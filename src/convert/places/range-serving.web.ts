// A thread that reads ranges, in the browser. It answers its first message to say that it is there.
import { serveRanges, type RangeOrder } from "./range-thread.ts";

const serve = serveRanges((news, taken) => self.postMessage(news, { transfer: [...taken] }));

self.addEventListener("message", ({ data }: MessageEvent<RangeOrder | "ready?">) => {
  if (data === "ready?") self.postMessage("ready");
  else serve(data);
});
