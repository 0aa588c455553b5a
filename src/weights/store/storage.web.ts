// How much the browser will store for this page, and the request to keep it. Absent parts of the API count as "nobody knows".

/** Bytes that may still be stored; undefined where the browser does not tell. */
export async function roomLeft(): Promise<number | undefined> {
  if (!("storage" in navigator)) return undefined;
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
  } catch {
    return undefined; // Some private windows refuse to answer; storing then tells.
  }
}

/** Asks that stored weights survive storage pressure; a refusal changes nothing but their chances. Only a page may ask, workers can't. */
export async function askToPersist(): Promise<void> {
  if (!("storage" in navigator) || !("persist" in navigator.storage)) return;
  try {
    // Where it is granted already, asking again would only bother people: some browsers ask them.
    if (!(await navigator.storage.persisted())) await navigator.storage.persist();
  } catch {
    // Blocked storage keeps nothing anyway; whether the weights could be stored is told elsewhere.
  }
}
