// What the converter asks of its host: reading a checkpoint folder, writing a package folder.
// Knows no file system; `folder.node.ts` is the adapter for Node.
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { PackageFiles } from "#engine/types.ts";
import type { ByteSource } from "#formats/byte-source.ts";

/** A file of a checkpoint, and what its place says of it. */
export interface CheckpointFile extends ByteSource {
  /** As a ByteSource; a file may put the bytes into memory that is given to it, and otherwise makes new memory. */
  read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** SHA-256 as the place publishes it, lower-case hex; absent where it publishes none. */
  readonly sha256?: string | undefined;
  /** Tells one version of the file from another (a commit, an etag, a time of change); absent where that can't be told. */
  readonly version?: string | undefined;
}

/** A folder with a checkpoint. */
export interface CheckpointFolder {
  /** The folder's own name, without its path. */
  readonly name: string;
  /** The file, or undefined when there is none of that name. */
  open(path: string): Promise<CheckpointFile | undefined>;
  /** The names of its files, and of files in its folders as folder/file; for error messages. */
  names?(): Promise<readonly string[]>;
}

/** A file being written, from its beginning to its end. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A package folder that is written beside its final place. The caller that opens it ends it with `commit` or `discard`. */
export interface PackageFolder {
  create(path: string): Promise<FileWriter>;
  /** Reads back what has been written so far. */
  readonly files: PackageFiles;
  /** Throws EngineError("disk") when fewer bytes than these are free. */
  reserve(bytes: number): Promise<void>;
  /** Moves the finished package to its place. */
  commit(): Promise<void>;
  /** Removes everything written. */
  discard(): Promise<void>;
}

/** No text of a checkpoint is larger: the longest are tokenizers. */
const maxTextBytes = 200e6;

/** The whole file as text, or undefined when it is not there. */
export async function readText(folder: CheckpointFolder, path: string): Promise<string | undefined> {
  const source = await folder.open(path);
  if (!source) return undefined;
  if (source.bytes > maxTextBytes) {
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    throw badCheckpoint(
      `${path} holds ${megabytes(source.bytes)} MB; at most ${megabytes(maxTextBytes)} MB of text can be read`,
    );
  }
  return new TextDecoder().decode(await source.read(0, source.bytes));
}

/** The folder with some of its JSON files replaced. */
export function withFiles(
  folder: CheckpointFolder,
  files: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): CheckpointFolder {
  const encoder = new TextEncoder();
  return {
    ...folder,
    open(path) {
      const json = files.get(path);
      if (!json) return folder.open(path);
      const bytes = encoder.encode(JSON.stringify(json));
      return Promise.resolve({
        bytes: bytes.length,
        read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
      });
    },
  };
}
