// Pages that are killed in the middle of a download, again and again, on a browser's real storage. The server sends a page no more bytes than
// the test lets through, so where a page dies depends on the seed alone and on no machine's pace.
import { expect, test } from "@playwright/test";
import { startPackageServer, testPackage, weightsPath } from "#testing/servers/package-server.node.ts";
import { fileURLToPath } from "node:url";
import { seeded } from "#testing/seeded.ts";
import { bundle } from "../support/bundle.ts";

const kills = process.env["LLAVA_LONG_TESTS"] ? 100 : 10;
const shardBytes = 64_000;
/** More than the pages that are killed are sent, however many bytes of it. */
const weightBytes = 8 * kills * shardBytes;

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
    let [verifiedAgain, requests, pieces] = [0, 0, 0];
    let before: ReadonlySet<number> = new Set();
    const count = (): void => {
      for (const { start, end } of server.asked.filter(({ path }) => path === weightsPath)) {
        requests++;
        for (let index = Math.floor(start / shardBytes); index * shardBytes < end; index++)
          if (before.has(index))
            verifiedAgain += Math.min(end, (index + 1) * shardBytes) - Math.max(start, index * shardBytes);
      }
    };
    for (let kill = 0; kill <= kills; kill++) {
      const page = await context.newPage();
      server.isHeld = () => false;
      await page.goto(`${server.baseUrl}page.html`);
      await expect(page.locator("body")).toHaveAttribute("data-held", /^\[/);
      const heldKeys = async (): Promise<string[]> => readKeys(await page.locator("body").getAttribute("data-held"));
      const held = await heldKeys();
      before = wholeShards(held);
      pieces += held.filter((key) => key.includes("~")).length;
      server.asked.length = 0;
      server.gate.close();
      server.isHeld = ({ path }) => kill < kills && path === weightsPath;
      await page.evaluate(() => dispatchEvent(new Event("go")));
      if (kill < kills) {
        if (kill % 2 === 0) {
          // Every other page lives until it has a shard more, which as many bytes as all connections leave unfinished can't prevent.
          server.gate.allow(4 * shardBytes);
          const more = async (): Promise<number> => {
            await page.evaluate(() => dispatchEvent(new Event("look")));
            return wholeShards(await heldKeys()).size;
          };
          await expect.poll(more, { intervals: [20] }).toBeGreaterThan(before.size);
        }
        server.gate.allow(Math.floor(random() * 4 * shardBytes));
        await expect.poll(() => server.gate.allowed(), { intervals: [20] }).toBe(0);
        await page.close();
      } else {
        const whole = JSON.stringify({ persisted: true, damaged: 0, missing: 0 });
        await expect(page.locator("body")).toHaveAttribute("data-outcome", whole, { timeout: 60_000 });
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

function wholeShards(keys: readonly string[]): ReadonlySet<number> {
  return new Set(keys.flatMap((key) => /onnx_data#(\d+):[0-9a-f]{64}$/.exec(key)?.[1] ?? []).map(Number));
}

function readKeys(json: string | null): string[] {
  const keys: unknown = JSON.parse(json ?? "[]");
  return Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [];
}
