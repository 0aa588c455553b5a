// One teaching at a time in all tabs of this page, and a tab that teaches asks before it is closed.

const lock = "llava-web-teaching";

/** Runs the work unless another tab is at it; then it gives false. Browsers without locks run it. */
export async function teachAlone(work: () => Promise<void>): Promise<boolean> {
  const locks: LockManager | undefined = "locks" in navigator ? navigator.locks : undefined;
  if (locks === undefined) {
    await guarded(work);
    return true;
  }
  return locks.request(lock, { ifAvailable: true }, async (held) => {
    if (held === null) return false;
    await guarded(work);
    return true;
  });
}

/** The browser asks whoever leaves meanwhile. */
async function guarded(work: () => Promise<void>): Promise<void> {
  const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
  addEventListener("beforeunload", ask);
  try {
    await work();
  } finally {
    removeEventListener("beforeunload", ask);
  }
}
