// Reads a zip that anybody may have made: looks things up in its directory and takes out one file at a time, with a limit on
// each, so that a small file cannot unfold into a large one. Knows no conversation.
import { Inflate } from "fflate";

export type ZipProblem = "zip-damaged" | "zip-encrypted" | "zip-too-large";

export interface ZipEntry {
  /** Unpacked, as the directory says; `read` holds it to that. */
  readonly bytes: number;
  /** The unpacked bytes, or why there are none. */
  read(limitBytes: number): Promise<Blob | "too-large" | "zip-damaged">;
}

const maxEntries = 60_000;
const maxDirectoryBytes = 16 * 2 ** 20;
/** What is inflated at once: it can become a thousand times as much before anybody can look. */
const chunkBytes = 2 ** 16;
const stored = 0;
const deflated = 8;

/** The files of a zip by path ("/" between folders, no "../" before); of two with one path, the first. */
export async function openZip(file: Blob): Promise<ReadonlyMap<string, ZipEntry> | ZipProblem> {
  // The directory's end stands last, behind it only a comment of at most 65,535 bytes.
  const tailAt = Math.max(0, file.size - 22 - 0xffff);
  const tail = await viewOf(file.slice(tailAt));
  const end = findEnd(tail);
  if (end === undefined) return "zip-damaged";
  const count = tail.getUint16(end + 10, true);
  const directoryBytes = tail.getUint32(end + 12, true);
  const directoryAt = tail.getUint32(end + 16, true);
  // These values announce the 64-bit form.
  if (count === 0xffff || directoryAt === 0xffff_ffff || directoryBytes > maxDirectoryBytes || count > maxEntries)
    return "zip-too-large";
  if (directoryAt + directoryBytes > file.size) return "zip-damaged";
  const directory = await viewOf(file.slice(directoryAt, directoryAt + directoryBytes));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x0201_4b50) return "zip-damaged";
    const head = {
      flags: directory.getUint16(at + 8, true),
      method: directory.getUint16(at + 10, true),
      crc: directory.getUint32(at + 16, true),
      packedBytes: directory.getUint32(at + 20, true),
      bytes: directory.getUint32(at + 24, true),
      at: directory.getUint32(at + 42, true),
    };
    const nameBytes = directory.getUint16(at + 28, true);
    const rest = directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    if (at + 46 + nameBytes + rest > directory.byteLength) return "zip-damaged";
    const name = new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameBytes);
    at += 46 + nameBytes + rest;
    const path = new TextDecoder()
      .decode(name)
      .replaceAll("\\", "/")
      .replace(/^(?:\.?\/)+/, "");
    if (path === "" || path.endsWith("/") || entries.has(path)) continue;
    if ((head.flags & 1) !== 0) return "zip-encrypted";
    entries.set(path, { bytes: head.bytes, read: (limit) => readEntry(file, head, limit) });
  }
  return entries;
}

interface EntryHead {
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly at: number;
}

async function readEntry(file: Blob, head: EntryHead, limit: number): Promise<Blob | "too-large" | "zip-damaged"> {
  if (head.bytes > limit) return "too-large";
  if (head.at + 30 > file.size) return "zip-damaged";
  const local = await viewOf(file.slice(head.at, head.at + 30));
  if (local.getUint32(0, true) !== 0x0403_4b50) return "zip-damaged";
  const from = head.at + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const packed = file.slice(from, from + head.packedBytes);
  if (packed.size !== head.packedBytes) return "zip-damaged";
  const out: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let crc = 0;
  const take = (data: Uint8Array): void => {
    bytes += data.length;
    if (bytes > head.bytes) throw new Damaged();
    crc = crc32(data, crc);
    out.push(new Uint8Array(data));
  };
  const inflate = head.method === deflated ? new Inflate(take) : undefined;
  if (inflate === undefined && head.method !== stored) return "zip-damaged";
  try {
    for (let at = 0; at < packed.size; at += chunkBytes) {
      const chunk = new Uint8Array(await packed.slice(at, at + chunkBytes).arrayBuffer());
      if (inflate === undefined) take(chunk);
      else inflate.push(chunk, at + chunkBytes >= packed.size);
    }
  } catch {
    // Whatever the bytes made of the decompressor: they are not a file.
    return "zip-damaged";
  }
  return bytes === head.bytes && crc === head.crc ? new Blob(out) : "zip-damaged";
}

/** More came out than the directory says. */
class Damaged extends Error {}

function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) === 0x0605_4b50 && at + 22 + tail.getUint16(at + 20, true) <= tail.byteLength)
      return at;
  }
  return undefined;
}

async function viewOf(part: Blob): Promise<DataView> {
  return new DataView(await part.arrayBuffer());
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** Goes on from the checksum of what came before; 0 at the beginning. */
function crc32(data: Uint8Array, before: number): number {
  let crc = ~before;
  for (const byte of data) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
