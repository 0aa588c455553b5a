// Zips of model packages: written without compression, since weights do not get smaller, and both written and read without holding
// a file's bytes. Knows no manifest. Archives of more than 4 GB are neither written nor read.
import { blobSource } from "./byte-source.ts";
import { crc32 } from "./crc.ts";
import { isReadable, readContent } from "./zip-content.ts";
import { readDirectory, ZipError } from "./zip-directory.ts";

/** The largest size that the format's 32-bit fields can hold. */
const maxBytes = 0xffff_fffe;
/** The same for its 16-bit count of entries. */
const maxEntries = 0xfffe;
const chunkBytes = 8 * 2 ** 20;

async function checksum(blob: Blob): Promise<number> {
  let crc = 0;
  for (let at = 0; at < blob.size; at += chunkBytes)
    crc = crc32(new Uint8Array(await blob.slice(at, at + chunkBytes).arrayBuffer()), crc);
  return crc;
}

/** A zip of the files in their order, with "/" between folders. It refers to their Blobs and is the same for the same files. */
export async function writeStoredZip(files: ReadonlyMap<string, Blob>): Promise<Blob | "too-large"> {
  const bytes = [...files].reduce((sum, [path, { size }]) => sum + size + 76 + 6 * path.length, 22);
  if (bytes > maxBytes || files.size > maxEntries) return "too-large";
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let at = 0;
  let directoryBytes = 0;
  for (const [path, blob] of files) {
    const name = new TextEncoder().encode(path);
    const shared = new DataView(new ArrayBuffer(26));
    shared.setUint16(0, 20, true);
    shared.setUint16(2, 0x800, true); // the name is UTF-8
    shared.setUint16(8, 0x21, true); // 1980-01-01, always: the same package gives the same file
    shared.setUint32(10, await checksum(blob), true);
    shared.setUint32(14, blob.size, true);
    shared.setUint32(18, blob.size, true);
    shared.setUint16(22, name.length, true);
    parts.push(words(0x0403_4b50), shared, name, blob);
    const place = new DataView(new ArrayBuffer(14));
    place.setUint32(10, at, true);
    directory.push(words(0x0201_4b50), new Uint8Array([20, 0]), shared, place, name);
    directoryBytes += 46 + name.length;
    at += 30 + name.length + blob.size;
  }
  const end = new DataView(new ArrayBuffer(18));
  end.setUint16(4, files.size, true);
  end.setUint16(6, files.size, true);
  end.setUint32(8, directoryBytes, true);
  end.setUint32(12, at, true);
  return new Blob([...parts, ...directory, words(0x0605_4b50), end], { type: "application/zip" });
}

function words(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A file in a zip. */
export interface ZippedFile {
  /** Unpacked, as the directory says. */
  readonly bytes: number;
  /** Its content, not yet verified; undefined when it is damaged, or unpacks into more than the directory says. */
  read(): Promise<Blob | undefined>;
}

const limits = { entries: maxEntries, directoryBytes: 2 ** 24, zip64: false };

/** The files of a zip by path, none of them unpacked yet; undefined when it is none, is damaged, encrypted or too large. */
export async function readPackageZip(zip: Blob): Promise<ReadonlyMap<string, ZippedFile> | undefined> {
  const files = new Map<string, ZippedFile>();
  try {
    for (const entry of await readDirectory(blobSource(zip), limits)) {
      if (entry.headerOffset + 30 + entry.packedBytes > zip.size) return undefined;
      if (entry.path.endsWith("/")) continue;
      if (!isReadable(entry)) return undefined;
      // The package's SHA-256 hashes verify the content, so a checksum would only read everything twice.
      const read = () => orUndefined(readContent(zip, entry, { checksum: false }));
      files.set(entry.path, { bytes: entry.bytes, read });
    }
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return undefined;
  }
  return files;
}

async function orUndefined(content: Promise<Blob>): Promise<Blob | undefined> {
  try {
    return await content;
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return undefined;
  }
}
