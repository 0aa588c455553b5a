// Decoders that are no plain Llama on the browser's GPU (the software adapter) beside WASM, on random packages made here.
import { expect, test } from "@playwright/test";
import { runtimePath } from "#sw/runtime-cache.ts";
import { shapedDecoder } from "#testing/shaped-decoder.node.ts";
import { openBundled } from "../support/bundle.ts";

const decoders = [
  { architecture: "mistral", recorded: false },
  { architecture: "qwen3", recorded: false },
  { architecture: "gemma", recorded: true },
  { architecture: "gemma2", recorded: false },
] as const;

for (const { architecture, recorded } of decoders) {
  test(`${architecture}: a prompt, steps and recorded steps give the logits of WASM's kernel`, async ({ page }) => {
    const { info, files } = await shapedDecoder(4, "asymmetric", architecture);
    await page.route("**/shaped/**", async (route) => {
      const path = new URL(route.request().url()).pathname.replace(/^.*\/shaped\//, "");
      const blob = await files.blob(path).catch(() => undefined);
      if (!blob) return route.fulfill({ status: 404 });
      return route.fulfill({ body: Buffer.from(await blob.arrayBuffer()) });
    });
    await openBundled(page, new URL("./decoders-page.ts", import.meta.url));
    await expect(page.locator("body")).toHaveText("ready");
    const found = await page.evaluate(
      ([url, info]) => window.compareDecoders(new URL(url, document.baseURI).href, info),
      [runtimePath, info] as const,
    );
    expect(found.onKernel).toBe(true);
    expect(found.recorded).toBe(recorded);
    expect(found.leaked).toBe(0);
    // The prompt of 100 rows, plain steps, and steps as they were recorded; in parts of the logits' root mean square.
    expect(found.differences).toHaveLength(recorded ? 7 : 4);
    expect(Math.max(...found.differences)).toBeLessThan(2e-3);
  });
}
