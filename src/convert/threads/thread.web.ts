// Threads of the browser.
import { createCalls, type Thread } from "./thread.ts";

/** A worker that has not started within this time is given up. */
const startTimeoutMs = 5000;

/** Resolves when the worker has answered its first message; with undefined where it does not start. */
export async function startWorker(worker: Worker, first: unknown): Promise<Worker | undefined> {
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), startTimeoutMs);
    const settle = (ready: boolean) => () => {
      clearTimeout(timer);
      resolve(ready);
    };
    worker.addEventListener("message", settle(true), { once: true });
    worker.addEventListener("error", settle(false), { once: true });
    worker.postMessage(first);
  });
  if (isReady) return worker;
  worker.terminate();
  return undefined;
}

/** The worker answers its first message, and then every other, in their order. Undefined where it does not start. */
export async function startThread<Call, Answer>(
  starting: Worker,
  first: unknown,
): Promise<Thread<Call, Answer> | undefined> {
  const worker = await startWorker(starting, first);
  if (!worker) return undefined;
  const calls = createCalls<Answer>();
  const die = (message: string): void => {
    calls.die(new Error(message));
    worker.terminate();
  };
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => calls.answer(data));
  worker.addEventListener("error", ({ message }) => die(`a thread of the converter failed: ${message}`));
  return {
    ask: (call, taken = []) => calls.ask(() => worker.postMessage(call, [...taken])),
    end: () => die("the threads of the converter were ended"),
  };
}
