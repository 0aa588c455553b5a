// Zips from anybody: every content is verified by its checksum and limited in size, so that a small file cannot unfold into a large
// one. Knows no conversation.
import { blobSource } from "./byte-source.ts";
import { readContent } from "./zip-content.ts";
import { readDirectory, ZipError, type ZipEntry as DirectoryEntry } from "./zip-directory.ts";

export type ZipProblem = "zip-damaged" | "zip-encrypted" | "zip-too-large";

export interface ZipEntry {
  /** Unpacked, as the directory says; `read` holds it to that. */
  readonly bytes: number;
  /** The unpacked bytes, or why there are none. */
  read(limitBytes: number): Promise<Blob | "too-large" | "zip-damaged">;
}

const limits = { entries: 60_000, directoryBytes: 16 * 2 ** 20, zip64: false };

/** The files of a zip by path ("/" between folders, none at the beginning); of two with one path, the first. */
export async function openZip(file: Blob): Promise<ReadonlyMap<string, ZipEntry> | ZipProblem> {
  const files = new Map<string, ZipEntry>();
  try {
    for (const entry of await readDirectory(blobSource(file), limits)) {
      const path = entry.path.replaceAll("\\", "/").replace(/^(?:\.?\/)+/, "");
      if (path === "" || path.endsWith("/") || files.has(path)) continue;
      if (entry.encrypted) return "zip-encrypted";
      files.set(path, { bytes: entry.bytes, read: (limitBytes) => readEntry(file, entry, limitBytes) });
    }
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return error.fault === "too-large" ? "zip-too-large" : "zip-damaged";
  }
  return files;
}

async function readEntry(
  file: Blob,
  entry: DirectoryEntry,
  limitBytes: number,
): Promise<Blob | "too-large" | "zip-damaged"> {
  if (entry.bytes > limitBytes) return "too-large";
  try {
    return await readContent(file, entry, { checksum: true });
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return "zip-damaged";
  }
}
