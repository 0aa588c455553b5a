// The converter's folders on Node's file system. A package is written beside its final place and renamed at the end.
import { openAsBlob } from "node:fs";
import { mkdir, open, rename, rm, stat, statfs, writeFile, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { EngineError } from "#engine/errors.ts";
import { manifestName } from "#weights/manifest.ts";
import type { ByteSource, CheckpointFolder, FileWriter, PackageFolder } from "./byte-source.ts";
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
      return found?.isFile() === true ? byteSource(file, found.size) : undefined;
    },
  };
}

/** The folder's name; the model's where the folder is a snapshot in a hub's cache, models--owner--name/snapshots/<commit>. */
function modelName(root: string): string {
  const [repository = "", snapshots, commit = ""] = root.split(sep).slice(-3);
  const [kind, ...rest] = (snapshots === "snapshots" && commit !== "" ? repository : "").split("--");
  // The owner may be missing, and a name may hold the separator itself.
  return kind === "models" && rest.length > 0 ? rest.slice(rest.length > 1 ? 1 : 0).join("--") : basename(root);
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
          if (bytesRead === 0)
            throw new EngineError("bad-checkpoint", `${basename(file)} is truncated: it ends at byte ${offset + done}`);
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
