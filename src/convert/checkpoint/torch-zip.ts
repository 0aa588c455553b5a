// The archives of torch.save: zips whose entries are stored uncompressed, so that tensors can be read in place. Refuses compressed
// and encrypted entries, and says what is wrong in sentences. Reads no content.
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import { contentOffset, readDirectory, stored, ZipError, type ZipFault } from "#formats/zip-directory.ts";

/** Where an entry's content lies in the archive. */
export interface StoredEntry {
  readonly offset: number;
  readonly bytes: number;
  readonly crc32: number;
}

/** 70 bytes for each of a million entries; checkpoints have a few thousand. */
const limits = { entries: Infinity, directoryBytes: 70_000_000, zip64: true };

/** Every entry has a header of its own; over a network each is a request. */
const headersAtOnce = 16;

const sentences: Readonly<Record<ZipFault, string>> = {
  "no-directory": "the directory at its end is missing",
  "directory-misplaced": "its directory is not where it should be",
  "too-large": "its directory is not where it should be",
  "directory-cut": "its directory breaks off",
  "size-missing": "a size of its directory is missing",
  "entry-outside": "an entry begins after its end",
  "entry-misplaced": "an entry is not where its directory says",
  "content-damaged": "an entry is damaged",
};

/** The archive's entries by name, in the order of its directory. Throws EngineError("bad-checkpoint"). */
export async function readTorchZip(source: ByteSource, file: string): Promise<Map<string, StoredEntry>> {
  const damaged = (what: string, options?: ErrorOptions) =>
    badCheckpoint(`${file} is truncated or damaged: ${what}`, options);
  const entries = new Map<string, StoredEntry>();
  try {
    const directory = [...(await readDirectory(source, limits))];
    for (const { path: name, encrypted, method, packedBytes, bytes } of directory) {
      if (encrypted) throw damaged(`its entry ${name} is encrypted`);
      if (method !== stored) throw badCheckpoint(`${file} is no file of torch.save: its entry ${name} is compressed`);
      if (packedBytes !== bytes) throw damaged(`its entry ${name} has two sizes`);
    }
    for (let at = 0; at < directory.length; at += headersAtOnce) {
      const some = directory.slice(at, at + headersAtOnce);
      const offsets = await Promise.all(some.map((entry) => contentOffset(source, entry)));
      for (const [i, { path: name, bytes, crc32 }] of some.entries()) {
        const offset = offsets[i] ?? NaN;
        if (offset + bytes > source.bytes) throw damaged(`its entry ${name} ends after the file does`);
        entries.set(name, { offset, bytes, crc32 });
      }
    }
  } catch (cause) {
    throw cause instanceof ZipError ? damaged(sentences[cause.fault], { cause }) : cause;
  }
  return entries;
}
