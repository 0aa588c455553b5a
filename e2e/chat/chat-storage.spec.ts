// The persistence of conversations on a browser's real IndexedDB: its contract, two tabs, broken records, a full disk.
import { expect, test, type Page } from "@playwright/test";
import { persistenceContract } from "#testing/chat/persistence-contract.ts";
import { openBundled } from "../support/bundle.ts";

async function run(page: Page, what: "tabs" | "broken" | "full" | "contract"): Promise<unknown> {
  return page.evaluate(
    (name) => (globalThis as unknown as { run: Record<string, () => Promise<unknown>> }).run[name]?.(),
    what,
  );
}

test("the browser's persistence keeps the contract", async ({ page }) => {
  await openBundled(page, new URL("./chat-storage-page.ts", import.meta.url));
  await page.waitForFunction("globalThis.run !== undefined");
  const kept = Object.fromEntries(persistenceContract.map(({ name }) => [name, null]));
  expect(await run(page, "contract")).toEqual(kept);
});

test("nothing is lost between tabs, to broken records or to a full disk", async ({ page, baseURL }) => {
  await openBundled(page, new URL("./chat-storage-page.ts", import.meta.url));
  await page.waitForFunction("globalThis.run !== undefined");
  // First, because the browser remembers for a while how much room there was.
  const session = await page.context().newCDPSession(page);
  const origin = new URL(baseURL ?? "").origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 5 * 2 ** 20 });
  expect(await run(page, "full")).toEqual({
    unsaved: [1, 1],
    words: ["ask small", "answer small", "ask large", "answer large", "ask words", "answer words"],
    pictures: [1, 0, 0],
    text: "full",
    after: 6,
  });
  await session.send("Storage.overrideQuotaForOrigin", { origin });

  const start = ["ask start", "answer start"];
  const since = ["ask since", "answer since"];
  expect(await run(page, "tabs")).toEqual({
    saved: "deleted",
    after: 0,
    merged: [...start, ...since],
    restored: [...start, ...since],
    // Restored twice, the other answer is there once.
    joined: [...start, ...since, "another start"],
  });
  expect(await run(page, "broken")).toEqual({ list: ["good"], last: true, good: ["ask good", "answer good"] });
});
