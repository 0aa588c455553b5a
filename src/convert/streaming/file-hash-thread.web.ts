// A thread that hashes files: answers the calls that are sent to it, in their order.
import { createHasher, type HashCall } from "./file-hash.ts";

const started = createHasher();

self.addEventListener("message", ({ data }: MessageEvent<HashCall>) => {
  void started.then((hasher) => {
    const answer = hasher(data);
    self.postMessage(answer, { transfer: typeof answer === "object" ? [answer.bytes.buffer] : [] });
  });
});
