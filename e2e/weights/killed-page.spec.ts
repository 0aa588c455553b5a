// Pages that are killed in the middle of a download, again and again, on a browser's real storage.
import { expect, test } from "@playwright/test";
import { startPackageServer, testPackage, weightsPath } from "#testing/package-server.node.ts";
import { fileURLToPath } from "node:url";
import { seeded } from "#testing/seeded.ts";
import { bundle } from "../support/bundle.ts";

const kills = process.env["LLAVA_LONG_TESTS"] ? 100 : 10;
const shardBytes = 64_000;
/** More than the pages live to fetch, however many they are. */
const weightBytes = 4 * kills * shardBytes;

test(`a page killed ${kills} times: the package comes whole, and no verified byte is fetched twice`, async ({
  browser,
}) => {
  test.setTimeout(60_000 + kills * 5_000);
  const { random, seed } = seeded();
  const server = await startPackageServer(testPackage({ weightBytes, shardBytes }));
  // The server of the package serves the page as well: nothing stands between them but HTTP.
  const code = await bundle(fileURLToPath(new URL("killed-page.ts", import.meta.url)));
  const html = `<!doctype html><title>killed</title><body></body><script type="module">${code}</script>`;
  server.files = new Map([...server.files, ["page.html", new TextEncoder().encode(html)]]);
  const context = await browser.newContext();
  try {
    let verifiedAgain = 0;
    let requests = 0;
    let before: ReadonlySet<number> = new Set();
    const count = (): void => {
      for (const { path, start, end } of server.asked.filter((range) => range.path === weightsPath)) {
        requests++;
        expect(path).toBe(weightsPath);
        for (let index = Math.floor(start / shardBytes); index * shardBytes < end; index++)
          if (before.has(index))
            verifiedAgain += Math.min(end, (index + 1) * shardBytes) - Math.max(start, index * shardBytes);
      }
      server.asked.length = 0;
    };
    // So slow that every page dies in the middle.
    const slow = (1.5 * weightBytes) / kills;
    let pieces = 0;
    for (let kill = 0; kill <= kills; kill++) {
      const page = await context.newPage();
      server.bytesPerSecond = kill < kills ? slow : Infinity;
      await page.goto(`${server.baseUrl}page.html`);
      await expect(page.locator("body")).toHaveAttribute("data-held", /^\[/);
      const held = readKeys(await page.locator("body").getAttribute("data-held"));
      before = new Set(held.flatMap((key) => /onnx_data#(\d+):[0-9a-f]{64}$/.exec(key)?.[1] ?? []).map(Number));
      pieces += held.filter((key) => key.includes("~")).length;
      if (kill < kills) {
        // Between nothing and about four shards after what has come so far.
        const end = server.sentBytes + random() * 4 * shardBytes;
        await expect.poll(() => server.sentBytes, { intervals: [20] }).toBeGreaterThanOrEqual(end);
        await page.close();
      } else {
        const whole = { persisted: true, damaged: 0, missing: 0 };
        await expect(page.locator("body")).toHaveText(JSON.stringify(whole), { timeout: 60_000 });
      }
      count();
    }
    console.log(
      `Seed ${seed}: ${kills} pages killed, ${requests} requests, ${pieces} times gone on within a shard; verified bytes fetched twice: ${verifiedAgain}`,
    );
    expect(verifiedAgain).toBe(0);
    expect(before.size).toBeGreaterThan(0);
  } finally {
    await context.close();
    await server.stop();
  }
});

function readKeys(json: string | null): string[] {
  const keys: unknown = JSON.parse(json ?? "[]");
  return Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [];
}
