// A file of weights on a server, read by ranges with plain requests: no header but Range, and the reader's token where there is one.
import { changedWhileRead } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFile } from "#convert/checkpoint/folders.ts";
import { emptyShard } from "#weights/download/download.ts";
import type { RequestOptions } from "#weights/download/request.ts";
import { definedOnly, rangesHere, type RangeReader } from "./range-reader.ts";
import type { HubToken } from "./with-token.ts";

/** How a place is asked. */
export interface PlaceOptions extends Pick<RequestOptions, "signal" | "onSilence"> {
  readonly fetch?: RequestOptions["fetch"] | undefined;
  readonly clock?: RequestOptions["clock"] | undefined;
  readonly backoffMs?: RequestOptions["backoffMs"] | undefined;
  /** Reads ranges of files of weights; default: this thread does, with the options above. */
  readonly ranges?: RangeReader | undefined;
}

interface RemoteFile {
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256?: string | undefined;
  readonly version?: string | undefined;
  readonly token?: HubToken | undefined;
}

/** Names of files that hold weights: they are read by ranges, all others whole. */
export const isWeightFile = (path: string): boolean => /\.(safetensors|bin|pth?|gguf)$/i.test(path);

/** Every read is a request of its own, so that several run at a time; broken ones are resumed. */
export function remoteFile({ url, name, token, ...facts }: RemoteFile, options: PlaceOptions): CheckpointFile {
  const { fetch, clock, backoffMs, signal, onSilence } = options;
  const ranges = options.ranges ?? rangesHere(definedOnly({ fetch, clock, backoffMs }));
  let known: string | undefined;
  return {
    ...facts,
    async read(offset, length, given) {
      const into = given?.length === length ? given : emptyShard(length).bytes;
      const call = { url, fileBytes: facts.bytes, offset, into, token };
      const { bytes, etag } = await ranges.read(call, { signal, onSilence });
      // Where a hash is published it decides: mirrors behind one name may have etags of their own.
      if (facts.sha256 === undefined && etag !== undefined) {
        known ??= etag;
        if (etag !== known) throw changedWhileRead(name);
      }
      return bytes;
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
