// The vision kernel's build with relaxed SIMD beside the one without, in the browser, which alone has it.
import { expect, test } from "@playwright/test";
import { openBundled } from "../support/bundle.ts";
import { serveTinySmolvlm } from "./tiny-smolvlm.ts";

test("products of digits and of 16-bit integers give features that are equal in every bit", async ({ page }) => {
  await serveTinySmolvlm(page);
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
