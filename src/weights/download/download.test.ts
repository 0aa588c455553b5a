import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFileDownload, emptyShard, type DownloadOptions } from "./download.ts";
import { createSilenceClock } from "#testing/silence-clock.node.ts";
import { startTestServer, type TestServer } from "#testing/servers/http-server.node.ts";

const fileBytes = 300_000;
const content = Uint8Array.from({ length: fileBytes }, (_, i) => (i * 31 + (i >> 8)) % 256);

let clock = createSilenceClock();

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answers: Answer[] = [];
let ranges: (string | undefined)[] = [];
let url = "";
let server: TestServer;

/** A good server, unless `answers` holds something else for the next request. */
beforeEach(async () => {
  clock = createSilenceClock();
  answers = [];
  ranges = [];
  reportedBytes = 0;
  onReported = () => undefined;
  server = await startTestServer((request, response) => {
    ranges.push(request.headers.range);
    (answers.shift() ?? withRanges)(request, response);
  });
  url = `${server.origin}/file`;
});
afterEach(() => server.stop());

const requested = (request: IncomingMessage): { start: number; end: number } | undefined => {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  return match ? { start: Number(match[1]), end: Number(match[2]) + 1 } : undefined;
};

const withRanges: Answer = (request, response) => {
  const range = requested(request);
  if (!range) return void response.end(content);
  response.writeHead(206, { "content-range": `bytes ${range.start}-${range.end - 1}/${fileBytes}` });
  response.end(content.subarray(range.start, range.end));
};

const withoutRanges: Answer = (_, response) => void response.end(content);

/** Bytes that the download under test has reported, and what waits for more of them. */
let reportedBytes = 0;
let onReported: () => void = () => undefined;

/** Sends so many bytes of what was asked for, and breaks the connection once the download has reported them all. */
const cutAfter =
  (bytes: number): Answer =>
  (request, response) => {
    const { start, end } = requested(request) ?? { start: 0, end: fileBytes };
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      "content-length": end - start,
      ...(request.headers.range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${fileBytes}` }),
    });
    const reportedBefore = reportedBytes;
    onReported = () => {
      if (reportedBytes - reportedBefore >= bytes) response.destroy();
    };
    response.write(content.subarray(start, start + bytes));
  };

const status =
  (code: number): Answer =>
  (_, response) =>
    void response.writeHead(code).end("no");

/** Quicker than `toEqual`, which looks at every byte twice. */
function expectBytes(found: Uint8Array, wanted: Uint8Array): void {
  expect(Buffer.from(found).equals(wanted)).toBe(true);
}

const fast: DownloadOptions = { backoffMs: () => 1 };

async function read(offset: number, bytes: number, options = fast): Promise<Uint8Array> {
  const onBytes = (count: number): void => {
    options.onBytes?.(count);
    reportedBytes += count;
    onReported();
  };
  const download = createFileDownload(url, fileBytes, { ...options, onBytes });
  const partial = emptyShard(bytes);
  try {
    await download.read(offset, partial);
    return partial.bytes;
  } finally {
    await download.close();
  }
}

test("a whole file is asked for without a range, so that the simplest server will do", async () => {
  expectBytes(await read(0, fileBytes), content);
  expect(ranges).toEqual([undefined]);
});

test("a part is asked for by its range", async () => {
  expectBytes(await read(1000, 5000), content.slice(1000, 6000));
  expect(ranges).toEqual(["bytes=1000-5999"]);
});

test("a connection that breaks is resumed at the first missing byte", async () => {
  answers = [cutAfter(100_000), cutAfter(50_000)];
  const seen: number[] = [];
  expectBytes(await read(0, fileBytes, { ...fast, onBytes: (bytes) => seen.push(bytes) }), content);
  expect(ranges).toEqual([undefined, "bytes=100000-299999", "bytes=150000-299999"]);
  expect(seen.reduce((sum, bytes) => sum + bytes)).toBe(fileBytes);
});

test("a server without ranges sends the file once, and every part is cut from it", async () => {
  answers = [withoutRanges];
  const download = createFileDownload(url, fileBytes, fast);
  for (const [offset, bytes] of [
    [10, 99_990],
    [100_000, 100_000],
    [250_000, 50_000],
  ] as const) {
    const partial = emptyShard(bytes);
    await download.read(offset, partial);
    expectBytes(partial.bytes, content.slice(offset, offset + bytes));
  }
  await download.close();
  expect(ranges).toHaveLength(1);
});

test("a server without ranges that breaks off sends the file again, and what had arrived is not counted twice", async () => {
  answers = [cutAfter(120_000), withoutRanges];
  const seen: number[] = [];
  expectBytes(await read(0, fileBytes, { ...fast, onBytes: (bytes) => seen.push(bytes) }), content);
  expect(seen.reduce((sum, bytes) => sum + bytes)).toBe(fileBytes);
});

test("a server that is busy is asked again", async () => {
  answers = [status(503), status(429)];
  expectBytes(await read(0, fileBytes), content);
  expect(ranges).toHaveLength(3);
});

test("a server that stays broken is given up after the retries, with its status", async () => {
  answers = Array.from({ length: 10 }, () => status(500));
  await expect(read(0, fileBytes, { ...fast, retries: 2 })).rejects.toMatchObject({ code: "http" });
  expect(ranges).toHaveLength(3);
});

test("a missing file is not asked for twice", async () => {
  answers = [status(404)];
  const failure: unknown = await read(0, fileBytes).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "http" });
  expect(String(failure)).toContain("404");
  expect(ranges).toHaveLength(1);
});

test("a file that is shorter than its manifest says has the wrong bytes, which is said after asking again", async () => {
  const short = content.subarray(0, 800);
  answers = Array.from({ length: 10 }, (): Answer => (request, response) => {
    if (request.headers.range === undefined) response.end(short);
    else response.writeHead(416, { "content-range": "bytes */800" }).end();
  });
  await expect(read(1000, 5000)).rejects.toMatchObject({ code: "integrity" });
  expect(ranges).toEqual(["bytes=1000-5999", "bytes=1000-5999", undefined]);
});

/** Answers a range with other bytes than those asked for, or about another file. */
const misfit =
  (start: number, end: number, total: number | "*" = fileBytes, type = "application/octet-stream"): Answer =>
  (_, response) => {
    response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${total}`, "content-type": type });
    response.end(content.subarray(start, end));
  };

test.each([
  ["416, as some do while a file is being replaced", status(416)],
  ["a range that starts later", misfit(2000, 6000)],
  ["a range that ends before", misfit(0, 900)],
  ["a range of a file of another length", misfit(1000, 6000, fileBytes + 7)],
  ["several parts", misfit(1000, 6000, "*", "multipart/byteranges; boundary=x")],
])("a server that answers once with %s is asked again by itself", async (_, once) => {
  answers = [once];
  expectBytes(await read(1000, 5000), content.slice(1000, 6000));
  expect(ranges).toEqual(["bytes=1000-5999", "bytes=1000-5999"]);
});

test("of a range that starts earlier than asked, and of a whole file in place of a range, the part is cut", async () => {
  answers = [misfit(400, 6000), withoutRanges];
  expectBytes(await read(1000, 5000), content.slice(1000, 6000));
  expectBytes(await read(1000, 5000), content.slice(1000, 6000));
  expect(ranges).toHaveLength(2);
});

test("a server that never gets ranges right is asked for the whole file, and the parts are cut from it", async () => {
  answers = [misfit(2000, 6000), status(416), withoutRanges];
  const download = createFileDownload(url, fileBytes, fast);
  for (const [offset, bytes] of [
    [1000, 5000],
    [6000, 100_000],
  ] as const) {
    const partial = emptyShard(bytes);
    await download.read(offset, partial);
    expectBytes(partial.bytes, content.slice(offset, offset + bytes));
  }
  await download.close();
  expect(ranges).toEqual(["bytes=1000-5999", "bytes=1000-5999", undefined]);
});

test("a server that always sends other bytes is given up with a clear reason", async () => {
  answers = Array.from({ length: 20 }, () => misfit(2000, 6000));
  await expect(read(1000, 5000)).rejects.toMatchObject({ code: "integrity" });
  expect(ranges).toHaveLength(6);
});

/** Never sends more than so many bytes at once, and tells so, or only ends early. */
const capped =
  (most: number, hidden: boolean): Answer =>
  (request, response) => {
    const { start, end } = requested(request) ?? { start: 0, end: fileBytes };
    const last = Math.min(end, start + most);
    response.writeHead(206, hidden ? {} : { "content-range": `bytes ${start}-${last - 1}/${fileBytes}` });
    response.end(content.subarray(start, last));
  };

test.each([false, true])(
  "a server that caps ranges is asked for the rest without a pause (hidden: %s)",
  async (hidden) => {
    answers = Array.from({ length: 40 }, () => capped(10_000, hidden));
    expectBytes(await read(0, fileBytes, { backoffMs: () => 60_000 }), content);
    expect(ranges).toHaveLength(30);
  },
);

/** Sends so many bytes of what was asked for and then nothing, with the connection open; of -1 not even the headers. */
const silentAfter =
  (bytes: number): Answer =>
  (request, response) => {
    clock.hang();
    if (bytes < 0) return;
    const { start, end } = requested(request) ?? { start: 0, end: fileBytes };
    const headers = { "content-length": end - start, "content-range": `bytes ${start}-${end - 1}/${fileBytes}` };
    response.writeHead(206, headers);
    response.flushHeaders();
    response.write(content.subarray(start, start + bytes));
  };

test("a connection that stands still is asked again from where it was, and each silence is told", async () => {
  answers = [silentAfter(100_000), silentAfter(0), silentAfter(-1)];
  const silences: number[] = [];
  const options = { ...fast, clock, onSilence: (times: number) => silences.push(times) };
  expectBytes(await read(0, fileBytes, options), content);
  expect(ranges).toEqual([undefined, ...Array.from({ length: 3 }, () => "bytes=100000-299999")]);
  expect(silences).toEqual([1, 2, 3]);
});

test("a few bytes between two silences do not hide that a connection stands still", async () => {
  answers = [silentAfter(100), silentAfter(100), silentAfter(100)];
  const silences: number[] = [];
  await read(0, fileBytes, { ...fast, clock, onSilence: (times) => silences.push(times) });
  expect(silences).toEqual([1, 2, 3]);
});

test("a server that stays silent is given up in the end", async () => {
  answers = Array.from({ length: 20 }, () => silentAfter(-1));
  const silences: number[] = [];
  const options = { ...fast, clock, mostSilences: 3, onSilence: (times: number) => silences.push(times) };
  await expect(read(0, fileBytes, options)).rejects.toMatchObject({ code: "network" });
  expect(silences).toEqual([1, 2, 3]);
});

test("servers that tag the same bytes in different ways do not send them for ever", async () => {
  let tag = 0;
  const tagged: Answer = (request, response) => {
    const { start, end } = requested(request) ?? { start: 0, end: fileBytes };
    const last = Math.min(end, start + 50_000);
    response.writeHead(206, { "content-range": `bytes ${start}-${last - 1}/${fileBytes}`, etag: `"${++tag}"` });
    response.end(content.subarray(start, last));
  };
  answers = Array.from({ length: 40 }, () => tagged);
  expectBytes(await read(0, fileBytes), content);
  expect(ranges.length).toBeLessThan(20);
});

test("a server that is not there is a network failure", async () => {
  await server.stop();
  await expect(read(0, fileBytes, { ...fast, retries: 1 })).rejects.toMatchObject({ code: "network" });
});

test("an abort ends the download at once, and the next one goes on from what had arrived", async () => {
  const abort = new AbortController();
  answers = [
    (_, response) => {
      response.writeHead(200, { "content-length": fileBytes });
      response.write(content.subarray(0, 70_000));
    },
  ];
  const partial = emptyShard(fileBytes);
  const first = createFileDownload(url, fileBytes, {
    ...fast,
    signal: abort.signal,
    onBytes: () => {
      if (partial.received >= 70_000) abort.abort();
    },
  });
  await expect(first.read(0, partial)).rejects.toMatchObject({ name: "AbortError" });
  await first.close();
  expect(partial.received).toBe(70_000);
  const second = createFileDownload(url, fileBytes, fast);
  await second.read(0, partial);
  await second.close();
  expectBytes(partial.bytes, content);
  expect(ranges).toEqual([undefined, "bytes=70000-299999"]);
});

test("an abort during the pause between two tries does not wait for its end", async () => {
  const abort = new AbortController();
  answers = [status(503)];
  const backoffMs = (): number => {
    // The pause begins in this turn of the event loop.
    setImmediate(() => abort.abort());
    return 60_000;
  };
  const reading = read(0, fileBytes, { backoffMs, signal: abort.signal });
  await expect(reading).rejects.toMatchObject({ name: "AbortError" });
});
