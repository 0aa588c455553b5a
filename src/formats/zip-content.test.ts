import { strToU8, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { randomBytes } from "#testing/servers/package-server.node.ts";
import { blobSource } from "./byte-source.ts";
import { readContent } from "./zip-content.ts";
import { readDirectory, ZipError, type ZipEntry } from "./zip-directory.ts";

const limits = { entries: 10, directoryBytes: 2 ** 20, zip64: false };
const content = strToU8("weights ".repeat(200_000));

async function open(level: 0 | 6, bytes: Uint8Array = content): Promise<{ zip: Blob; entry: ZipEntry }> {
  const zip = new Blob([new Uint8Array(zipSync({ a: bytes }, { level }))]);
  const [entry] = await readDirectory(blobSource(zip), limits);
  if (!entry) throw new Error("no entry");
  return { zip, entry };
}

async function read(zip: Blob, entry: ZipEntry, checksum = true): Promise<Uint8Array | string> {
  try {
    return new Uint8Array(await (await readContent(zip, entry, { checksum })).arrayBuffer());
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return error.fault;
  }
}

/** Much faster than vitest's comparison element by element. */
function isSame(read: Uint8Array | string, bytes: Uint8Array): boolean {
  return typeof read !== "string" && Buffer.compare(read, bytes) === 0;
}

async function withByteChanged(zip: Blob, at: number): Promise<Blob> {
  const bytes = new Uint8Array(await zip.arrayBuffer());
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  return new Blob([bytes]);
}

describe.each([0, 6] as const)("an entry at level %i", (level) => {
  test.each([true, false])("gives its bytes (checksum: %s)", async (checksum) => {
    const { zip, entry } = await open(level);
    expect(isSame(await read(zip, entry, checksum), content)).toBe(true);
  });

  test("may be empty", async () => {
    const { zip, entry } = await open(level, new Uint8Array());
    expect(await read(zip, entry)).toEqual(new Uint8Array());
  });

  test("may be incompressible and longer than what is read at once", async () => {
    const random = randomBytes(5, 3 * 2 ** 20 + 17);
    const { zip, entry } = await open(level, random);
    expect(isSame(await read(zip, entry), random)).toBe(true);
  });

  test("with another checksum, size or method than the directory says is damaged", async () => {
    const { zip, entry } = await open(level);
    for (const changed of [
      { crc32: entry.crc32 ^ 1 },
      { bytes: entry.bytes + 1 },
      { bytes: entry.bytes - 1 },
      { packedBytes: entry.packedBytes - 1 },
      { packedBytes: zip.size },
      { method: 14 },
      { encrypted: true },
    ])
      expect(await read(zip, { ...entry, ...changed }), JSON.stringify(changed)).toBe("content-damaged");
  });

  test("with a changed byte is damaged, wherever that is", async () => {
    const { zip, entry } = await open(level, content.slice(0, 4000));
    const from = 30 + 1;
    for (let at = from; at < from + entry.packedBytes; at += level === 0 ? 97 : 1)
      expect(await read(await withByteChanged(zip, at), entry), String(at)).toBe("content-damaged");
  });
});

test("without a checksum a stored entry is a slice of the archive, whatever its bytes are", async () => {
  const { zip, entry } = await open(0);
  const changed = await withByteChanged(zip, 100);
  expect(await read(changed, entry, false)).toHaveLength(content.length);
  expect(await read(changed, entry)).toBe("content-damaged");
});

test("an entry that unpacks into more than it states is not unpacked to the end", async () => {
  const { zip, entry } = await open(6, new Uint8Array(8 * 2 ** 20));
  expect(await read(zip, { ...entry, bytes: 1000 })).toBe("content-damaged");
});
