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
  if (!("storage" in navigator) || !("persist" in navigator.storage)) return;
  try {
    // Some browsers prompt the user, so it is not requested again once granted.
    if (!(await navigator.storage.persisted())) await navigator.storage.persist();
  } catch {
    // Storage is blocked; a failing write shows that later.
  }
}
