// The content of a zip's entries: unpacked as a stream, and checked against what the directory says. Knows no limits of its own:
// the directory's size is the limit, and callers look at it first.
import { blobSource } from "./byte-source.ts";
import { crc32 } from "./crc.ts";
import { contentOffset, deflated, stored, ZipError, type ZipEntry } from "./zip-directory.ts";

/** Bytes read from the archive at once. */
const readBytes = 2 ** 20;
/** Bytes unpacked at once: they can become a thousand times as many before their number is checked. */
const inflateBytes = 2 ** 16;

/** Whether `readContent` can unpack the entry. */
export function isReadable({ encrypted, method }: ZipEntry): boolean {
  return !encrypted && (method === stored || method === deflated);
}

/**
 * The content of an entry. Without `checksum`, a stored entry is a slice of the archive, of which nothing is read; use it where
 * the content is verified by other means. Throws ZipError when the entry is damaged or unpacks into another size than it states.
 */
export async function readContent(
  zip: Blob,
  entry: ZipEntry,
  { checksum }: { readonly checksum: boolean },
): Promise<Blob> {
  const from = await contentOffset(blobSource(zip), entry);
  const packed = zip.slice(from, from + entry.packedBytes);
  if (!isReadable(entry) || packed.size !== entry.packedBytes) throw new ZipError("content-damaged");
  const isPacked = entry.method === deflated && packed.size > 0;
  if (!isPacked && packed.size !== entry.bytes) throw new ZipError("content-damaged");
  if (!isPacked && !checksum) return packed;
  const bytes = isPacked ? chunksOf(packed).pipeThrough(new DecompressionStream("deflate-raw")) : chunksOf(packed);
  try {
    return await new Response(bytes.pipeThrough(checked(entry, checksum))).blob();
  } catch (cause) {
    // The decompressor throws whatever it likes.
    throw new ZipError("content-damaged", { cause });
  }
}

function chunksOf(blob: Blob): ReadableStream<Uint8Array<ArrayBuffer>> {
  let offset = 0;
  let block = new Uint8Array();
  return new ReadableStream({
    async pull(controller) {
      if (block.length === 0) {
        block = new Uint8Array(await blob.slice(offset, offset + readBytes).arrayBuffer());
        offset += block.length;
      }
      if (block.length === 0) return controller.close();
      controller.enqueue(block.slice(0, inflateBytes));
      block = block.subarray(inflateBytes);
    },
  });
}

/** Passes bytes on while they are no more than the entry states; fails at the end unless they are what it states. */
function checked(
  entry: ZipEntry,
  checksum: boolean,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  let crc = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > entry.bytes) throw new ZipError("content-damaged");
      if (checksum) crc = crc32(chunk, crc);
      controller.enqueue(chunk);
    },
    flush() {
      if (bytes !== entry.bytes || (checksum && crc !== entry.crc32)) throw new ZipError("content-damaged");
    },
  });
}
