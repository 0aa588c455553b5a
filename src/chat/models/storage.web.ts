// What the browser tells of its storage, its connection and its memory.
import type { StorageState } from "./storage.ts";

/** Storage as the browser estimates it; what it does not tell is undefined. */
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
