// The converter's folders on Node's file system. A package is written beside its final place and renamed at the end.
import { openAsBlob } from "node:fs";
import { mkdir, open, readdir, realpath, rename, rm, stat, statfs, writeFile, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { manifestName } from "#weights/manifest.ts";
import type { CheckpointFolder, FileWriter, PackageFolder } from "#convert/checkpoint/folders.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import { besideTarget, cleanAtExit, removeLeftovers, removeNow, restoreNow } from "./half-written.node.ts";
import { filesName, outputPlace, resolveLinks, type OutputOptions } from "./output-place.node.ts";

/** A folder of this machine as a checkpoint. Files are opened for each read, so nothing is left open. */
export function checkpointFolder(path: string): CheckpointFolder {
  const root = resolve(path);
  return {
    name: modelName(root),
    async open(name) {
      const file = join(root, name);
      const found = await stat(file).catch(absent);
      if (found?.isFile() !== true || (cards.has(name) && (await leadsOut(root, file)))) return undefined;
      return byteSource(file, found.size);
    },
    names: () => namesIn(path, root),
  };
}

/** Text files that are copied into a package. A link to a file outside the folder is not followed: it was not meant to be published. */
const cards: ReadonlySet<string> = new Set(["README.md", "MODEL_CARD.md"]);

/** Whether a file is a link out of its folder; a hub's cache keeps the files of its snapshots beside them. */
async function leadsOut(root: string, file: string): Promise<boolean> {
  const [folder, target] = await Promise.all([realpath(root), realpath(file)]);
  const home = isSnapshot(root) ? dirname(dirname(folder)) : folder;
  return !target.startsWith(home + sep);
}

/** The names in a folder and in its folders. Throws a sentence where the path is a file, a model's name on a hub, or nothing. */
async function namesIn(given: string, root: string): Promise<readonly string[]> {
  const name = basename(root);
  const found = await stat(root).catch(absent);
  if (!found) {
    if (!/^[\w.-]+\/[\w.-]+$/.test(given) || given.startsWith(".")) return [];
    throw badCheckpoint(
      `${given} is no folder here; if it is a model of a hub, fetch it first (\`hf download ${given} --local-dir ${name}\`) and give the folder ${name}`,
    );
  }
  if (!found.isDirectory())
    throw badCheckpoint(whatFileIs(name) ?? `${name} is a file; give the folder of a checkpoint`);
  const entries = await readdir(root, { withFileTypes: true });
  const inner = entries.slice(0, 1000).map(async (entry) => {
    if (!entry.isDirectory()) return [entry.name];
    const names = await readdir(join(root, entry.name)).catch(() => []);
    return [`${entry.name}/`, ...names.slice(0, 1000).map((name) => `${entry.name}/${name}`)];
  });
  return (await Promise.all(inner)).flat();
}

/** The sentence for a file given where a folder is needed; undefined where its name does not tell what it is. */
export function whatFileIs(name: string): string | undefined {
  if (/\.gguf$/i.test(name)) {
    return `${name} is a GGUF file; \`llava convert ${name} --mmproj <its projector>\` takes it, and here a folder is needed`;
  }
  if (/\.(gz|zip|tar|tgz|7z|xz|zst|bz2|rar)$/i.test(name))
    return `${name} is an archive; unpack it and give the folder inside`;
  if (/\.(safetensors|bin|pth?|ckpt)$/i.test(name)) {
    return `${name} is one file of weights; give the folder that it lies in, with config.json and a tokenizer`;
  }
  if (/\.onnx$/i.test(name))
    return `${name} is an ONNX graph, a converted model already; give the folder of a checkpoint`;
  return undefined;
}

/** Whether a folder is one commit of a model in a hub's cache: models--owner--name/snapshots/<commit>. */
function isSnapshot(root: string): boolean {
  const [repository = "", snapshots] = root.split(sep).slice(-3);
  return snapshots === "snapshots" && repository.startsWith("models--");
}

/** The folder's name; the model's where the folder is a commit in a hub's cache. */
function modelName(root: string): string {
  if (!isSnapshot(root)) return basename(root);
  // The owner may be missing, and a name may hold the separator itself.
  const [, ...rest] = basename(dirname(dirname(root))).split("--");
  return rest.slice(rest.length > 1 ? 1 : 0).join("--");
}

function byteSource(file: string, bytes: number): ByteSource {
  return {
    bytes,
    async read(offset, length) {
      const out = new Uint8Array(length);
      const handle = await open(file, "r").catch(disk(`cannot open ${file}`));
      try {
        let done = 0;
        while (done < length) {
          const { bytesRead } = await handle.read(out, done, Math.min(length - done, 2 ** 30), offset + done);
          if (bytesRead === 0) throw badCheckpoint(`${basename(file)} is truncated: it ends at byte ${offset + done}`);
          done += bytesRead;
        }
      } finally {
        await handle.close();
      }
      return out;
    },
  };
}

/** Begins a package at `path`; throws EngineError "disk" where `outputPlace` lets nothing be written. */
export async function packageFolder(path: string, options: OutputOptions): Promise<PackageFolder> {
  await removeLeftovers(await resolveLinks(path));
  const target = await outputPlace(path, options);
  const parent = dirname(target);
  await mkdir(parent, { recursive: true }).catch(disk(`cannot create ${parent}`));
  const [temporary, old] = [besideTarget(target, "new"), besideTarget(target, "old")];
  await mkdir(temporary).catch(disk(`cannot write into ${parent}`));
  const ended = cleanAtExit(() => {
    removeNow(temporary);
    restoreNow(old, target);
  });
  const written: string[] = [];
  const openFiles = new Set<FileHandle>();

  return {
    async create(name): Promise<FileWriter> {
      const file = join(temporary, name);
      await mkdir(dirname(file), { recursive: true }).catch(disk(`cannot create ${dirname(file)}`));
      const handle = await open(file, "wx").catch(disk(`cannot create ${file}`));
      openFiles.add(handle);
      written.push(name);
      return {
        write: (bytes) => handle.writeFile(bytes).catch(disk(`cannot write ${file}`)),
        close() {
          openFiles.delete(handle);
          return handle.close().catch(disk(`cannot write ${file}`));
        },
      };
    },
    files: {
      async blob(name) {
        try {
          return await openAsBlob(join(temporary, name));
        } catch (error) {
          throw new EngineError("bad-package", `the package has no file ${name}`, { cause: error });
        }
      },
      localPath: (name) => join(temporary, name),
    },
    async reserve(bytes) {
      const { bavail, bsize } = await statfs(parent);
      const free = bavail * bsize;
      if (free >= bytes) return;
      const inMegabytes = (n: number) => `${Math.ceil(n / 1e6)} MB`;
      throw new EngineError("disk", `the package needs ${inMegabytes(bytes)}, ${parent} has ${inMegabytes(free)} free`);
    },
    async commit() {
      if (!written.includes(manifestName)) {
        const list = `${JSON.stringify(written, null, 2)}\n`;
        await writeFile(join(temporary, filesName), list).catch(disk(`cannot write ${filesName}`));
      }
      const replaced = await rename(target, old).then(() => true, absent);
      try {
        await rename(temporary, target);
      } catch (error) {
        if (replaced === true) await rename(old, target);
        throw new EngineError("disk", `cannot move the package to ${target}: ${messageOf(error)}`, { cause: error });
      }
      await rm(old, { recursive: true, force: true });
      ended();
    },
    async discard() {
      // A file whose writing failed is still open; its content does not matter any more.
      await Promise.allSettled(Array.from(openFiles, (handle) => handle.close()));
      await rm(temporary, { recursive: true, force: true });
      ended();
    },
  };
}

function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
    return undefined;
  if (error instanceof Error && "code" in error && error.code === "ELOOP" && "path" in error) {
    const name = basename(String(error.path));
    throw badCheckpoint(`${name} is a link that leads back to itself`, { cause: error });
  }
  throw new EngineError("disk", messageOf(error), { cause: error });
}

function disk(what: string): (error: unknown) => never {
  return (error) => {
    throw new EngineError("disk", `${what}: ${messageOf(error)}`, { cause: error });
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
