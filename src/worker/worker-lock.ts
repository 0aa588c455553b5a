// A Web Lock that a worker holds for as long as it lives. The browser releases it however the worker ends, also where no event is fired, and
// a worker that computes for long still holds it. Browsers without locks, and pages without HTTPS, can only wait for silence.

/** Whether this browser has locks, and this page may use them. */
export function hasLocks(): boolean {
  return "navigator" in globalThis && "locks" in navigator;
}

/** In the worker: resolves when it holds the lock, for good. */
export async function holdLock(name: string): Promise<void> {
  if (!hasLocks()) return;
  await new Promise<void>((resolve, reject) => {
    navigator.locks
      .request(name, () => {
        resolve();
        return new Promise<never>(() => undefined);
      })
      .catch(reject);
  });
}

/** On the page: calls back when the worker that holds the lock is gone; not after the signal. */
export function whenReleased(name: string, signal: AbortSignal, callback: () => void): void {
  navigator.locks
    .request(name, { signal }, () => {
      if (!signal.aborted) callback();
    })
    .catch(() => undefined); // The request was aborted: there is no caller left.
}
