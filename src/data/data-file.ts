// What the tools ask of a file of conversations: its bytes, its pictures, what is in it. Knows no disk and no zip.
import { readSample } from "#samples/read-sample.ts";
import { readSamples, type ReadSample } from "#samples/read-samples.ts";
import { readBackupSamples } from "./backup.ts";

/** A picture that was found; `path` where it is a file of the disk. */
export interface PictureFile {
  readonly path?: string;
  readonly bytes: number;
  /** Bytes from `from` to before `to`, fewer at the end. */
  read(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface DataFile {
  /** As it was given, for sentences. */
  readonly name: string;
  /** Of the bytes that `chunks` yields. */
  readonly bytes: number;
  /** The whole path of what was given, which must not be written over. */
  readonly path: string;
  /** The whole path of the folder from which pictures are named; undefined in a zip. */
  readonly folder: string | undefined;
  chunks(): AsyncIterable<Uint8Array>;
  /** Looks a picture's name up; undefined where there is none. Nothing is fetched. */
  findPicture(name: string): Promise<PictureFile | undefined>;
}

/** A conversation with its place; of this app's backup, one after the other. */
export interface Entry extends ReadSample {
  readonly file: DataFile;
  /** Answers of a backup that are not shown, and its questions without an answer, which are left out. */
  readonly aside?: number;
  readonly unanswered?: number;
}

export interface ReadOptions {
  /** Called about every mebibyte with the bytes read so far of this file. */
  readonly onBytes?: ((file: DataFile, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Everything in the file, in order; throws a sentence where nothing in it is JSON, or the signal's reason. */
export async function* readEntries(file: DataFile, { onBytes, signal }: ReadOptions = {}): AsyncGenerator<Entry> {
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of file.chunks()) {
      signal?.throwIfAborted();
      yield chunk;
      bytes += chunk.length;
      onBytes?.(file, bytes);
    }
  }
  let item = 0;
  for await (const read of readSamples(counted())) {
    if (read.sample === "broken" && item === 0)
      throw new Error(`${file.name} can't be read as JSON (line ${read.line}); ${forms}`);
    const backup = backupOf(file, read.json);
    if (backup === undefined) yield { ...read, item: ++item, file };
    for (const one of backup ?? []) yield backupEntry(one, read, file, ++item);
  }
  if (item === 0) throw new Error(`${file.name} holds no conversation; ${forms}`);
}

function backupOf(file: DataFile, json: unknown): ReturnType<typeof readBackupSamples> {
  try {
    return readBackupSamples(json);
  } catch (cause) {
    throw new Error(`${file.name} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

type BackupPart = NonNullable<ReturnType<typeof readBackupSamples>>[number];

function backupEntry(part: BackupPart, { line }: ReadSample, file: DataFile, item: number): Entry {
  const json = "broken" in part ? part.broken : (part.json ?? { conversations: [] });
  const losses = "broken" in part ? {} : { aside: part.aside, unanswered: part.unanswered };
  return { line, inList: true, item, file, json, sample: readSample(json), ...losses };
}

/** What a file may hold, for sentences. */
export const forms =
  "it should be JSON or lines of JSON in the form of LLaVA, ShareGPT or OpenAI's messages, or an export of llava-web";
