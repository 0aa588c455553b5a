// The page's side of the import's worker: takes one conversation at a time, and ends the worker with the signal or after the last one.
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { ImportEnd } from "./import.ts";
import type { ImportReply, ImportRequest } from "./import-wire.ts";

/** Calls `take` with each conversation and waits for it; rejects with the signal's reason after an abort. */
export function importInWorker(
  files: readonly File[],
  take: (conversation: Conversation) => Promise<void>,
  signal: AbortSignal,
): Promise<ImportEnd> {
  const worker = new Worker(new URL("./import-worker.web.ts", import.meta.url), { type: "module" });
  const ask = (request: ImportRequest): void => worker.postMessage(request);
  return new Promise<ImportEnd>((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason as Error));
    worker.addEventListener("error", () => reject(new Error("the import's worker failed")));
    worker.addEventListener("messageerror", () => reject(new Error("the import's worker sent what can't be read")));
    worker.addEventListener("message", ({ data }: MessageEvent<ImportReply>) => {
      if (data.kind === "conversation") take(data.conversation).then(() => ask("next"), reject);
      else if (data.kind === "end") resolve(data);
      else reject(new Error(data.message));
    });
    ask({ files, now: Date.now() });
  }).finally(() => worker.terminate());
}
