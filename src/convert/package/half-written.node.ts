// Folders that are being written beside their final place: their names, and what becomes of them when the process ends early. They go when
// it exits for whatever reason; those of a process that was killed outright go with the next run that writes to the same place.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** Identifies this machine where several write to one disk: a process id is unique on its machine only. */
export const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);

export type Mark = "new" | "old" | "calibration";

/** A temporary name beside `target` that carries machine and process id, by which leftovers are recognized. */
export function besideTarget(target: string, mark: Mark): string {
  const name = `.${basename(target)}.${mark}-${host}-${process.pid}-${randomBytes(4).toString("hex")}`;
  return join(dirname(target), name);
}

const undo = new Set<() => void>();

/** Runs `clean` (synchronous) if the process exits before the returned function was called. */
export function cleanAtExit(clean: () => void): () => void {
  if (undo.size === 0) process.on("exit", cleanAll);
  undo.add(clean);
  return () => {
    undo.delete(clean);
    if (undo.size === 0) process.off("exit", cleanAll);
  };
}

function cleanAll(): void {
  for (const clean of undo) clean();
}

/** Removes a folder that is not finished. */
export const removeNow = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Brings back what stood at `target` before, if nothing has taken its place. */
export function restoreNow(old: string, target: string): void {
  if (!existsSync(target) && existsSync(old)) renameSync(old, target);
}

/** Removes what killed processes left beside `target`; what one of them had just moved aside comes back. */
export async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target);
  const owner = "([0-9a-f]{6})-(\\d+)-[0-9a-f]{8}";
  const base = basename(target).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  // A calibration's temporary package leaves its own leftovers.
  const pattern = new RegExp(`^\\.?\\.${base}\\.(?:calibration-${owner}\\.)?(new|old|calibration)-${owner}$`);
  for (const name of await readdir(folder).catch(() => [])) {
    const [, , , mark, madeOn, pid] = pattern.exec(name) ?? [];
    if (madeOn !== host || isAlive(Number(pid))) continue;
    const leftover = join(folder, name);
    if (mark === "old" && !existsSync(target)) await rename(leftover, target);
    else await rm(leftover, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
