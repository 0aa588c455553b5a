// The bench page: this engine and transformers.js on the same package, with the fewest runs that make a table.
import { expect, test } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { alone } from "../support/alone.ts";
import { violations } from "../support/axe.ts";

test(
  "the bench page measures both systems in turns, and gives its figures away as JSON and as a picture",
  alone,
  async ({ page, baseURL }) => {
    const elsewhere: string[] = [];
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith("http") && origin !== new URL(baseURL ?? "").origin) elsewhere.push(request.url());
    });
    await page.setViewportSize({ width: 390, height: 780 });
    await page.goto("bench/?device=wasm&pairs=1&contexts=100&tokens=4&beside&heap=no");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Run benchmark" }).click();
    const status = page.getByRole("status");
    await expect(status).not.toHaveAttribute("data-state", "running", { timeout: 90_000 });
    await expect(status).toHaveText("Done.");

    const lines = page.getByRole("row");
    await expect(lines).toHaveCount(10);
    await expect(lines.first()).toHaveText(/Measurement.*llava-web.*transformers\.js.*Ratio/s);
    for (const name of [/^Load, with download, ms\s*\d/, /^Peak WASM memory, MiB\s*\d/])
      await expect(lines.filter({ hasText: name })).toHaveCount(1);
    // Of a short answer: both say the same, and no sign of another answer follows.
    expect((await lines.allTextContents())[1]).toMatch(/ ×$/);
    await expect(page.getByText("32-bit embeddings")).toBeVisible();
    expect(await violations(page)).toEqual([]);
    // The table scrolls within itself on a phone.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);

    const save = async (name: string): Promise<Buffer> => {
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name }).click();
      return readFile(await (await coming).path());
    };
    const report: unknown = JSON.parse((await save("Save as JSON")).toString());
    expect(report).toMatchObject({
      pairs: 1,
      widened: true,
      ours: { device: "wasm", model: "Pocket LLaVA" },
      peers: { "transformers.js": { device: "wasm" } },
      rows: [
        {
          id: "first",
          runs: [
            {
              ours: { text: expect.stringMatching(/\S/) as unknown },
              peers: { "transformers.js": { text: expect.stringMatching(/\S/) as unknown } },
            },
          ],
        },
        { id: "next" },
        { id: "again" },
        { id: "describe" },
        { id: "context" },
        { id: "context" },
      ],
    });
    expect([...(await save("Save as a picture")).subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    expect(elsewhere).toEqual([]);
  },
);

test("the bench page speaks Chinese, in the dark too, and fetches neither system before it is asked to", async ({
  browser,
  baseURL,
}) => {
  const context = await browser.newContext({ locale: "zh-CN", colorScheme: "dark", ...(baseURL ? { baseURL } : {}) });
  const page = await context.newPage();
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.goto("bench/");
  await expect(page.getByRole("button", { name: "开始测试" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.waitForLoadState("networkidle");
  expect(fetched.filter((url) => /bench-(?:ours|library)|\.wasm|onnx/.test(url))).toEqual([]);
  expect(fetched).not.toEqual([]);
  await context.close();
});
