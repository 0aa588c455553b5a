// Keeps the screen on, where the browser has wake locks.
import type { WakeLock } from "./stay-awake.ts";

/**
 * A lock that is not held yet. The browser takes the lock back when the page is hidden; it is requested again when the page is seen again.
 * A browser that refuses lets the screen go dark.
 */
export function createWakeLock(): WakeLock {
  let wanted = false;
  let lock: WakeLockSentinel | undefined;
  const take = async (): Promise<void> => {
    if (!wanted || lock !== undefined || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      const taken = await navigator.wakeLock.request("screen");
      taken.addEventListener("release", () => {
        if (lock === taken) lock = undefined;
      });
      lock = taken;
      if (!isWanted()) await taken.release();
    } catch {
      // Refused to save power: the download goes on while the machine is awake.
    }
  };
  const isWanted = (): boolean => wanted;
  document.addEventListener("visibilitychange", () => void take());
  return {
    hold() {
      if (wanted) return;
      wanted = true;
      void take();
    },
    release() {
      wanted = false;
      void lock?.release();
      lock = undefined;
    },
  };
}
