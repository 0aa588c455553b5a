// Weights in the browser's own storage: kept, verified, mended, and done without.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import * as v from "valibot";
import { securityHeaders } from "#sw/security-headers.ts";
import { askAbout, modelReady, openPage, truths } from "../support/ask.ts";
import { serveStatic } from "../support/static-server.ts";

const url = "./?device=wasm";

/** Runs on the stored shards; their form is `src/weights/store/store.web.ts`. */
async function editShards(page: Page, edit: "flip-a-byte" | "count" | "clear"): Promise<number> {
  return page.evaluate(async (edit) => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error("the weights' database failed"));
      });
    const database = await done(indexedDB.open("llava-weights"));
    const read = database.transaction("shards").objectStore("shards");
    const keys = await done(read.getAllKeys());
    if (edit === "count") return keys.length;
    if (edit === "clear") {
      await done(database.transaction("shards", "readwrite").objectStore("shards").clear());
      return keys.length;
    }
    const key = keys.find(
      (candidate) => typeof candidate === "string" && candidate.includes("decoder_model_merged_q4.onnx_data"),
    );
    if (key === undefined) return 0;
    const value: unknown = await done<unknown>(
      database.transaction("shards").objectStore("shards").get(key) as IDBRequest<unknown>,
    );
    if (typeof value !== "object" || value === null || !("blob" in value) || !(value.blob instanceof Blob)) return 0;
    const bytes = new Uint8Array(await value.blob.arrayBuffer());
    bytes[1000] = (bytes[1000] ?? 0) ^ 255;
    await done(
      database
        .transaction("shards", "readwrite")
        .objectStore("shards")
        .put({ ...value, blob: new Blob([bytes]) }, key),
    );
    database.close();
    return 1;
  }, edit);
}

test("a second visit fetches no weights", async ({ page }) => {
  await openPage(page, url);
  await modelReady(page);
  expect(await editShards(page, "count")).toBeGreaterThan(5);
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.reload();
  await modelReady(page);
  expect(fetched.filter((request) => request.endsWith("_data"))).toEqual([]);
});

test("the browser is asked to keep the storage before the first byte of the weights", async ({ page }) => {
  await page.addInitScript(() => {
    navigator.storage.persisted = () => Promise.resolve(false);
    navigator.storage.persist = () => {
      document.documentElement.dataset["askedAt"] ??= String(Date.now());
      return Promise.resolve(true);
    };
  });
  const weights = page.waitForEvent("requestfinished", (request) => request.url().endsWith("_data"));
  await openPage(page, url);
  const { startTime } = (await weights).timing();
  const askedAt = await page.evaluate(() => Number(document.documentElement.dataset["askedAt"] ?? Infinity));
  expect(askedAt).toBeLessThanOrEqual(startTime);
});

test("a shard that was damaged in storage is fetched again, alone, and the answer is right", async ({ page }) => {
  const server = await serveStatic({ folder: "dist-test" });
  try {
    await openPage(page, `${server.url}${url}`);
    await modelReady(page);
    expect(await editShards(page, "flip-a-byte")).toBe(1);
    const before = server.requests.length;
    await page.reload();
    await modelReady(page);
    const again = server.requests.slice(before).filter((path) => path.endsWith("_data"));
    expect(again).toEqual(["models/pocket-llava/onnx/decoder_model_merged_q4.onnx_data"]);
    expect(await askAbout(page, truths[0].file, truths[0].question)).toMatch(truths[0].words);
  } finally {
    await server.stop();
  }
});

const RawManifest = v.looseObject({
  files: v.array(
    v.looseObject({
      path: v.string(),
      bytes: v.number(),
      shards: v.array(v.looseObject({ bytes: v.number(), sha256: v.string() })),
    }),
  ),
});

/** The manifest with another content for a file of one shard. */
function withFile(manifest: string, path: string, content: Buffer): string {
  const raw = v.parse(RawManifest, JSON.parse(manifest));
  for (const file of raw.files.filter((file) => file.path === path)) {
    for (const described of [file, ...file.shards]) described.bytes = content.length;
    for (const shard of file.shards) shard.sha256 = createHash("sha256").update(content).digest("hex");
  }
  return JSON.stringify(raw);
}

test("a page whose service worker keeps an old manifest gets the model that is on the server now", async ({ page }) => {
  const folder = "models/pocket-llava/";
  const config = Buffer.concat([Buffer.from("\n"), await readFile(`dist-test/${folder}config.json`)]);
  const manifest = withFile(await readFile(`dist-test/${folder}manifest.json`, "utf8"), "config.json", config);
  let deployed = false;
  const server = await serveStatic({
    folder: "dist-test",
    headers: securityHeaders,
    onRequest(path, _request, response) {
      const body = { [`${folder}config.json`]: config, [`${folder}manifest.json`]: manifest }[path];
      if (!deployed || body === undefined) return false;
      response.writeHead(200, { "content-type": "application/json", ...securityHeaders }).end(body);
      return true;
    },
  });
  try {
    await openPage(page, `${server.url}${url}`);
    await modelReady(page);
    await expect(page.getByTestId("offline")).toBeVisible();
    expect(await editShards(page, "clear")).toBeGreaterThan(5);
    deployed = true;
    const before = server.requests.length;
    await page.reload();
    await modelReady(page);
    expect(server.requests.slice(before).filter((path) => path === `${folder}manifest.json`)).toHaveLength(1);
  } finally {
    await server.stop();
  }
});

test("a connection that breaks in the middle of a shard goes on where it broke", async ({ page }) => {
  let cuts = 0;
  const ranges: string[] = [];
  const server = await serveStatic({
    folder: "dist-test",
    onRequest(path, request, response) {
      if (!path.endsWith("decoder_model_merged_q4.onnx_data")) return false;
      ranges.push(request.headers.range ?? "whole");
      if (cuts++ > 0) return false;
      response.writeHead(200, { "content-length": 1_000_000, "accept-ranges": "bytes" });
      // Cut when they have arrived: a connection that is reset may lose what was on its way.
      response.write(Buffer.alloc(200_000), () => setTimeout(() => response.destroy(), 500));
      return true;
    },
  });
  try {
    // The bytes that came before the cut are zeros, so the hash is wrong at first and the shard is fetched once more.
    await openPage(page, `${server.url}${url}`);
    await modelReady(page);
    expect(ranges[0]).toBe("whole");
    expect(ranges.some((range) => /^bytes=[1-9]\d*-/.test(range))).toBe(true);
    expect(await askAbout(page, truths[0].file, truths[0].question)).toMatch(truths[0].words);
  } finally {
    await server.stop();
  }
});

test("without room in the browser's storage the model runs from memory, and the page says so", async ({ page }) => {
  const session = await page.context().newCDPSession(page);
  await openPage(page, "./manifest.webmanifest");
  await session.send("Storage.overrideQuotaForOrigin", {
    origin: new URL(page.url()).origin,
    quotaSize: 3 * 2 ** 20,
  });
  await openPage(page, url);
  await modelReady(page);
  await page.getByTestId("model-status").click();
  await expect(page.getByText("The model couldn't be stored")).toBeVisible();
  expect(await askAbout(page, truths[0].file, truths[0].question)).toMatch(truths[0].words);
});
