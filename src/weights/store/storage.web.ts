// The free space of the browser's storage, and the request for persistent storage. Where the API is absent the answer is unknown.

/** Bytes that may still be stored; undefined where the browser does not report it. */
export async function roomLeft(): Promise<number | undefined> {
  if (!("storage" in navigator)) return undefined;
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
  } catch {
    return undefined; // Some private windows reject; a failing write then shows it.
  }
}

/** Requests persistent storage, which survives storage pressure; the weights are stored either way. Pages only, not workers. */
export async function askToPersist(): Promise<void> {
  // Pages without HTTPS have no storage manager; workers' has no `persist`.
  const storage = navigator.storage as (StorageManager & { persist?: () => Promise<boolean> }) | undefined;
  if (!storage?.persist) return;
  try {
    // Some browsers prompt the user, so it is not requested again once granted.
    if (!(await storage.persisted())) await storage.persist();
  } catch {
    // Storage is blocked; a failing write shows that later.
  }
}
