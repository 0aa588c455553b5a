// A thread that fetches, over a real server: bytes, broken connections, refusals as they are without a thread, stops and ends.
import { afterEach, beforeEach, expect, test } from "vitest";
import { publishOnHub } from "#testing/servers/hub-server.node.ts";
import {
  randomBytes,
  startPackageServer,
  testPackage,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { openHubFolder, GatedError } from "./hub-folder.ts";
import { rangesHere, rangesWhenAsked, type RangeAnswer, type RangeReader } from "./range-reader.ts";
import { rangesOver, serveRanges, type RangeNews } from "./range-thread.ts";
import { rangeThread } from "./range-thread.node.ts";

const weights = randomBytes(5, 400_000);
const repository = "someone/tiny";

let server: PackageServer;
let ranges: ReturnType<typeof rangeThread>;
beforeEach(async () => {
  server = await startPackageServer(testPackage());
  publishOnHub(server, repository, new Map([["model.safetensors", weights]]), {});
  ranges = rangeThread();
});
afterEach(async () => {
  await ranges.end();
  await server.stop();
});

async function openWeights(reader: RangeReader, signal?: AbortSignal) {
  const address = { host: new URL("/", server.baseUrl).href, repository, revision: "main" };
  const { folder } = await openHubFolder(address, undefined, { ranges: reader, signal, backoffMs: () => 1 });
  const file = await folder.open("model.safetensors");
  if (!file) throw new Error("the hub has no weights");
  return file;
}

/** Holds answers with weights from now on; resolves when one is asked for. */
function heldRequest(): Promise<void> {
  return new Promise((resolve) => {
    server.isHeld = ({ path }) => {
      const isHeld = path.endsWith(".safetensors");
      if (isHeld) resolve();
      return isHeld;
    };
  });
}

test("reads overlap, go on where a connection broke, and fill the memory that is given", async () => {
  const file = await openWeights(ranges);
  let cuts = 1;
  server.misbehave = ({ path }) =>
    path.endsWith(".safetensors") && cuts-- > 0 ? { kind: "cut", afterBytes: 30_000 } : undefined;
  const into = new Uint8Array(200_000);
  const parts = await Promise.all([file.read(0, 200_000, into), file.read(200_000, 150_000), file.read(399_000, 1000)]);
  expect(parts).toEqual([weights.slice(0, 200_000), weights.slice(200_000, 350_000), weights.slice(399_000)]);
  // It went to the thread, and came back as other bytes.
  expect(into.length).toBe(0);
});

test("a refusal is the same error as without a thread", async () => {
  const file = await openWeights(ranges);
  for (const [status, kind] of [
    [403, GatedError],
    [404, Error],
  ] as const) {
    server.misbehave = ({ path }) => (path.endsWith(".safetensors") ? { kind: "status", status } : undefined);
    const inThread = await file.read(0, 10).catch((error: unknown) => error);
    const here = await (await openWeights(rangesHere())).read(0, 10).catch((error: unknown) => error);
    expect(inThread).toBeInstanceOf(kind);
    expect(inThread).toEqual(here);
    expect(inThread).toMatchObject({ status });
  }
});

test("a stop ends the read with its reason, and the thread goes on with others", async () => {
  const stop = new AbortController();
  const file = await openWeights(ranges, stop.signal);
  const asked = heldRequest();
  const held = file.read(0, 100_000);
  const rejected = expect(held).rejects.toThrow("enough");
  await asked;
  stop.abort(new Error("enough"));
  await rejected;
  server.isHeld = () => false;
  const other = await openWeights(ranges);
  expect(await other.read(7, 100)).toEqual(weights.slice(7, 107));
});

test("no read is left without an answer when the thread ends", async () => {
  const file = await openWeights(ranges);
  const asked = heldRequest();
  const held = file.read(0, 100_000);
  const rejected = expect(held).rejects.toThrow("has ended");
  await asked;
  await ranges.end();
  await rejected;
  await expect(file.read(0, 10)).rejects.toThrow("has ended");
});

test("silences are told across the thread, and nothing is started before the first read", async () => {
  const told: number[] = [];
  const answer: RangeAnswer = { bytes: new Uint8Array(4), etag: undefined };
  let started = 0;
  const reader = rangesWhenAsked(() => {
    started++;
    const serve = serveRanges((news: RangeNews) => caller.take(news), {
      read(_, { onSilence }) {
        onSilence?.(1);
        onSilence?.(2);
        return Promise.resolve(answer);
      },
    });
    const caller = rangesOver((order) => serve(order));
    return { read: caller.read, end: () => caller.die(new Error("over")) };
  });
  await reader.end();
  expect(started).toBe(0);
  const call = { url: "", fileBytes: 4, offset: 0, into: new Uint8Array(4), token: undefined };
  const watch = { signal: undefined, onSilence: (times: number) => void told.push(times) };
  expect([await reader.read(call, watch), await reader.read(call, watch)]).toEqual([answer, answer]);
  expect([started, told]).toEqual([1, [1, 2, 1, 2]]);
  await reader.end();
  await expect(reader.read(call, watch)).rejects.toThrow("over");
});
