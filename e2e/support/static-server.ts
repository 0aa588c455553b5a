// A plain static file server for tests: a folder under a path, with or without the app's headers, that can be stopped and can misbehave.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

export interface StaticServer {
  /** Ends with a slash. */
  readonly url: string;
  /** Paths asked for so far, relative to the folder. */
  readonly requests: string[];
  /** Ends it; open connections are cut. */
  stop(): Promise<void>;
}

export interface StaticServerOptions {
  readonly folder: string;
  /** Folders that stand in the place of parts of it, by their paths in it. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Where the folder appears, such as "/sub/path/". */
  readonly prefix?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Texts are compressed, as most hosts do. */
  readonly compress?: boolean;
  /** Answers a request itself and returns true, or leaves it alone. */
  readonly onRequest?: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
};

/** Resolves when it listens on localhost. */
export async function serveStatic(options: StaticServerOptions): Promise<StaticServer> {
  const { folder, instead = {}, prefix = "/", headers = {}, port = 0, compress = false, onRequest } = options;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith(prefix)) return void response.writeHead(404).end();
    const asked = decodeURIComponent(url.pathname.slice(prefix.length));
    const path = normalize(asked === "" || asked.endsWith("/") ? `${asked}index.html` : asked);
    requests.push(path);
    if (onRequest?.(path, request, response) === true) return;
    const part = Object.keys(instead).find((name) => path.startsWith(`${name}/`));
    const file = part === undefined ? join(folder, path) : join(instead[part] ?? "", path.slice(part.length));
    const stat = path.startsWith("..") ? undefined : statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return void response.writeHead(404, headers).end();
    if (compress && /^(text|application\/(json|manifest))|svg/.test(types[extname(path)] ?? "")) {
      const body = gzipSync(readFileSync(file));
      const type = { "content-type": types[extname(path)], "content-encoding": "gzip", "content-length": body.length };
      return void response.writeHead(200, { ...type, ...headers }).end(body);
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(Number(range[2]), stat.size - 1) : stat.size - 1;
    response.writeHead(range ? 206 : 200, {
      "content-type": types[extname(path)] ?? "application/octet-stream",
      "content-length": Math.max(0, end - start + 1),
      "accept-ranges": "bytes",
      ...(range ? { "content-range": `bytes ${start}-${end}/${stat.size}` } : {}),
      ...headers,
    });
    if (request.method === "HEAD" || stat.size === 0) response.end();
    else createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "localhost", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://localhost:${address.port}${prefix}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
