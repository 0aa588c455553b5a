// For tests: a small model package, and a real HTTP server on localhost that serves it and can misbehave in the ways
// servers and networks do. Knows nothing of the code that downloads.
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createAnswerGate, type AnswerGate } from "./answer-gate.node.ts";
import { startTestServer } from "./http-server.node.ts";
import { manifestName, manifestVersion, type Manifest } from "#weights/manifest.ts";

export interface TestPackage {
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** The file of a test package that has several shards. */
export const weightsPath = "onnx/decoder.onnx_data";

/** A package that parses, of four small files and one of `weightBytes` random bytes, in shards of `shardBytes`. */
export function testPackage({ seed = 1, weightBytes = 10_000, shardBytes = 4_000 } = {}): TestPackage {
  const graph = (name: string): string => `onnx/${name}.onnx`;
  const files = new Map([
    ["config.json", new TextEncoder().encode(`{"seed":${seed}}`)],
    [graph("vision_encoder"), randomBytes(seed + 1, 30)],
    [graph("embed_tokens"), randomBytes(seed + 2, 20)],
    [graph("decoder"), randomBytes(seed + 3, 10)],
    [weightsPath, randomBytes(seed, weightBytes)],
  ]);
  const manifest: Manifest = {
    version: manifestVersion,
    model: {
      id: "test-model",
      name: "Test model",
      license: "Apache-2.0",
      architecture: "llava",
      template: "vicuna_v1",
      imageAspect: "pad",
      imageTokens: 4,
      contextLength: 64,
    },
    graphs: {
      vision: { path: graph("vision_encoder"), data: [], bits: 32 },
      embed: { path: graph("embed_tokens"), data: [], bits: 32 },
      decoder: { path: graph("decoder"), data: [weightsPath], bits: 4 },
    },
    files: [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, shards: shardsOf(bytes, shardBytes) })),
  };
  return { manifest, files };
}

/** Bytes that are the same for the same seed. */
export function randomBytes(seed: number, count: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** The bytes in shards of this length, the last one shorter. */
export function shardsOf(bytes: Uint8Array, shardBytes: number): Manifest["files"][number]["shards"] {
  return Array.from({ length: Math.ceil(bytes.length / shardBytes) }, (_, i) => {
    const part = bytes.subarray(i * shardBytes, (i + 1) * shardBytes);
    const sha256 = createHash("sha256").update(part).digest("hex");
    return { offset: i * shardBytes, bytes: part.length, sha256 };
  });
}

/** A request as it was asked: `start` and `end` (exclusive) in the file, the whole of it when there was no range. */
interface AskedRange {
  /** Relative to the package folder. */
  readonly path: string;
  readonly ranged: boolean;
  readonly start: number;
  readonly end: number;
}

/** What the server does instead of answering well. */
export type Misbehaviour =
  | { readonly kind: "cut"; readonly afterBytes: number } // the connection breaks
  | { readonly kind: "hang"; readonly afterBytes: number } // the rest never comes
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "instead"; readonly bytes: Uint8Array }; // another file of the same address

export interface PackageServer {
  /** Ends with a slash. */
  readonly baseUrl: string;
  /** Every request for a file of the package, the manifest included, in order. */
  readonly asked: AskedRange[];
  /** What is served; replace it to publish another version. */
  files: ReadonlyMap<string, Uint8Array>;
  /** Whether ranges are honoured; without, every answer is the whole file with status 200. */
  ranges: boolean;
  /** Whether answers carry a tag of the file's content. */
  etags: boolean;
  /** With every answer; for a page of another origin the answers must allow it. */
  headers: Readonly<Record<string, string>>;
  /** At most so many bytes a second on each connection. */
  bytesPerSecond: number;
  /** Answers to these wait at the gate. */
  isHeld: (range: AskedRange) => boolean;
  readonly gate: AnswerGate;
  /** Asked before every answer. */
  misbehave: (range: AskedRange) => Misbehaviour | undefined;
  stop(): Promise<void>;
}

/** Starts a server on a free port; stop it after the test. */
export async function startPackageServer({
  manifest,
  files,
}: {
  readonly manifest: unknown;
  readonly files: TestPackage["files"];
}): Promise<PackageServer> {
  const server = await startTestServer((request, response) => answer(served, request, response), "127.0.0.1");
  const served: PackageServer = {
    baseUrl: `${server.origin}/model/`,
    asked: [],
    files: withManifest({ manifest, files }),
    ranges: true,
    etags: false,
    headers: {},
    bytesPerSecond: Infinity,
    isHeld: () => false,
    gate: createAnswerGate(),
    misbehave: () => undefined,
    stop: server.stop,
  };
  return served;
}

/** The files of a package as a server has them. */
export function withManifest({
  manifest,
  files,
}: {
  readonly manifest: unknown;
  readonly files: TestPackage["files"];
}): ReadonlyMap<string, Uint8Array> {
  return new Map<string, Uint8Array>([...files, [manifestName, new TextEncoder().encode(JSON.stringify(manifest))]]);
}

function answer(served: PackageServer, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "").replace(/^\/model\//, "");
  if (request.method === "OPTIONS") return void response.writeHead(204, served.headers).end();
  const file = served.files.get(path);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  const ranged = first !== undefined;
  const start = ranged ? Number(first) : 0;
  const end = ranged ? Number(last) + 1 : (file?.length ?? 0);
  const asked: AskedRange = { path, ranged, start, end };
  served.asked.push(asked);
  const wrong = served.misbehave(asked);
  if (wrong?.kind === "status" || !file) {
    const headers = { ...served.headers, "retry-after": "0" };
    response.writeHead(wrong?.kind === "status" ? wrong.status : 404, headers).end("no");
    return;
  }
  const all = wrong?.kind === "instead" ? wrong.bytes : file;
  const partial = ranged && served.ranges;
  if (partial && start >= all.length) {
    response.writeHead(416).end();
    return;
  }
  const body = partial ? all.subarray(start, end) : all;
  response.writeHead(partial ? 206 : 200, {
    "content-length": body.length,
    ...served.headers,
    ...(served.etags ? { etag: `"${createHash("sha256").update(all).digest("hex").slice(0, 16)}"` } : {}),
    ...(partial ? { "content-range": `bytes ${start}-${start + body.length - 1}/${all.length}` } : {}),
  });
  if (wrong?.kind === "cut" || wrong?.kind === "hang") {
    response.flushHeaders();
    response.write(body.subarray(0, wrong.afterBytes), () => {
      if (wrong.kind === "cut") response.socket?.destroy();
    });
    return;
  }
  if (served.isHeld(asked)) served.gate.send(response, body);
  else if (served.bytesPerSecond === Infinity) response.end(body);
  else trickle(served, response, body);
}

/** Sends it in ten runs a second, until the client hangs up. */
function trickle(served: PackageServer, response: ServerResponse, body: Uint8Array): void {
  const step = Math.max(1, Math.floor(served.bytesPerSecond / 10));
  let at = 0;
  const timer = setInterval(() => {
    const run = body.subarray(at, (at += step));
    response.write(run);
    if (at >= body.length) end();
  }, 100);
  const end = (): void => {
    clearInterval(timer);
    response.end();
  };
  response.on("close", () => clearInterval(timer));
}
