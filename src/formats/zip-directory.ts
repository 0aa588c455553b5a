// The directory of a zip: which entries it has and where their content lies. Read by ranges, so the archive may be of any size.
// Unpacks nothing (zip-content.ts does that) and accepts every entry: which ones are allowed is for the caller to decide.
import type { ByteSource } from "./byte-source.ts";

/** What can be wrong with an archive. */
export type ZipFault =
  | "no-directory" // no record of a directory's end near the end of the file
  | "directory-misplaced" // the directory does not lie where the end record says
  | "directory-cut" // an entry of the directory is incomplete
  | "size-missing" // an entry announces a 64-bit size and has none
  | "entry-outside" // an entry begins after the end of the file
  | "entry-misplaced" // there is no entry where the directory says
  | "content-damaged" // the content does not unpack, or not into what the directory says
  | "too-large"; // the directory exceeds the caller's limits

/** Thrown for archives that cannot be read; callers turn the fault into their own answer or sentence. */
export class ZipError extends Error {
  readonly fault: ZipFault;
  constructor(fault: ZipFault, options?: ErrorOptions) {
    super(fault, options);
    this.name = "ZipError";
    this.fault = fault;
  }
}

/** An entry as the directory describes it; nothing of it has been verified. */
export interface ZipEntry {
  /** As written: with any separators, and for a folder with one at its end. */
  readonly path: string;
  readonly encrypted: boolean;
  readonly method: number;
  readonly crc32: number;
  /** Size within the archive. */
  readonly packedBytes: number;
  /** Size of the content. */
  readonly bytes: number;
  /** Where the entry's local header begins. */
  readonly headerOffset: number;
}

/** How large a directory the caller is willing to read. */
export interface ZipLimits {
  readonly entries: number;
  readonly directoryBytes: number;
  /** Whether to follow the 64-bit fields of archives of 4 GB or more; without, those are "too-large". */
  readonly zip64: boolean;
}

/** Values of `ZipEntry.method`. */
export const [stored, deflated] = [0, 8];

const signatures = {
  localHeader: 0x0403_4b50,
  entry: 0x0201_4b50,
  end: 0x0605_4b50,
  wideEnd: 0x0606_4b50,
  wideLocator: 0x0706_4b50,
} as const;
const localHeaderBytes = 30;
const entryBytes = 46;
const endBytes = 22;
const wideEndBytes = 56;
const wideLocatorBytes = 20;
/** The end record is the last thing in the file, followed only by a comment of at most this size. */
const maxCommentBytes = 0xffff;
/** These values say that the number stands in a 64-bit field elsewhere. */
const [wide16, wide32] = [0xffff, 0xffff_ffff];

/** Whether the file begins as a zip does. */
export async function isZip(source: ByteSource): Promise<boolean> {
  if (source.bytes < 4) return false;
  return viewOf(await source.read(0, 4)).getUint32(0, true) === signatures.localHeader;
}

/**
 * The archive's entries in the order of its directory. They are parsed while they are iterated over, so a ZipError may also come
 * from the iteration.
 */
export async function readDirectory(source: ByteSource, limits: ZipLimits): Promise<Iterable<ZipEntry>> {
  const { count, bytes, offset } = await findDirectory(source, limits.zip64);
  if (bytes > limits.directoryBytes || count > limits.entries) throw new ZipError("too-large");
  if (offset + bytes > source.bytes) throw new ZipError("directory-misplaced");
  return parseEntries(viewOf(await source.read(offset, bytes)), count, limits.zip64);
}

/** Where an entry's content begins: behind its local header, whose name and extra field have lengths of their own. */
export async function contentOffset(source: ByteSource, { headerOffset }: ZipEntry): Promise<number> {
  if (headerOffset + localHeaderBytes > source.bytes) throw new ZipError("entry-outside");
  const header = viewOf(await source.read(headerOffset, localHeaderBytes));
  if (header.getUint32(0, true) !== signatures.localHeader) throw new ZipError("entry-misplaced");
  return headerOffset + localHeaderBytes + header.getUint16(26, true) + header.getUint16(28, true);
}

interface DirectoryPlace {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
}

async function findDirectory(source: ByteSource, zip64: boolean): Promise<DirectoryPlace> {
  const tailBytes = Math.min(source.bytes, wideLocatorBytes + endBytes + maxCommentBytes);
  const tail = viewOf(await source.read(source.bytes - tailBytes, tailBytes));
  const end = findEnd(tail);
  if (end === undefined) throw new ZipError("no-directory");
  const place = {
    count: tail.getUint16(end + 10, true),
    bytes: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  if (!zip64) {
    if (place.count === wide16 || place.offset === wide32) throw new ZipError("too-large");
    return place;
  }
  const locator = end - wideLocatorBytes;
  if (locator < 0 || tail.getUint32(locator, true) !== signatures.wideLocator) return place;
  const wideOffset = Number(tail.getBigUint64(locator + 8, true));
  if (wideOffset + wideEndBytes > source.bytes) throw new ZipError("directory-misplaced");
  const wide = viewOf(await source.read(wideOffset, wideEndBytes));
  if (wide.getUint32(0, true) !== signatures.wideEnd) throw new ZipError("directory-misplaced");
  const field = (at: number): number => Number(wide.getBigUint64(at, true));
  return { count: field(32), bytes: field(40), offset: field(48) };
}

/** Where the end record begins: the last signature whose comment fits into the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - endBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== signatures.end) continue;
    if (at + endBytes + tail.getUint16(at + 20, true) <= tail.byteLength) return at;
  }
  return undefined;
}

function* parseEntries(directory: DataView, count: number, zip64: boolean): Generator<ZipEntry> {
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + entryBytes > directory.byteLength || directory.getUint32(at, true) !== signatures.entry)
      throw new ZipError("directory-cut");
    const nameBytes = directory.getUint16(at + 28, true);
    const extraBytes = directory.getUint16(at + 30, true);
    const extraAt = at + entryBytes + nameBytes;
    const next = extraAt + extraBytes + directory.getUint16(at + 32, true);
    if (next > directory.byteLength) throw new ZipError("directory-cut");
    const extra = new DataView(directory.buffer, directory.byteOffset + extraAt, extraBytes);
    const name = new Uint8Array(directory.buffer, directory.byteOffset + at + entryBytes, nameBytes);
    const entry = {
      path: new TextDecoder().decode(name),
      encrypted: (directory.getUint16(at + 8, true) & 1) !== 0,
      method: directory.getUint16(at + 10, true),
      crc32: directory.getUint32(at + 16, true),
      packedBytes: directory.getUint32(at + 20, true),
      bytes: directory.getUint32(at + 24, true),
      headerOffset: directory.getUint32(at + 42, true),
    };
    yield zip64 ? { ...entry, ...wideSizes(entry, extra) } : entry;
    at = next;
  }
}

type Sizes = Pick<ZipEntry, "packedBytes" | "bytes" | "headerOffset">;

/** Numbers of 4 GiB and more stand in the extra field with id 1, one after the other, and only those that are so large. */
function wideSizes({ packedBytes, bytes, headerOffset }: Sizes, extra: DataView): Sizes {
  if (bytes !== wide32 && packedBytes !== wide32 && headerOffset !== wide32)
    return { packedBytes, bytes, headerOffset };
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1 && end <= extra.byteLength) {
      let next = at + 4;
      const widen = (value: number): number => {
        if (value !== wide32) return value;
        if (next + 8 > end) throw new ZipError("size-missing");
        next += 8;
        return Number(extra.getBigUint64(next - 8, true));
      };
      // The order of the properties is the order of the fields.
      return { bytes: widen(bytes), packedBytes: widen(packedBytes), headerOffset: widen(headerOffset) };
    }
    at = end;
  }
  throw new ZipError("size-missing");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
