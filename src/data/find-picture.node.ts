// Where the pictures lie that data names: relative to a folder, in images/ of it, absolute, or by the bare name. Nothing is fetched.
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/** Whether a picture's name is an address of the web or the like. */
export const isAddress = (name: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(name);

/** The path of the file; undefined where there is none. */
export async function findPicture(folder: string, name: string): Promise<string | undefined> {
  if (isAddress(name) || name.includes("\0")) return undefined;
  for (const path of [resolve(folder, name), join(folder, "images", name), join(folder, basename(name))]) {
    const isFile = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isFile) return path;
  }
  return undefined;
}
