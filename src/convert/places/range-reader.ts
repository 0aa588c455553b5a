// Ranges of files on servers, read in this thread. What is asked and answered is plain data, so that another thread can do it as well.
import { createFileDownload } from "#weights/download/download.ts";
import type { RequestOptions } from "#weights/download/request.ts";
import { withToken, type HubToken } from "./with-token.ts";

export interface RangeCall {
  readonly url: string;
  readonly fileBytes: number;
  readonly offset: number;
  /** Is filled, in memory of its own. The caller goes on with the bytes of the answer, which may be other memory. */
  readonly into: Uint8Array<ArrayBuffer>;
  readonly token: HubToken | undefined;
}

export interface RangeAnswer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string | undefined;
}

type RangeWatch = Pick<RequestOptions, "signal" | "onSilence">;

export interface RangeReader {
  /** Broken connections are resumed. Rejects with "network", "http" (an HttpError), "integrity" or the signal's reason. */
  read(call: RangeCall, watch: RangeWatch): Promise<RangeAnswer>;
}

/** Options that are given, without those that are undefined. */
export function definedOnly<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never; // what is left is defined
}

/** Reads in this thread. */
export function rangesHere(options: Pick<RequestOptions, "fetch" | "clock" | "backoffMs"> = {}): RangeReader {
  return {
    async read({ url, fileBytes, offset, into, token }, watch) {
      const send = options.fetch ?? fetch;
      const given = { ...options, ...watch, fetch: token ? withToken(token, send) : send };
      const download = createFileDownload(url, fileBytes, definedOnly(given));
      const partial: Parameters<typeof download.read>[1] = { bytes: into, received: 0 };
      try {
        await download.read(offset, partial);
      } finally {
        await download.close();
      }
      return { bytes: partial.bytes, etag: partial.etag };
    },
  };
}

/** A reader that is started when the first read is asked for, so that what reads nothing starts nothing. */
export function rangesWhenAsked<Started extends RangeReader & { readonly end: () => Promise<void> | void }>(
  start: () => Promise<Started> | Started,
) {
  let started: Promise<Started> | undefined;
  return {
    read: (async (call, watch) =>
      (await (started ??= Promise.resolve(start()))).read(call, watch)) satisfies RangeReader["read"],
    /** Ends what was started. */
    async end(): Promise<void> {
      await (await started)?.end();
    },
  };
}
