import { strToU8, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { blobSource, type ByteSource } from "./byte-source.ts";
import { contentOffset, isZip, readDirectory, ZipError, type ZipEntry } from "./zip-directory.ts";

const limits = { entries: 100, directoryBytes: 2 ** 20, zip64: true };
const zip = new Uint8Array(
  zipSync({ "folder/": new Uint8Array(0), "a.txt": strToU8("first".repeat(100)), "图.bin": new Uint8Array(70_000) }),
);
const [endBytes, entryBytes] = [22, 46];
const directoryAt = new DataView(zip.buffer).getUint32(zip.length - endBytes + 16, true);

const sourceOf = (bytes: Uint8Array<ArrayBuffer>): ByteSource => blobSource(new Blob([bytes]));

async function read(bytes: Uint8Array<ArrayBuffer>, more: Partial<typeof limits> = {}): Promise<ZipEntry[]> {
  return [...(await readDirectory(sourceOf(bytes), { ...limits, ...more }))];
}

async function faultOf(run: Promise<unknown>): Promise<string | undefined> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return undefined;
  return error instanceof ZipError ? error.fault : "another error";
}

/** The same archive with a 32-bit number of its first entry in the directory changed. */
function withField(field: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = zip.slice();
  new DataView(bytes.buffer).setUint32(directoryAt + field, value, true);
  return bytes;
}

/** The same archive with every number of its directory in 64-bit fields, as in archives of more than 4 GB. */
function asZip64(extraBytes = 24): Uint8Array<ArrayBuffer> {
  const view = new DataView(zip.buffer);
  const count = view.getUint16(zip.length - endBytes + 10, true);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = directoryAt;
  for (let index = 0; index < count; index++) {
    const nameBytes = view.getUint16(at + 28, true);
    const entry = zip.slice(at, at + entryBytes + nameBytes);
    const header = new DataView(entry.buffer);
    const extra = new DataView(new ArrayBuffer(4 + extraBytes));
    extra.setUint16(0, 1, true);
    extra.setUint16(2, extraBytes, true);
    for (const [index, field] of [24, 20, 42].entries()) {
      if (8 * index < extraBytes) extra.setBigUint64(4 + 8 * index, BigInt(header.getUint32(field, true)), true);
      header.setUint32(field, 0xffff_ffff, true);
    }
    header.setUint16(30, 4 + extraBytes, true);
    header.setUint16(32, 0, true);
    parts.push(entry, new Uint8Array(extra.buffer));
    at += entryBytes + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  const directory = Buffer.concat(parts);
  const end = new DataView(new ArrayBuffer(56 + 20 + endBytes));
  end.setUint32(0, 0x0606_4b50, true);
  end.setBigUint64(32, BigInt(count), true);
  end.setBigUint64(40, BigInt(directory.length), true);
  end.setBigUint64(48, BigInt(directoryAt), true);
  end.setUint32(56, 0x0706_4b50, true);
  end.setBigUint64(64, BigInt(directoryAt + directory.length), true);
  end.setUint32(76, 0x0605_4b50, true);
  for (let field = 84; field < 96; field += 2) end.setUint16(field, 0xffff, true);
  return Uint8Array.from(Buffer.concat([zip.subarray(0, directoryAt), directory, new Uint8Array(end.buffer)]));
}

test("entries come in the directory's order, with both sizes and the place of their content", async () => {
  const entries = await read(zip);
  expect(entries.map(({ path, bytes, encrypted, method }) => ({ path, bytes, encrypted, method }))).toEqual([
    { path: "folder/", bytes: 0, encrypted: false, method: 8 },
    { path: "a.txt", bytes: 500, encrypted: false, method: 8 },
    { path: "图.bin", bytes: 70_000, encrypted: false, method: 8 },
  ]);
  const [, , last] = entries;
  if (!last) throw new Error("missing");
  expect((await contentOffset(sourceOf(zip), last)) + last.packedBytes).toBe(directoryAt);
});

test("only the end and the directory are read, however large the archive is", async () => {
  const large = zipSync({ a: [new Uint8Array(2 ** 22), { level: 0 }] });
  const source = sourceOf(new Uint8Array(large));
  let bytesRead = 0;
  const counting: ByteSource = {
    bytes: source.bytes,
    read: (offset, length) => {
      bytesRead += length;
      return source.read(offset, length);
    },
  };
  expect([...(await readDirectory(counting, limits))]).toMatchObject([{ path: "a", bytes: 2 ** 22 }]);
  expect(bytesRead).toBeLessThan(70_000);
});

describe("archives with 64-bit fields", () => {
  test("are read as the same archive with short ones", async () => {
    expect(await read(asZip64())).toEqual(await read(zip));
  });

  test("are too large for callers that do not follow those", async () => {
    expect(await faultOf(read(asZip64(), { zip64: false }))).toBe("too-large");
  });

  test("lack a size where the extra field ends too early", async () => {
    expect(await faultOf(read(asZip64(16)))).toBe("size-missing");
    expect(await faultOf(read(withField(24, 0xffff_ffff)))).toBe("size-missing");
  });

  test("have their directory nowhere when its place is beyond the file", async () => {
    const bytes = asZip64();
    new DataView(bytes.buffer).setBigUint64(bytes.length - endBytes - 20 + 8, BigInt(bytes.length), true);
    expect(await faultOf(read(bytes))).toBe("directory-misplaced");
  });
});

test("a comment behind the directory is no hindrance, and may hold what looks like its end", async () => {
  const bytes = Uint8Array.from(Buffer.concat([zip, Buffer.from("PK\x05\x06 is no end")]));
  new DataView(bytes.buffer).setUint16(zip.length - 2, bytes.length - zip.length, true);
  expect(await read(bytes)).toHaveLength(3);
});

test("more entries or a longer directory than the caller reads are too large", async () => {
  expect(await faultOf(read(zip, { entries: 2 }))).toBe("too-large");
  expect(await faultOf(read(zip, { directoryBytes: 100 }))).toBe("too-large");
});

test("a truncated archive has no directory, wherever it was cut", async () => {
  for (let length = 0; length < zip.length; length++)
    expect(await faultOf(read(zip.slice(0, length))), String(length)).toBe("no-directory");
});

test("an entry that breaks off, or is not one, cuts the directory short", async () => {
  expect(await faultOf(read(withField(0, 0)))).toBe("directory-cut");
  expect(await faultOf(read(withField(28, 0xffff)))).toBe("directory-cut");
});

test("an entry's content is found only where its header is", async () => {
  const offsetOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const [first] = await read(bytes);
    return first && contentOffset(sourceOf(bytes), first);
  };
  expect(await offsetOf(zip)).toBe(30 + "folder/".length);
  expect(await faultOf(offsetOf(withField(42, zip.length - 29)))).toBe("entry-outside");
  expect(await faultOf(offsetOf(withField(42, 1)))).toBe("entry-misplaced");
});

test("a zip is known by its first bytes", async () => {
  expect(await isZip(sourceOf(zip))).toBe(true);
  expect(await isZip(sourceOf(zip.slice(0, 3)))).toBe(false);
  expect(await isZip(sourceOf(zip.slice(1)))).toBe(false);
});
