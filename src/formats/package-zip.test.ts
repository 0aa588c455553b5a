import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, unzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { randomBytes } from "#testing/servers/package-server.node.ts";
import { readPackageZip, writeStoredZip } from "./package-zip.ts";

const files = new Map([
  ["manifest.json", new Blob(["{}"])],
  ["onnx/weights.onnx_data", new Blob([randomBytes(3, 70_000)])],
  ["empty", new Blob([])],
  ["图/é.txt", new Blob(["names are UTF-8"])],
]);

async function written(): Promise<Blob> {
  const zip = await writeStoredZip(files);
  if (zip === "too-large") throw new Error("too large");
  return zip;
}

async function bytesOf(blob: Blob | undefined): Promise<Uint8Array | undefined> {
  return blob && new Uint8Array(await blob.arrayBuffer());
}

async function readAll(zip: Blob): Promise<Map<string, Uint8Array | undefined> | undefined> {
  const read = await readPackageZip(zip);
  if (!read) return undefined;
  const all = new Map<string, Uint8Array | undefined>();
  for (const [path, file] of read) all.set(path, await bytesOf(await file.read()));
  return all;
}

/** The zip with one byte changed. */
async function damaged(zip: Blob, at: number, change: (byte: number) => number): Promise<Blob> {
  const bytes = new Uint8Array(await zip.arrayBuffer());
  bytes[at] = change(bytes[at] ?? 0);
  return new Blob([bytes]);
}

test("what is written is read again, byte for byte, and twice the same", async () => {
  const zip = await written();
  const read = await readAll(zip);
  expect([...(read?.keys() ?? [])]).toEqual([...files.keys()]);
  for (const [path, blob] of files) expect(read?.get(path)).toEqual(await bytesOf(blob));
  expect(await bytesOf(await written())).toEqual(await bytesOf(zip));
});

test("another reader takes what is written, checksums included", async () => {
  const zip = await written();
  const read = unzipSync(new Uint8Array(await zip.arrayBuffer()));
  for (const [path, blob] of files) expect(read[path]).toEqual(await bytesOf(blob));
  // Python is not everywhere; where it is, it checks every CRC.
  const folder = mkdtempSync(join(tmpdir(), "llava-zip-"));
  try {
    writeFileSync(join(folder, "a.zip"), new Uint8Array(await zip.arrayBuffer()));
    const program = `import zipfile; print(zipfile.ZipFile("a.zip").testzip())`;
    let said: string;
    try {
      said = execFileSync("python3", ["-c", program], { cwd: folder, encoding: "utf8", stdio: "pipe" }).trim();
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
      said = "None";
    }
    expect(said).toBe("None");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([0, 6] as const)("a zip made by another tool is read, packed at level %i", async (level) => {
  const content = strToU8("weights ".repeat(5_000));
  const made = zipSync({ "model/": new Uint8Array(0), "model/a.txt": content, "b.bin": randomBytes(1, 99) }, { level });
  const read = await readAll(new Blob([new Uint8Array(made)]));
  expect([...(read?.keys() ?? [])].sort()).toEqual(["b.bin", "model/a.txt"]);
  expect(read?.get("model/a.txt")).toEqual(content);
});

test("a comment behind the directory is no hindrance", async () => {
  const zip = new Uint8Array(await (await written()).arrayBuffer());
  zip[zip.length - 2] = 5;
  expect((await readPackageZip(new Blob([zip, "hello"])))?.size).toBe(files.size);
});

test("an encrypted zip is refused", async () => {
  const made = new Uint8Array(zipSync({ "a.txt": strToU8("secret") }));
  const directory = new DataView(made.buffer).getUint32(made.length - 6, true);
  expect(await readPackageZip(new Blob([made]))).toBeDefined();
  expect(await readPackageZip(await damaged(new Blob([made]), directory + 8, (flags) => flags | 1))).toBeUndefined();
});

test("a truncated zip is none, wherever it was cut", async () => {
  const zip = await written();
  for (const length of [0, 10, 21, 100, 40_000, zip.size - 60, zip.size - 1])
    expect(await readPackageZip(zip.slice(0, length)), String(length)).toBeUndefined();
  // The front is missing: what the directory points at is not there.
  const behind = await readPackageZip(new Blob([zip.slice(500)]));
  for (const file of behind?.values() ?? []) expect(await file.read()).toBeUndefined();
});

test("packed bytes that are damaged give no content, and no error", async () => {
  const made = new Uint8Array(zipSync({ a: strToU8("weights ".repeat(5_000)) }, { level: 6 }));
  const read = await readPackageZip(await damaged(new Blob([made]), 40, (byte) => byte ^ 0xff));
  expect(await read?.get("a")?.read()).toBeUndefined();
});

test("a file that unfolds into more than its directory says is not unfolded to the end", async () => {
  const made = new Uint8Array(zipSync({ a: new Uint8Array(5_000_000) }, { level: 9 }));
  const directory = new DataView(made.buffer).getUint32(made.length - 6, true);
  new DataView(made.buffer).setUint32(directory + 24, 1000, true);
  const read = await readPackageZip(new Blob([made]));
  expect(read?.get("a")?.bytes).toBe(1000);
  expect(await read?.get("a")?.read()).toBeUndefined();
});

test("more than 4 GB are neither written nor read", async () => {
  const part = new Blob([new Uint8Array(2 ** 26)]);
  // The same bytes many times over: a Blob refers to its parts.
  const half = new Blob(Array.from({ length: 33 }, () => part));
  const halves = new Map([1, 2].map((n) => [`half ${n}`, half]));
  expect(await writeStoredZip(halves)).toBe("too-large");
  const zip = new Uint8Array(await (await written()).arrayBuffer());
  const end = new DataView(zip.buffer, zip.length - 22);
  end.setUint32(16, 0xffff_ffff, true); // says that the 64-bit form is used
  expect(await readPackageZip(new Blob([zip]))).toBeUndefined();
});

test("the zip of a real tool is read, where there is one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "llava-zip-"));
  try {
    for (const [path, blob] of [...files].slice(0, 1)) writeFileSync(join(folder, path), await blob.text());
    try {
      execFileSync("zip", ["-q", "made.zip", "manifest.json"], { cwd: folder });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
      console.log("There is no `zip` here: only the library's zips were read.");
      return;
    }
    const read = await readAll(new Blob([new Uint8Array(readFileSync(join(folder, "made.zip")))]));
    expect(new TextDecoder().decode(read?.get("manifest.json"))).toBe("{}");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
