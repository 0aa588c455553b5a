// The store of weights on a browser's real storage, against the contract that the one in memory passes under Node.
import { fileURLToPath } from "node:url";
import { expect, test, type Page } from "@playwright/test";
import { build } from "vite";
import { storeContract } from "#weights/store-contract.ts";

/** The page's script with everything it imports, in one file. */
async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL("store-contract-page.ts", import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, target: "es2022", rolldownOptions: { input: entry } },
  });
  const output = [built].flat().flatMap((bundled) => ("output" in bundled ? bundled.output : []));
  const file = output.find((part) => part.type === "chunk");
  if (!file) throw new Error("the page's script was not built");
  return file.code;
}

async function readResults(page: Page): Promise<unknown> {
  await expect(page.locator("body")).toHaveText(/^\{/);
  return JSON.parse((await page.locator("body").textContent()) ?? "");
}

test("IndexedDB keeps the contract of a shard store, and what was stored outlives the page", async ({ page }) => {
  const code = await bundle();
  await page.route("**/contract.js", (route) => route.fulfill({ contentType: "text/javascript", body: code }));
  await page.route("**/contract.html", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: '<!doctype html><title>Contract</title><body></body><script type="module" src="contract.js"></script>',
    }),
  );
  const kept = Object.fromEntries(storeContract.map(({ name }) => [name, "kept"]));
  await page.goto("./contract.html");
  expect(await readResults(page)).toEqual({ ...kept, earlier: "nothing" });
  await page.reload();
  expect(await readResults(page)).toEqual({ ...kept, earlier: "still here" });
});
