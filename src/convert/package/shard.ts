// Hashes the files of a package in shards while they are written, so that nothing is read twice.
// Wraps the writer of any package folder.
import type { ManifestFile, Shard } from "#weights/manifest.ts";
import type { FileWriter, PackageFolder } from "#convert/checkpoint/folders.ts";

/** Bytes of every shard but a file's last. */
const shardBytes = 32 * 2 ** 20;

/** Writes small files, and keeps the manifest's record of every file. */
export interface WholeFileWriter {
  readonly files: readonly ManifestFile[];
  writeWhole(path: string, content: Uint8Array | string): Promise<void>;
}

/** Writes files into a package folder and keeps the manifest's record of them. */
export class ShardedWriter implements WholeFileWriter {
  readonly files: ManifestFile[] = [];
  readonly #folder: PackageFolder;
  readonly #onBytes: (bytes: number) => void;
  readonly #shardBytes: number;

  /** `onBytes` is called with the size of every shard written. */
  constructor(folder: PackageFolder, onBytes: (bytes: number) => void, size = shardBytes) {
    this.#folder = folder;
    this.#onBytes = onBytes;
    this.#shardBytes = size;
  }

  /** A writer for one file; its record is added when it is closed. */
  async create(path: string): Promise<FileWriter> {
    const target = await this.#folder.create(path);
    const shards: Shard[] = [];
    let pending = new Uint8Array(0);
    let spare = new Uint8Array(0);
    let filled = 0;
    let offset = 0;
    // One shard is hashed and written while the next one fills.
    let underWay: Promise<void> = Promise.resolve();

    const finish = async (shard: Uint8Array<ArrayBuffer>, at: number) => {
      const [sha256] = await Promise.all([sha256Hex(shard), target.write(shard)]);
      shards.push({ offset: at, bytes: shard.length, sha256 });
      this.#onBytes(shard.length);
    };
    const flush = async () => {
      await underWay;
      underWay = finish(pending.subarray(0, filled), offset);
      // The next write, or close, throws what failed here.
      underWay.catch(() => undefined);
      offset += filled;
      filled = 0;
      [pending, spare] = [spare, pending];
    };
    return {
      write: async (bytes) => {
        let rest = bytes;
        while (rest.length > 0) {
          const take = rest.subarray(0, this.#shardBytes - filled);
          if (filled + take.length > pending.length) {
            const grown = new Uint8Array(
              Math.min(this.#shardBytes, Math.max(2 * pending.length, filled + take.length)),
            );
            grown.set(pending.subarray(0, filled));
            pending = grown;
          }
          pending.set(take, filled);
          filled += take.length;
          rest = rest.subarray(take.length);
          if (filled === this.#shardBytes) await flush();
        }
      },
      close: async () => {
        if (filled > 0) await flush();
        await underWay;
        await target.close();
        this.files.push({ path, bytes: offset, shards });
      },
    };
  }

  async writeWhole(path: string, content: Uint8Array | string): Promise<void> {
    const writer = await this.create(path);
    await writer.write(typeof content === "string" ? new TextEncoder().encode(content) : content);
    await writer.close();
  }
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
