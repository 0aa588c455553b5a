// The vision kernel's build with relaxed SIMD beside the one without, in the browser, which alone has it.
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { openBundled } from "../support/bundle.ts";

test("products of digits and of 16-bit integers give features that are equal in every bit", async ({ page }) => {
  const checkpoint = fileURLToPath(new URL("../../training/fixtures/families/smolvlm", import.meta.url));
  const made = memoryPackage();
  await convert(checkpointFolder(checkpoint), made, { bits: { vision: 8, embed: 8, decoder: 4 } });
  await page.route("**/tiny-smolvlm/**", (route) => {
    const path = new URL(route.request().url()).pathname.replace(/^.*\/tiny-smolvlm\//, "");
    const bytes = made.written.get(path);
    return bytes ? route.fulfill({ body: Buffer.from(bytes) }) : route.fulfill({ status: 404 });
  });
  await openBundled(page, new URL("./digits-page.ts", import.meta.url));
  await expect(page.locator("body")).toHaveText("ready");
  for (const [packageUrl, side] of [
    ["tiny-smolvlm/", 64],
    ["models/pocket-llava/", 224],
  ] as const) {
    const compared = await page.evaluate(([url, pixels]) => window.compare(url, pixels), [packageUrl, side] as const);
    expect(compared.hasRelaxed, "Chromium has had relaxed SIMD since 114").toBe(true);
    expect(compared.count).toBeGreaterThan(100);
    expect(compared.different).toBe(0);
  }
});
