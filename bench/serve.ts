// Serves the built app to a bench, with another package's folder and a few files of the bench's own beside it.
import { createReadStream, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { serveStatic, type StaticServer } from "../e2e/support/static-server.ts";

export interface BenchServerOptions {
  readonly dist: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Appears under `package/`. */
  readonly model?: string | undefined;
  /** By path: what they are, and their text or the file that holds them. */
  readonly own?: Readonly<Record<string, { readonly type: string; readonly text?: string; readonly file?: string }>>;
}

/** Resolves when it listens. */
export function serveBench({ dist, headers, model, own = {} }: BenchServerOptions): Promise<StaticServer> {
  return serveStatic({
    folder: dist,
    headers,
    onRequest(path, _, response) {
      const { type, text, file } = own[path] ?? {};
      if (text !== undefined) {
        response.writeHead(200, { ...headers, "content-type": type }).end(text);
        return true;
      }
      const inPackage = model !== undefined && path.startsWith("package/");
      const source = file ?? (inPackage ? join(resolve(model), path.slice("package/".length)) : undefined);
      const bytes = source === undefined ? undefined : statSync(source, { throwIfNoEntry: false })?.size;
      if (source === undefined || bytes === undefined) return false;
      response.writeHead(200, {
        ...headers,
        "content-length": bytes,
        ...(type === undefined ? {} : { "content-type": type }),
      });
      createReadStream(source).pipe(response);
      return true;
    },
  });
}
