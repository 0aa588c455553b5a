// A folder on any server as a checkpoint's folder. There is no listing: whether a file exists is asked with a plain GET, whose length says
// how large it is and whose body is not read where only ranges of it are wanted.
import type { CheckpointFile, CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { EngineError } from "#engine/errors.ts";
import { HttpError, requestBytes, toEngineError } from "#weights/download/request.ts";
import { definedOnly } from "./range-reader.ts";
import { isWeightFile, remoteFile, wholeFile, type PlaceOptions } from "./remote-file.ts";

/** `url` ends with a slash. */
export function addressFolder(url: string, options: PlaceOptions = {}): CheckpointFolder {
  const open = async (path: string): Promise<CheckpointFile | undefined> => {
    const address = new URL(path.split("/").map(encodeURIComponent).join("/"), url).href;
    try {
      if (!isWeightFile(path)) return wholeFile(await requestBytes(address, definedOnly(options), "no-cache"));
      const { bytes, version } = await lookAt(address, options);
      return remoteFile({ url: address, name: path, bytes, version }, options);
    } catch (error) {
      if (error instanceof HttpError && (error.status === 404 || error.status === 410)) return undefined;
      throw error;
    }
  };
  const opened = new Map<string, Promise<CheckpointFile | undefined>>();
  return {
    name: decodeURIComponent(new URL(url).pathname.split("/").findLast((part) => part !== "") ?? new URL(url).host),
    open(path) {
      const opening = opened.get(path) ?? open(path);
      opened.set(path, opening);
      opening.catch(() => opened.delete(path));
      return opening;
    },
  };
}

/** The size of a file, and what tells this version of it from another. */
async function lookAt(url: string, { fetch: send = fetch, signal }: PlaceOptions) {
  const ended = new AbortController();
  const response = await send(url, {
    cache: "no-store",
    signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw toEngineError(url, error);
  });
  const { headers } = response;
  const length = headers.get("content-length");
  await response.body?.cancel().catch(() => undefined);
  ended.abort();
  if (!response.ok) throw new HttpError(url, response);
  const bytes = Number(length);
  // The length of a packed answer is not the file's.
  if (length === null || !Number.isSafeInteger(bytes) || (headers.get("content-encoding") ?? "identity") !== "identity")
    throw new EngineError("bad-checkpoint", `${url}: the server does not say how large the file is`);
  return { bytes, version: headers.get("etag") ?? headers.get("last-modified") ?? undefined };
}
