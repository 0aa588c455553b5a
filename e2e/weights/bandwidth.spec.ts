// The measurement behind "about … tokens/s here", on a real WebGPU device (here the software adapter).
import { expect, test } from "@playwright/test";
import { openBundled } from "../support/bundle.ts";

test("a compute shader's bandwidth is measured in a moment and is no nonsense", async ({ page }) => {
  await openBundled(page, new URL("./bandwidth-page.ts", import.meta.url));
  await expect(page.locator("body")).toHaveText(/^[\d.]+$/);
  const bytesPerSecond = Number(await page.locator("body").textContent());
  // Between a phone of long ago and what no memory reaches.
  expect(bytesPerSecond).toBeGreaterThan(1e7);
  expect(bytesPerSecond).toBeLessThan(1e13);
});
