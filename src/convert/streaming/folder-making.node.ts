// A package in the making in a folder beside its final place, which stays when the process ends early: the next run goes on with it.
import { createHash } from "node:crypto";
import { constants, createReadStream, openAsBlob, rmSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { EngineError } from "#engine/errors.ts";
import { besideTarget, cleanAtExit, host, isAlive } from "#convert/package/half-written.node.ts";
import { outputPlace, type OutputOptions } from "#convert/package/output-place.node.ts";
import { manifestName } from "#weights/manifest.ts";
import { parseJournal, type Journal, type JournalShard } from "./journal.ts";
import type { Making } from "./making.ts";

export interface FolderMaking extends Making {
  /** Lets another process go on. Called once, after everything else. */
  close(): Promise<void>;
}

const journalName = ".making.json";

/** Throws EngineError "disk" where nothing may be written to `path`, or where another process is making it. */
export async function folderMaking(path: string, options: OutputOptions): Promise<FolderMaking> {
  const target = await outputPlace(path, options);
  const parent = dirname(target);
  const temporary = join(parent, `.${basename(target)}.unfinished`);
  await mkdir(parent, { recursive: true }).catch(disk(`cannot create ${parent}`));
  const unlock = await lock(`${temporary}.lock`, path);
  const inside = (name: string): string => join(temporary, name);
  return {
    async journal() {
      const text = await readFile(inside(journalName), "utf8").catch(() => undefined);
      const journal = text === undefined ? undefined : parseJournal(parseOr(text));
      return journal && (await isWhole(journal, inside)) ? journal : undefined;
    },
    async put({ path: name, offset }, bytes) {
      const file = inside(name);
      await mkdir(dirname(file), { recursive: true }).catch(disk(`cannot create ${dirname(file)}`));
      const handle = await open(file, constants.O_RDWR | constants.O_CREAT).catch(disk(`cannot create ${file}`));
      try {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
          done += bytesWritten;
        }
      } catch (error) {
        disk(`cannot write ${file}`)(error);
      } finally {
        await handle.close();
      }
    },
    async note(journal) {
      await mkdir(temporary, { recursive: true }).catch(disk(`cannot create ${temporary}`));
      // Renamed once it is whole, so that a process that ends in between leaves the one before.
      const next = inside(`${journalName}.new`);
      await writeFile(next, JSON.stringify(journal)).catch(disk(`cannot write ${next}`));
      await rename(next, inside(journalName)).catch(disk(`cannot write ${inside(journalName)}`));
    },
    files: {
      async blob(name) {
        // It throws at once where there is no file, without a promise.
        try {
          return await openAsBlob(inside(name));
        } catch (cause) {
          throw new EngineError("bad-package", `the package has no file ${name}`, { cause });
        }
      },
      localPath: inside,
    },
    async commit(manifest) {
      for (const { path: name, bytes } of manifest.files) {
        await truncate(inside(name), bytes).catch(disk(`cannot write ${inside(name)}`));
      }
      await writeFile(inside(manifestName), `${JSON.stringify(manifest, null, 1)}\n`).catch(
        disk("cannot write manifest"),
      );
      const old = besideTarget(target, "old");
      const replaced = await rename(target, old).then(
        () => true,
        () => false,
      );
      try {
        await rename(temporary, target);
      } catch (error) {
        if (replaced) await rename(old, target);
        disk(`cannot move the package to ${target}`)(error);
      }
      await rm(old, { recursive: true, force: true });
      await rm(join(target, journalName), { force: true });
    },
    async discard() {
      await rm(temporary, { recursive: true, force: true }).catch(disk(`cannot remove ${temporary}`));
    },
    async reserve(bytes) {
      const { bavail, bsize } = await statfs(parent);
      const free = bavail * bsize;
      if (free >= bytes) return;
      const inMegabytes = (n: number) => `${Math.ceil(n / 1e6)} MB`;
      throw new EngineError("disk", `the package needs ${inMegabytes(bytes)}, ${parent} has ${inMegabytes(free)} free`);
    },
    close: unlock,
  };
}

/** Whether the bytes are those that the journal speaks of: a machine that lost power may have lost some. */
async function isWhole({ shards }: Journal, inside: (name: string) => string): Promise<boolean> {
  for (const shard of shards) if ((await hashOf(inside(shard.path), shard)) !== shard.sha256) return false;
  return true;
}

async function hashOf(file: string, { offset, bytes }: JournalShard): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file, { start: offset, end: offset + bytes - 1 })) {
      hash.update(chunk as Uint8Array);
    }
  } catch {
    return undefined;
  }
  return hash.digest("hex");
}

/** One process at a time; the lock of one that is not alive any more is taken over. */
async function lock(file: string, path: string): Promise<() => Promise<void>> {
  const owner = `${host} ${process.pid}`;
  for (;;) {
    const taken = await writeFile(file, owner, { flag: "wx" }).then(
      () => true,
      (error: unknown) =>
        error instanceof Error && "code" in error && error.code === "EEXIST"
          ? false
          : disk(`cannot write ${file}`)(error),
    );
    if (taken) break;
    const [madeOn, pid] = (await readFile(file, "utf8").catch(() => "")).split(" ");
    if (madeOn !== host || isAlive(Number(pid)))
      throw new EngineError(
        "disk",
        `another process is writing ${path}; wait for it, or remove ${file} if there is none`,
      );
    await rm(file, { force: true });
  }
  const ended = cleanAtExit(() => rmSync(file, { force: true }));
  return async () => {
    await rm(file, { force: true });
    ended();
  };
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function disk(what: string): (error: unknown) => never {
  return (error) => {
    throw new EngineError("disk", `${what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  };
}
