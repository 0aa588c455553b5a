// The archives of torch.save: zip files whose entries are stored as they are, so that tensors can be read in place.
// Knows zip and zip64 directories; refuses compressed and encrypted entries. Reads no entry but its local header.
import { EngineError } from "#engine/errors.ts";
import type { ByteSource } from "./byte-source.ts";

/** Where an entry's content lies in the archive. */
export interface ZipEntry {
  readonly offset: number;
  readonly bytes: number;
  readonly crc32: number;
}

const endBytes = 22;
const locatorBytes = 20;
const maxCommentBytes = 65_535;
/** The largest directory we believe: 70 bytes for each of a million entries. */
const maxDirectoryBytes = 70_000_000;

/** Whether the file begins as a zip archive does. */
export async function isZip(source: ByteSource): Promise<boolean> {
  if (source.bytes < 4) return false;
  return viewOf(await source.read(0, 4)).getUint32(0, true) === 0x04034b50;
}

/** The archive's entries by name, in the order of its directory. */
export async function readZip(source: ByteSource, file: string): Promise<Map<string, ZipEntry>> {
  const problem = (what: string) => new EngineError("bad-checkpoint", `${file} is truncated or damaged: ${what}`);
  const { count, bytes, offset } = await findDirectory(source, problem);
  if (bytes > maxDirectoryBytes || offset + bytes > source.bytes)
    throw problem("its directory is not where it should be");

  const directory = viewOf(await source.read(offset, bytes));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes || directory.getUint32(at, true) !== 0x02014b50) throw problem("its directory breaks off");
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.getUint16(at + field, true));
    const end = at + 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
    if (end > bytes) throw problem("its directory breaks off");
    const name = textOf(directory, at + 46, nameBytes ?? 0);
    if ((directory.getUint16(at + 8, true) & 1) !== 0) throw problem(`its entry ${name} is encrypted`);
    if (directory.getUint16(at + 10, true) !== 0) {
      throw new EngineError("bad-checkpoint", `${file} is no file of torch.save: its entry ${name} is compressed`);
    }
    const sizes = {
      stored: directory.getUint32(at + 20, true),
      bytes: directory.getUint32(at + 24, true),
      header: directory.getUint32(at + 42, true),
    };
    const wide = zip64Sizes(directory, at + 46 + (nameBytes ?? 0), extraBytes ?? 0, sizes, problem);
    if (wide.stored !== wide.bytes) throw problem(`its entry ${name} has two sizes`);
    const start = await contentStart(source, wide.header, problem);
    if (start + wide.bytes > source.bytes) throw problem(`its entry ${name} ends after the file does`);
    entries.set(name, { offset: start, bytes: wide.bytes, crc32: directory.getUint32(at + 16, true) });
    at = end;
  }
  return entries;
}

interface Directory {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
}

async function findDirectory(source: ByteSource, problem: (what: string) => EngineError): Promise<Directory> {
  const tailBytes = Math.min(source.bytes, endBytes + maxCommentBytes + locatorBytes);
  const tailStart = source.bytes - tailBytes;
  const tail = viewOf(await source.read(tailStart, tailBytes));
  let at = tailBytes - endBytes;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw problem("the directory at its end is missing");
  const small = {
    count: tail.getUint16(at + 10, true),
    bytes: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const locator = at - locatorBytes;
  if (locator < 0 || tail.getUint32(locator, true) !== 0x07064b50) return small;

  const place = Number(tail.getBigUint64(locator + 8, true));
  if (place + 56 > source.bytes) throw problem("its directory is not where it should be");
  const wide = viewOf(await source.read(place, 56));
  if (wide.getUint32(0, true) !== 0x06064b50) throw problem("its directory is not where it should be");
  const [count, bytes, offset] = [32, 40, 48].map((field) => Number(wide.getBigUint64(field, true)));
  return { count: count ?? 0, bytes: bytes ?? 0, offset: offset ?? 0 };
}

interface Sizes {
  readonly stored: number;
  readonly bytes: number;
  readonly header: number;
}

/** Sizes of 4 GiB and more stand in an extra field, those that are too large in this order. */
function zip64Sizes(
  directory: DataView,
  start: number,
  length: number,
  sizes: Sizes,
  problem: (what: string) => EngineError,
): Sizes {
  const large = 0xffffffff;
  if (sizes.bytes !== large && sizes.stored !== large && sizes.header !== large) return sizes;
  for (let at = start; at + 4 <= start + length;) {
    const fieldBytes = directory.getUint16(at + 2, true);
    if (directory.getUint16(at, true) === 1 && at + 4 + fieldBytes <= start + length) {
      let next = at + 4;
      const wide = (value: number) => {
        if (value !== large) return value;
        next += 8;
        if (next > at + 4 + fieldBytes) throw problem("a size of its directory is missing");
        return Number(directory.getBigUint64(next - 8, true));
      };
      const bytes = wide(sizes.bytes);
      const stored = wide(sizes.stored);
      return { bytes, stored, header: wide(sizes.header) };
    }
    at += 4 + fieldBytes;
  }
  throw problem("a size of its directory is missing");
}

/** Where an entry's content begins: after its local header, whose name and padding have lengths of their own. */
async function contentStart(
  source: ByteSource,
  header: number,
  problem: (what: string) => EngineError,
): Promise<number> {
  if (header + 30 > source.bytes) throw problem("an entry begins after its end");
  const local = viewOf(await source.read(header, 30));
  if (local.getUint32(0, true) !== 0x04034b50) throw problem("an entry is not where its directory says");
  return header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function textOf(view: DataView, offset: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + offset, length));
}

let crcTable: Uint32Array | undefined;

/** Zip's checksum. */
export function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value >>> 0;
  });
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
