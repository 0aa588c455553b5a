import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensurePackage } from "./ensure.ts";
import type { EnsureProgress } from "./progress.ts";
import { publishOnHub } from "#testing/servers/hub-server.node.ts";
import {
  startPackageServer,
  testPackage,
  weightsPath,
  type Misbehaviour,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { requestBlob, requestBytes } from "./request.ts";
import { createMemoryShardStore } from "#weights/store/store.ts";
import type { Clock } from "./watched-fetch.ts";
import { createSilenceClock } from "#testing/silence-clock.node.ts";
import { startTestServer, type TestServer } from "#testing/servers/http-server.node.ts";

let clock = createSilenceClock();
const fast = { clock: { after: (...asked: Parameters<Clock["after"]>) => clock.after(...asked) }, backoffMs: () => 1 };

type Answer = (response: ServerResponse) => void;
let answers: Answer[] = [];
let asked = 0;
let url = "";
let server: TestServer;

/** Answers with "all is well" unless `answers` holds something else. */
beforeEach(async () => {
  answers = [];
  asked = 0;
  clock = createSilenceClock();
  server = await startTestServer((_, response) => {
    asked++;
    (answers.shift() ?? ((good) => good.end("all is well")))(response);
  });
  url = `${server.origin}/file`;
});
afterEach(() => server.stop());

const silent: Answer = () => clock.hang();
const silentInTheMiddle: Answer = (response) => {
  response.writeHead(200, { "content-length": 11 });
  response.write("all");
  clock.hang();
};
/** What a server does that sends so many bytes and then nothing. */
const hang = (afterBytes: number): Misbehaviour => {
  clock.hang();
  return { kind: "hang", afterBytes };
};
const busy: Answer = (response) => void response.writeHead(503).end("later");
const endless: Answer = (response) => {
  const more = (): void => {
    if (!response.destroyed) response.write(new Uint8Array(1000), () => setImmediate(more));
  };
  more();
};

test("a small file whose server says nothing, stops in the middle, or is busy is asked for again", async () => {
  answers = [silentInTheMiddle, busy];
  const silences: number[] = [];
  const bytes = await requestBytes(url, { ...fast, onSilence: (times) => silences.push(times) }, "no-store");
  expect(new TextDecoder().decode(bytes)).toBe("all is well");
  expect([asked, silences]).toEqual([3, [1]]);
});

test("after the third silence a small file is given up, with a reason", async () => {
  answers = [silent, silentInTheMiddle, silent, silent];
  await expect(requestBytes(url, fast, "no-store")).rejects.toMatchObject({ code: "network" });
  expect(asked).toBe(3);
  answers = [silent, silent, silent];
  await expect(requestBlob(url, {}, 100, fast)).resolves.toBe("silent");
});

test("a picture comes with its type, also at the second try, and not without end", async () => {
  answers = [silent, (response) => void response.writeHead(200, { "content-type": "image/webp" }).end("webp")];
  const blob = await requestBlob(url, {}, 100, fast);
  expect(blob).toMatchObject({ type: "image/webp", size: 4 });
  answers = [endless];
  await expect(requestBlob(url, {}, 5000, fast)).rejects.toMatchObject({ code: "bad-package" });
});

test("an abort ends a request that is silent at once", async () => {
  const abort = new AbortController();
  answers = [() => abort.abort()];
  await expect(requestBytes(url, { signal: abort.signal }, "no-store")).rejects.toMatchObject({ name: "AbortError" });
});

const room = () => Promise.resolve(undefined);
const silences = (progress: readonly EnsureProgress[]): (number | undefined)[] => progress.map((one) => one.silences);

async function withServer(work: (server: PackageServer) => Promise<void>): Promise<void> {
  const server = await startPackageServer(testPackage());
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

test("a package whose server stops sending goes on by itself, and tells how often it had to be asked", () =>
  withServer(async (server) => {
    let hangs = 3;
    server.misbehave = ({ path }) => (path === weightsPath && hangs-- > 0 ? hang(hangs === 2 ? 2500 : 0) : undefined);
    const progress: EnsureProgress[] = [];
    const ensured = await ensurePackage(
      { id: "test", baseUrl: server.baseUrl },
      { store: createMemoryShardStore(), room },
      { ...fast, onProgress: (one) => void progress.push(one) },
    );
    expect(ensured.persisted).toBe(true);
    expect(silences(progress).filter((times) => times !== undefined)).toEqual([1, 2, 3]);
    expect(progress.at(-1)?.silences).toBeUndefined();
    const weights = server.asked.filter(({ path }) => path === weightsPath).map(({ start }) => start);
    expect(weights.slice(0, 4)).toEqual([0, 2500, 2500, 2500]);
  }));

test("a manifest that does not come is asked for again, and where one is here already nobody waits for it twice", () =>
  withServer(async (server) => {
    const store = createMemoryShardStore();
    let hangs = 1;
    server.misbehave = ({ path }) => (path === "manifest.json" && hangs-- > 0 ? hang(10) : undefined);
    const progress: EnsureProgress[] = [];
    const source = { id: "test", baseUrl: server.baseUrl };
    await ensurePackage(source, { store, room }, { ...fast, onProgress: (one) => void progress.push(one) });
    expect(silences(progress)[0]).toBe(1);
    hangs = 100;
    server.asked.length = 0;
    await ensurePackage(source, { store, room }, fast);
    expect(server.asked).toHaveLength(1);
  }));

test("a hub whose listing or small files do not come at once is asked again", () =>
  withServer(async (server) => {
    const text = (words: string): Uint8Array => new TextEncoder().encode(words);
    const files = new Map<string, Uint8Array>([
      ["config.json", text(`{"model_type":"smolvlm"}`)],
      ...["embed_tokens", "vision_encoder", "decoder_model_merged"].map(
        (part) => [`onnx/${part}_q4.onnx`, new Uint8Array(2000)] as const,
      ),
    ]);
    const baseUrl = publishOnHub(server, "owner/name", files);
    const before = new Set<string>();
    server.misbehave = ({ path }) => {
      if (path === "manifest.json" || path.endsWith("/manifest.json")) return undefined;
      const first = !before.has(path);
      before.add(path);
      if (!first) return undefined;
      return path.endsWith("config.json") ? { kind: "status", status: 503 } : hang(5);
    };
    const store = createMemoryShardStore();
    const ensured = await ensurePackage({ id: "owner/name", baseUrl }, { store, room }, fast);
    expect(ensured.files.size).toBe(files.size);
  }));
