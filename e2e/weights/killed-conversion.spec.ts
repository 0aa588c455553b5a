// Pages that are killed in the middle of a conversion, again and again, on a browser's real storage. The server sends a page no more bytes than
// the test lets through, so where a page dies depends on the seed alone and on no machine's pace.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, type Page } from "@playwright/test";
import { planStream } from "#convert/convert-stream.ts";
import { memoryCheckpoint } from "#testing/fixtures.ts";
import { publishOnHub } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage } from "#testing/servers/package-server.node.ts";
import { seeded } from "#testing/seeded.ts";
import { bundle } from "../support/bundle.ts";

const kills = process.env["LLAVA_LONG_TESTS"] ? 40 : 6;
const fixture = fileURLToPath(new URL("../../training/fixtures/tiny-llava", import.meta.url));
/** Several units of a tiny checkpoint. */
const sizes = { unitBytes: 40_000, blockBytes: 32_768 };
const whole = JSON.stringify({ damaged: 0, missing: 0 });

test(`a page killed ${kills} times: the package comes whole, and no byte that ended in a finished unit is fetched again`, async ({
  browser,
}) => {
  test.setTimeout(60_000 + kills * 10_000);
  const { random, seed } = seeded();
  const names = await readdir(fixture);
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(fixture, name)))] as const)),
  );
  const server = await startPackageServer(testPackage());
  server.files = new Map();
  publishOnHub(server, "someone/tiny-llava", files, { modelType: "llava" });
  const code = await bundle(fileURLToPath(new URL("killed-conversion-page.ts", import.meta.url)));
  const html = `<!doctype html><title>killed</title><body></body><script type="module">${code}</script>`;
  server.files = new Map([...server.files, ["page.html", new TextEncoder().encode(html)]]);
  const { plan } = await planStream(memoryCheckpoint("tiny-llava", files), {
    ...sizes,
    bits: { vision: 8, embed: 4, decoder: 4 },
  });
  /** Where each file of weights begins in the stream of all. */
  const starts = new Map(plan.files.map(({ name, start }) => [name, start]));
  /** Reads of weights, in the stream. Headers are read anew in every visit. */
  const weightsOf = ({ path, start, end }: (typeof server.asked)[number]) => {
    const at = starts.get(path.slice(path.lastIndexOf("/") + 1));
    return at === undefined || start === 8 || (start === 0 && end <= 32) ? [] : [{ from: at + start, to: at + end }];
  };
  const context = await browser.newContext();
  let [killed, packages, again, resumed, requests] = [0, 0, 0, 0, 0];
  /** Opens a page that is about to go on; resolves with the bytes of the stream that are in finished units. */
  const open = async (): Promise<{ page: Page; finished: number }> => {
    const page = await context.newPage();
    server.isHeld = () => false;
    await page.goto(
      `${server.baseUrl}page.html#id=killed-${packages}&unitBytes=${sizes.unitBytes}&blockBytes=${sizes.blockBytes}`,
    );
    await expect(page.locator("body")).toHaveAttribute("data-fetched", /^\d+$/);
    const finished = Number(await page.locator("body").getAttribute("data-fetched"));
    if (finished > 0) resumed++;
    server.asked.length = 0;
    return { page, finished };
  };
  const go = (page: Page): Promise<boolean> => page.evaluate(() => dispatchEvent(new Event("go")));
  const close = async (page: Page, finished: number): Promise<void> => {
    await page.close();
    for (const { from, to } of server.asked.flatMap(weightsOf)) {
      requests++;
      if (from < finished) again += Math.min(finished, to) - from;
    }
  };
  try {
    for (let visit = 0; killed < kills; visit++) {
      const { page, finished } = await open();
      const body = page.locator("body");
      const kept = async (): Promise<number> => Number(await body.getAttribute("data-kept"));
      const outcome = (): Promise<string | null> => body.getAttribute("data-outcome");
      const keptBefore = await kept();
      server.gate.close();
      server.isHeld = (range) => weightsOf(range).length > 0;
      await go(page);
      if (visit % 2 === 0) {
        // Every other page lives until it has finished a unit. Its last block may be asked for after others that are under way.
        const end = plan.units.find((unit) => unit.end > finished)?.end ?? plan.streamBytes;
        server.gate.allow(end - finished + 4 * sizes.blockBytes);
        const isKept = async (): Promise<boolean> => (await kept()) > keptBefore || (await outcome()) !== null;
        await expect.poll(isKept, { intervals: [20] }).toBe(true);
      }
      server.gate.allow(Math.floor(random() * (plan.streamBytes / 4)));
      const isOver = async (): Promise<boolean> => server.gate.allowed() === 0 || (await outcome()) !== null;
      await expect.poll(isOver, { intervals: [20] }).toBe(true);
      const ended = await outcome();
      await close(page, finished);
      if (ended === null) killed++;
      else {
        // It was let through to its end: the next page begins another package.
        expect(ended).toBe(whole);
        packages++;
      }
    }
    const { page, finished } = await open();
    await go(page);
    await expect(page.locator("body")).toHaveAttribute("data-outcome", whole, { timeout: 60_000 });
    await close(page, finished);
    console.log(
      `Seed ${seed}: ${kills} pages killed in ${packages + 1} packages, ${resumed} went on, ${requests} requests; finished bytes fetched twice: ${again}`,
    );
    expect(again).toBe(0);
    expect(resumed).toBeGreaterThan(0);
  } finally {
    await context.close();
    await server.stop();
  }
});
