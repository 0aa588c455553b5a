// Pages that are killed in the middle of a conversion, again and again, on a browser's real storage.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { publishOnHub } from "#testing/hub-server.node.ts";
import { startPackageServer, testPackage } from "#testing/package-server.node.ts";
import { seeded } from "#testing/seeded.ts";
import { bundle } from "../support/bundle.ts";

const kills = process.env["LLAVA_LONG_TESTS"] ? 40 : 6;
const fixture = fileURLToPath(new URL("../../training/fixtures/tiny-llava", import.meta.url));

test(`a page killed ${kills} times: the package comes whole, and no byte that ended in a finished unit is fetched again`, async ({
  browser,
}) => {
  test.setTimeout(60_000 + kills * 10_000);
  const { random, seed } = seeded();
  const names = await readdir(fixture);
  const files = await Promise.all(
    names.map(async (name) => [name, new Uint8Array(await readFile(join(fixture, name)))] as const),
  );
  const server = await startPackageServer(testPackage());
  server.files = new Map();
  publishOnHub(server, "someone/tiny-llava", new Map(files), { modelType: "llava" });
  const code = await bundle(fileURLToPath(new URL("killed-conversion-page.ts", import.meta.url)));
  const html = `<!doctype html><title>killed</title><body></body><script type="module">${code}</script>`;
  server.files = new Map([...server.files, ["page.html", new TextEncoder().encode(html)]]);
  /** Where each file of weights begins in the stream of all. */
  let weightBytes = 0;
  const starts = new Map<string, number>();
  for (const [name, { length }] of files.filter(([path]) => path.endsWith(".safetensors")).toSorted()) {
    starts.set(name, weightBytes);
    weightBytes += length;
  }
  const context = await browser.newContext();
  try {
    let [again, resumed, requests] = [0, 0, 0];
    for (let kill = 0; kill <= kills; kill++) {
      const page = await context.newPage();
      server.asked.length = 0;
      server.bytesPerSecond = kill < kills ? 400_000 : Infinity;
      await page.goto(`${server.baseUrl}page.html`);
      await expect(page.locator("body")).toHaveAttribute("data-fetched", /^\d+$/);
      const finished = Number(await page.locator("body").getAttribute("data-fetched"));
      const kept = async (): Promise<number> => Number(await page.locator("body").getAttribute("data-kept"));
      const keptBefore = await kept();
      if (finished > 0) resumed++;
      if (kill < kills) {
        // Every other page lives until it has finished a unit, however fast the device; all are killed at a random byte after that.
        if (kill % 2 === 0) await expect.poll(kept, { intervals: [20] }).toBeGreaterThan(keptBefore);
        const end = server.sentBytes + random() * ((2 * weightBytes) / kills);
        await expect.poll(() => server.sentBytes, { intervals: [20] }).toBeGreaterThanOrEqual(end);
        await page.close();
      } else {
        await expect(page.locator("body")).toHaveText(JSON.stringify({ damaged: 0, missing: 0 }), { timeout: 60_000 });
      }
      for (const { path, start, end } of server.asked) {
        const at = starts.get(path.slice(path.lastIndexOf("/") + 1));
        // Headers are read anew.
        if (at === undefined || start === 8 || (start === 0 && end <= 32)) continue;
        requests++;
        if (at + start < finished) again += Math.min(finished, at + end) - at - start;
      }
    }
    console.log(
      `Seed ${seed}: ${kills} pages killed, ${resumed} went on, ${requests} requests; finished bytes fetched twice: ${again}`,
    );
    expect(again).toBe(0);
    expect(resumed).toBeGreaterThan(0);
  } finally {
    await context.close();
    await server.stop();
  }
});
