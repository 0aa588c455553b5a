// The store of weights on a browser's real storage, against the contract that the one in memory passes under Node.
import { expect, test, type Page } from "@playwright/test";
import { storeContract } from "#testing/store-contract.ts";
import { openBundled } from "../support/bundle.ts";

async function readResults(page: Page): Promise<unknown> {
  await expect(page.locator("body")).toHaveText(/^\{/);
  return JSON.parse((await page.locator("body").textContent()) ?? "");
}

test("IndexedDB keeps the contract of a shard store, and what was stored outlives the page", async ({ page }) => {
  const contract = Object.fromEntries(storeContract.map(({ name }) => [name, "kept"]));
  const kept = { ...contract, "packages beside foreign keys": "[]" };
  await openBundled(page, new URL("./store-contract-page.ts", import.meta.url));
  expect(await readResults(page)).toEqual({ ...kept, earlier: "nothing" });
  await page.reload();
  expect(await readResults(page)).toEqual({ ...kept, earlier: "still here" });
});
