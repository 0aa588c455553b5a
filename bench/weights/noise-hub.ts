// A hub with one checkpoint of noise, in a process of its own, which answers as the real one does.
import { createHash } from "node:crypto";
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { noiseCheckpoint, noiseContent } from "./noise-checkpoint.ts";

export const repository = "someone/llava-7b-shapes";
export const commit = "0".repeat(40);

export interface NoiseHub {
  /** Ends with a slash. */
  readonly url: string;
  /** Seconds that it has used of any processor so far. */
  processorSeconds(): Promise<number>;
  stop(): void;
}

/** Resolves when it listens, which is after it has hashed every file. */
export async function startNoiseHub(layers: number): Promise<NoiseHub> {
  const server = fork(fileURLToPath(import.meta.url), [String(layers)]);
  const answer = async (): Promise<number> => ((await once(server, "message")) as [number])[0];
  const port = await answer();
  return {
    url: `http://127.0.0.1:${port}/`,
    processorSeconds() {
      server.send("processor");
      return answer();
    },
    stop: () => void server.kill(),
  };
}

/** Of this process, so far. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function serve(layers: number): Promise<void> {
  const { weights, small } = noiseCheckpoint(layers);
  const siblings = [
    ...[...small].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      blobId: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
    })),
    ...weights.map((file) => {
      const hash = createHash("sha256");
      for (const run of noiseContent(file, 0, file.bytes)) hash.update(run);
      const lfs = { sha256: hash.digest("hex"), size: file.bytes };
      return { rfilename: file.name, size: file.bytes, blobId: "0", lfs };
    }),
  ];
  const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "etag, content-range" };
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const name = path.slice(path.lastIndexOf("/") + 1);
    const file = weights.find((one) => one.name === name);
    if (!file) {
      const body = path.startsWith("/api/") ? JSON.stringify({ sha: commit, siblings }) : small.get(name);
      return void response.writeHead(body === undefined ? 404 : 200, headers).end(body);
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [from, to] = first === undefined ? [0, file.bytes] : [Number(first), Number(last) + 1];
    const length = { "content-length": to - from, "content-range": `bytes ${from}-${to - 1}/${file.bytes}` };
    response.writeHead(first === undefined ? 200 : 206, { ...headers, ...length });
    void (async () => {
      for (const run of noiseContent(file, from, to)) {
        if (response.destroyed) return;
        if (!response.write(run)) await Promise.race([once(response, "drain"), once(response, "close")]);
      }
      response.end();
    })();
  });
  // On a busy machine connections are idle for longer than Node's five seconds.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  process.send?.(typeof address === "object" ? address?.port : undefined);
  process.on("message", () => process.send?.(processorSeconds()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(Number(process.argv[2]));
