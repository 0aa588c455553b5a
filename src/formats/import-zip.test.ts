import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { openZip, type ZipEntry } from "./import-zip.ts";

type Zippable = Parameters<typeof zipSync>[0];

const zipOf = (files: Zippable): Blob => new Blob([new Uint8Array(zipSync(files))]);

/** The zip with a number in the directory's entry of its first file changed. */
async function changed(zip: Blob, field: number, change: (value: number) => number): Promise<Blob> {
  const view = new DataView(await zip.arrayBuffer());
  const at = view.getUint32(view.byteLength - 6, true) + field;
  view.setUint32(at, change(view.getUint32(at, true)), true);
  return new Blob([view]);
}

async function opened(zip: Blob): Promise<ReadonlyMap<string, ZipEntry>> {
  const entries = await openZip(zip);
  if (typeof entries === "string") throw new Error(entries);
  return entries;
}

const textOf = async (entry: ZipEntry | undefined): Promise<string | undefined> => {
  const content = await entry?.read(1e6);
  return typeof content === "string" ? content : content?.text();
};

test("files are found by path, whichever separators their tool wrote, and folders are none", async () => {
  const entries = await opened(
    zipOf({ "a\\b.txt": strToU8("b"), "./c.txt": strToU8("c"), "/d.txt": strToU8("d"), "e/": new Uint8Array() }),
  );
  expect([...entries.keys()]).toEqual(["a/b.txt", "c.txt", "d.txt"]);
  expect(await textOf(entries.get("a/b.txt"))).toBe("b");
});

test("of two files with one path the first counts", async () => {
  const entries = await opened(zipOf({ "a.txt": strToU8("first"), "./a.txt": strToU8("second") }));
  expect(entries.size).toBe(1);
  expect(await textOf(entries.get("a.txt"))).toBe("first");
});

test("stored and packed contents are verified by their checksums", async () => {
  const zip = zipOf({ "a.txt": strToU8("a".repeat(1000)), "b.txt": [strToU8("b"), { level: 0 }] });
  const entries = await opened(zip);
  expect(await textOf(entries.get("a.txt"))).toBe("a".repeat(1000));
  expect(await textOf(entries.get("b.txt"))).toBe("b");
  const wrong = await opened(await changed(zip, 16, (crc) => crc ^ 1));
  expect(await textOf(wrong.get("a.txt"))).toBe("zip-damaged");
  expect(await textOf(wrong.get("b.txt"))).toBe("b");
});

test("a method that nobody here knows makes one file unreadable, and not the others", async () => {
  const zip = await changed(zipOf({ a: strToU8("a"), b: strToU8("b") }), 10, (method) => method - 8 + 14);
  const entries = await opened(zip);
  expect(await textOf(entries.get("a"))).toBe("zip-damaged");
  expect(await textOf(entries.get("b"))).toBe("b");
});

test("a small file can't unfold into a large one", async () => {
  const bomb = zipOf({ "llava.json": new Uint8Array(4 * 2 ** 20) });
  expect(bomb.size).toBeLessThan(10_000);
  const claiming = async (bytes: number) => (await opened(await changed(bomb, 24, () => bytes))).get("llava.json");
  const honest = await claiming(4 * 2 ** 20);
  expect(await honest?.read(2 ** 20)).toBe("too-large");
  expect(await honest?.read(4 * 2 ** 20)).toHaveProperty("size", 4 * 2 ** 20);
  expect(await (await claiming(100))?.read(2 ** 20)).toBe("zip-damaged");
});

test("encrypted, damaged and 64-bit zips each have their problem", async () => {
  const zip = zipOf({ "a.txt": strToU8("secret") });
  expect(await openZip(await changed(zip, 8, (flags) => flags | 1))).toBe("zip-encrypted");
  expect(await openZip(zip.slice(0, -40))).toBe("zip-damaged");
  expect(await openZip(new Blob(["no zip at all"]))).toBe("zip-damaged");
  expect(await openZip(new Blob([]))).toBe("zip-damaged");
  const bytes = new Uint8Array(await zip.arrayBuffer());
  new DataView(bytes.buffer).setUint32(bytes.length - 6, 0xffff_ffff, true);
  expect(await openZip(new Blob([bytes]))).toBe("zip-too-large");
});

test("more than 60,000 files are too many", async () => {
  const bytes = new Uint8Array(await zipOf({ a: strToU8("a") }).arrayBuffer());
  new DataView(bytes.buffer).setUint16(bytes.length - 12, 60_001, true);
  expect(await openZip(new Blob([bytes]))).toBe("zip-too-large");
});

test("whatever byte of a zip is wrong, it opens or says why, and what it gives is whole", async () => {
  const files = { "a.txt": strToU8("a".repeat(300)), "b.txt": strToU8("b") };
  const good = zipSync(files);
  const whole = new Set(["a".repeat(300), "b", "zip-damaged", "too-large"]);
  for (let at = 0; at < good.length; at++) {
    const bytes = good.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 0x55;
    const entries = await openZip(new Blob([new Uint8Array(bytes)]));
    if (typeof entries === "string") continue;
    for (const entry of entries.values()) expect(whole).toContain(await textOf(entry));
  }
});
