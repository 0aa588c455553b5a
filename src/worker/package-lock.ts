// The Web Lock of a stored package that is changing: two tabs must not fetch, convert or delete the same one at a time.

/** The lock's name. */
function packageLock(id: string): string {
  return `llava-weights/${id}`;
}

/** Runs the work once no other tab or worker holds the package's lock; rejects with the signal's reason where it aborts before. */
export async function alone<T>(id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(packageLock(id), { signal }, work);
}

/** Runs `work` under the package's lock; answers "in-use" where the lock is taken. */
export async function unlessInUse<T>(id: string, work: () => Promise<T>): Promise<T | "in-use"> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(packageLock(id), { ifAvailable: true }, (lock) =>
    lock === null ? Promise.resolve("in-use" as const) : work(),
  );
}
