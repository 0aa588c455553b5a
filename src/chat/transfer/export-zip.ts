// Writes a zip piece by piece: text is deflated, pictures are stored as they are, because they are compressed already. Knows no
// conversation.
import { strToU8, Zip, ZipDeflate, ZipPassThrough } from "fflate";

export interface ZipPart {
  /** With "/" between folders. */
  readonly path: string;
  readonly content: Blob | string;
}

/** The most that the format's 32-bit fields can hold. */
const largestZipBytes = 0xffff_ffff;
const chunkBytes = 8 * 2 ** 20;

/** The zip as a Blob, or "too-large"; one part's bytes are in memory at a time. */
export async function writeZip(parts: readonly ZipPart[]): Promise<Blob | "too-large"> {
  const known = parts.reduce((sum, { path, content }) => sum + 256 + 2 * path.length + sizeOf(content), 0);
  if (known > largestZipBytes || parts.length > 0xfffe) return "too-large";
  let failure: Error | undefined;
  const pieces: Blob[] = [];
  let pending: Uint8Array<ArrayBuffer>[] = [];
  let pendingBytes = 0;
  // A Blob's bytes are the browser's to keep, on disk if it likes.
  const flush = (): void => {
    pieces.push(new Blob(pending));
    pending = [];
    pendingBytes = 0;
  };
  const zip = new Zip((error, data) => {
    failure ??= error ?? undefined;
    pending.push(new Uint8Array(data));
    pendingBytes += data.length;
    if (pendingBytes > chunkBytes) flush();
  });
  for (const { path, content } of parts) {
    const entry = typeof content === "string" ? new ZipDeflate(path, { level: 6 }) : new ZipPassThrough(path);
    zip.add(entry);
    if (typeof content === "string") {
      entry.push(strToU8(content), true);
      continue;
    }
    for (let at = 0; at === 0 || at < content.size; at += chunkBytes) {
      const chunk = new Uint8Array(await content.slice(at, at + chunkBytes).arrayBuffer());
      entry.push(chunk, at + chunkBytes >= content.size);
    }
  }
  zip.end();
  if (failure !== undefined) throw failure;
  flush();
  return new Blob(pieces, { type: "application/zip" });
}

/** In bytes; of text, the most it can be. */
const sizeOf = (content: Blob | string): number => (typeof content === "string" ? content.length * 3 : content.size);
