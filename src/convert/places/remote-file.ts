// A file of weights on a server, read by ranges with plain requests: no header but Range, and the reader's token where there is one.
import { changedWhileRead } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFile } from "#convert/checkpoint/folders.ts";
import { createFileDownload, emptyShard, type PartialShard } from "#weights/download/download.ts";
import type { RequestOptions } from "#weights/download/request.ts";

/** How a place is asked. */
export type PlaceOptions = Pick<RequestOptions, "fetch" | "signal" | "clock" | "backoffMs" | "onSilence">;

interface RemoteFile {
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256?: string | undefined;
  readonly version?: string | undefined;
}

/** Names of files that hold weights: they are read by ranges, all others whole. */
export const isWeightFile = (path: string): boolean => /\.(safetensors|bin|pth?|gguf)$/i.test(path);

/** Every read is a request of its own, so that several run at a time; broken ones are resumed. */
export function remoteFile({ url, name, ...facts }: RemoteFile, options: PlaceOptions): CheckpointFile {
  let etag: string | undefined;
  return {
    ...facts,
    async read(offset, length, into) {
      const partial: PartialShard = into?.length === length ? { bytes: into, received: 0 } : emptyShard(length);
      const download = createFileDownload(url, facts.bytes, definedOnly(options));
      try {
        await download.read(offset, partial);
      } finally {
        await download.close();
      }
      // Where a hash is published it decides: mirrors behind one name may have etags of their own.
      if (facts.sha256 === undefined && partial.etag !== undefined) {
        etag ??= partial.etag;
        if (etag !== partial.etag) throw changedWhileRead(name);
      }
      return partial.bytes;
    },
  };
}

/** A file that is here whole. */
export function wholeFile(bytes: Uint8Array<ArrayBuffer>): CheckpointFile {
  return {
    bytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
  };
}

type Defined = { [K in keyof PlaceOptions]?: NonNullable<PlaceOptions[K]> };

/** Options that are absent, not undefined. */
export function definedOnly(options: PlaceOptions): Defined {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
