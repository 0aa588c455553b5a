// The browser's own words on storage, saving a file, and keeping the screen awake while something large is on its way.
import type { StorageState } from "./storage.ts";

/** Absent parts are not told by this browser. */
export async function estimateStorage(): Promise<Omit<StorageState, "stored">> {
  const unknown = { usedBytes: undefined, quotaBytes: undefined, persisted: undefined };
  if (!("storage" in navigator)) return unknown;
  try {
    const { usage, quota } = await navigator.storage.estimate();
    return { usedBytes: usage, quotaBytes: quota, persisted: await navigator.storage.persisted() };
  } catch {
    return unknown; // Some private windows refuse to answer.
  }
}

/** Memory of the machine in bytes, as far as the browser tells. */
export function machineMemory(): number | undefined {
  const gibibytes: unknown = Reflect.get(navigator, "deviceMemory");
  return typeof gibibytes === "number" ? gibibytes * 2 ** 30 : undefined;
}

/** Whether the connection says that data costs money or is to be saved; false where the browser does not tell. */
export function isMetered(): boolean {
  const connection: unknown = Reflect.get(navigator, "connection");
  if (typeof connection !== "object" || connection === null) return false;
  return (
    ("saveData" in connection && connection.saveData === true) ||
    ("type" in connection && connection.type === "cellular")
  );
}

/** While it is held the screen stays on; a browser that refuses only lets it sleep. Comes back when the page is seen again. */
export function createWakeLock(): { hold(): void; release(): void } {
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

/** The browser saves it when it gets to it. */
export function saveModelFile(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 600_000);
}
