// A zip without compression, written and read without holding a file's bytes: weights do not get smaller. Knows no manifest.
// Read are packed entries as well; zips of more than 4 GB are neither written nor read.

/** What the format's 32-bit fields can say. */
const largest = 0xffff_fffe;
const chunkBytes = 8 * 2 ** 20;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

async function crc32(blob: Blob): Promise<number> {
  let crc = 0xffff_ffff;
  for (let at = 0; at < blob.size; at += chunkBytes) {
    const bytes = new Uint8Array(await blob.slice(at, at + chunkBytes).arrayBuffer());
    for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** The files in their order, with "/" between folders; it refers to their Blobs. */
export async function writeStoredZip(files: ReadonlyMap<string, Blob>): Promise<Blob | "too-large"> {
  const bytes = [...files].reduce((sum, [path, { size }]) => sum + size + 76 + 6 * path.length, 22);
  if (bytes > largest || files.size > 0xfffe) return "too-large";
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let at = 0;
  let directoryBytes = 0;
  for (const [path, blob] of files) {
    const name = new TextEncoder().encode(path);
    const shared = new DataView(new ArrayBuffer(26));
    shared.setUint16(0, 20, true);
    shared.setUint16(2, 0x800, true); // the name is UTF-8
    shared.setUint16(8, 0x21, true); // 1980-01-01: the same package gives the same file
    shared.setUint32(10, await crc32(blob), true);
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
  /** Its content; undefined when it is damaged, or unfolds into more than the directory says. */
  read(): Promise<Blob | undefined>;
}

/** The files of a zip by path, none of them unpacked yet; undefined when it is none, is damaged, encrypted or too large. */
export async function readZip(zip: Blob): Promise<ReadonlyMap<string, ZippedFile> | undefined> {
  const tail = await view(zip.slice(Math.max(0, zip.size - 22 - 0xffff)));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x0605_4b50) end--;
  if (end < 0) return undefined;
  const [count, bytes, start] = [
    tail.getUint16(end + 10, true),
    tail.getUint32(end + 12, true),
    tail.getUint32(end + 16, true),
  ];
  // The largest values announce the 64-bit form.
  if (count === 0xffff || start > largest || start + bytes > zip.size || bytes > 2 ** 24) return undefined;
  const directory = await view(zip.slice(start, start + bytes));
  const files = new Map<string, ZippedFile>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x0201_4b50) return undefined;
    const encrypted = (directory.getUint16(at + 8, true) & 1) !== 0;
    const method = directory.getUint16(at + 10, true);
    const entry = {
      packed: method === 8,
      packedBytes: directory.getUint32(at + 20, true),
      bytes: directory.getUint32(at + 24, true),
      at: directory.getUint32(at + 42, true),
    };
    const nameBytes = directory.getUint16(at + 28, true);
    const behind = directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    if (at + 46 + nameBytes > directory.byteLength || entry.at + 30 + entry.packedBytes > zip.size) return undefined;
    const path = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, nameBytes));
    at += 46 + nameBytes + behind;
    if (path.endsWith("/")) continue;
    if (encrypted || (method !== 0 && method !== 8)) return undefined;
    files.set(path, { bytes: entry.bytes, read: () => readEntry(zip, entry) });
  }
  return files;
}

interface Entry {
  readonly packed: boolean;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly at: number;
}

async function readEntry(zip: Blob, { packed, packedBytes, bytes, at }: Entry): Promise<Blob | undefined> {
  const local = await view(zip.slice(at, at + 30));
  if (local.byteLength < 30 || local.getUint32(0, true) !== 0x0403_4b50) return undefined;
  const from = at + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const content = zip.slice(from, from + packedBytes);
  const unpacked = packed ? await inflate(content, bytes) : content;
  return content.size === packedBytes && unpacked?.size === bytes ? unpacked : undefined;
}

/** Undefined when these are no packed bytes, or more come out than there should. */
async function inflate(packed: Blob, bytes: number): Promise<Blob | undefined> {
  let left = bytes;
  const limit = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      left -= chunk.length;
      if (left < 0) controller.error(new RangeError("more than the directory says"));
      else controller.enqueue(chunk);
    },
  });
  try {
    const stream = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(limit);
    return await new Response(stream).blob();
  } catch {
    return undefined;
  }
}

async function view(blob: Blob): Promise<DataView> {
  return new DataView(await blob.arrayBuffer());
}
