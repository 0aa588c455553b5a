// One small request, answered whole. Knows no manifest and no ranges.
import { EngineError } from "#engine/errors.ts";

export interface RequestOptions {
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a GET; rejects with "network", with "http" where the status is no success, or with the signal's reason. */
export async function request(url: string, options: RequestOptions, cache: RequestCache): Promise<Response> {
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(url, { cache, ...(options.signal ? { signal: options.signal } : {}) });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new EngineError("network", `${url}: ${String(error)}`, { cause: error });
  }
  if (!response.ok) throw new EngineError("http", `${url} answered with status ${response.status}`);
  return response;
}
