// Opens what people call their data: a file of conversations, a folder with one, or a zip as this app exports it. Reads no conversation.
import { openAsBlob } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { openZip, type ZipEntry } from "#formats/import-zip.ts";
import { blobChunks } from "#samples/text-chunks.ts";
import { backupFile } from "./backup.ts";
import { forms, type DataFile, type PictureFile } from "./data-file.ts";
import { findPicture } from "./find-picture.node.ts";

interface OpenOptions {
  /** The folder from which pictures are named, as LLaVA's --image_folder; by default the data's own. */
  readonly images?: string | undefined;
}

/** Throws a sentence with the next step where nothing there can be read. `path` exists; `name` is for sentences. */
export async function openData(path: string, name: string, { images }: OpenOptions = {}): Promise<DataFile> {
  const found = await stat(path);
  if (found.isDirectory()) return openFolder(path, name, images);
  if (!found.isFile()) throw new Error(`${name} is no file; write its content to one first`);
  if (found.size === 0) throw new Error(`${name} is empty; ${forms}`);
  const start = await startOf(path);
  if (start.startsWith("PK\u0003\u0004")) return openZipped(path, name, images);
  const kind = otherKinds.find(([magic]) => start.startsWith(magic))?.[1];
  if (kind !== undefined) throw new Error(`${name} is ${kind}; ${forms}`);
  return onDisk(path, name, path, images, found.size);
}

const otherKinds: readonly (readonly [magic: string, kind: string])[] = [
  ["\u001f\u008b", "compressed with gzip; unpack it first"],
  ["PAR1", 'a Parquet table; save it as lines of JSON first (pandas: to_json(..., orient="records", lines=True))'],
  ["\u0089PNG", "a picture"],
  ["\u00ff\u00d8", "a picture"],
  ["GGUF", "a model"],
  ["%PDF", "a PDF"],
  ["(\u00b5/\u00fd", "compressed with zstd; unpack it first"],
  ["7z\u00bc\u00af", "a 7z archive; unpack it first"],
];

async function startOf(path: string): Promise<string> {
  const file = await open(path).catch((cause: unknown) => {
    throw new Error(`${path} can't be opened; check who may read it`, { cause });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

function onDisk(path: string, name: string, given: string, images: string | undefined, bytes: number): DataFile {
  const folder = resolve(images ?? dirname(path));
  return {
    name,
    bytes,
    path: resolve(given),
    folder,
    chunks: () => fileChunks(path, name),
    async findPicture(picture) {
      const at = await findPicture(folder, picture);
      return at === undefined ? undefined : diskPicture(at);
    },
  };
}

async function* fileChunks(path: string, name: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 2 ** 20, autoClose: false }))
      yield chunk as Uint8Array;
  } catch (cause) {
    throw new Error(`${name} can't be read to its end`, { cause });
  } finally {
    await file.close();
  }
}

async function diskPicture(path: string): Promise<PictureFile> {
  return {
    path,
    bytes: (await stat(path)).size,
    async read(from, to) {
      const file = await open(path);
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(Math.max(0, to - from)), 0, to - from, from);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

/** A folder that holds one file of data, such as an unpacked export. */
async function openFolder(path: string, name: string, images: string | undefined): Promise<DataFile> {
  const names = (await readdir(path)).filter((one) => /\.jsonl?$/i.test(one)).sort();
  const [only] = names.includes(backupFile) ? [backupFile] : names;
  if (only === undefined) throw new Error(`the folder ${name} holds no .json and no .jsonl; ${forms}`);
  if (names.length > 1 && only !== backupFile)
    throw new Error(
      `the folder ${name} holds ${names.length} files of JSON; give one of them, such as ${join(name, only)}`,
    );
  const file = join(path, only);
  const { size } = await stat(file);
  if (size === 0) throw new Error(`${join(name, only)} is empty; ${forms}`);
  return onDisk(file, join(name, only), path, images, size);
}

const mostTextBytes = 2 ** 32;
const mostPictureBytes = 256 * 2 ** 20;

async function openZipped(path: string, name: string, images: string | undefined): Promise<DataFile> {
  const entries = await openZip(await openAsBlob(path));
  if (entries === "zip-encrypted")
    throw new Error(`${name} is a zip with a password; unpack it and give the file of data`);
  if (typeof entries === "string")
    throw new Error(`${name} is a zip that is damaged or too large; unpack it and give the file of data`);
  const data = [...entries.keys()].filter((one) => /\.jsonl?$/i.test(one) && !/^__MACOSX\//.test(one)).sort();
  const inside =
    data.find((one) => basename(one) === backupFile) ?? data.find((one) => basename(one) === "llava.json") ?? data[0];
  const entry = inside === undefined ? undefined : entries.get(inside);
  if (inside === undefined || entry === undefined)
    throw new Error(`the zip ${name} holds no .json and no .jsonl; ${forms}`);
  const text = await entry.read(mostTextBytes);
  if (typeof text === "string") throw new Error(`${inside} in ${name} is damaged; make the zip again`);
  if (text.size === 0) throw new Error(`${inside} in ${name} is empty; ${forms}`);
  const find = pictureInZip(entries, dirname(inside));
  return {
    name,
    bytes: text.size,
    path: resolve(path),
    folder: undefined,
    chunks: () => blobChunks(text),
    async findPicture(picture) {
      const zipped = find(picture);
      if (zipped !== undefined) return zipPicture(zipped);
      const beside = await findPicture(resolve(images ?? dirname(path)), picture);
      return beside === undefined ? undefined : diskPicture(beside);
    },
  };
}

/** Pictures of a zip by their path from its root or from the data, or in one of its usual folders. */
function pictureInZip(entries: ReadonlyMap<string, ZipEntry>, folder: string): (name: string) => ZipEntry | undefined {
  return (name) => {
    const path = name.replace(/^(?:\.?\/)+/, "");
    for (const one of [path, join(folder, path), join(folder, "images", path), join(folder, "pictures", path)]) {
      const found = entries.get(one.replaceAll("\\", "/"));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function zipPicture(entry: ZipEntry): PictureFile {
  let content: Promise<Blob> | undefined;
  return {
    bytes: entry.bytes,
    async read(from, to) {
      content ??= entry.read(mostPictureBytes).then((blob) => {
        if (typeof blob === "string") throw new Error("damaged in the zip");
        return blob;
      });
      return new Uint8Array(await (await content).slice(from, to).arrayBuffer());
    },
  };
}
