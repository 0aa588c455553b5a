// A picture asked about at an earlier visit is not encoded again; and what keeps its features, on a browser's real storage.
import { expect, test, type Page } from "@playwright/test";
import { askAbout, modelReady, openPage } from "../support/ask.ts";
import { openBundled } from "../support/bundle.ts";

test("features are kept by package and scope, within a limit, and outlive the page", async ({ page }) => {
  const read = async (): Promise<unknown> => {
    await expect(page.locator("body")).toHaveText(/^\{/);
    return JSON.parse((await page.locator("body").textContent()) ?? "");
  };
  const expected = {
    earlier: "nothing",
    length: 3,
    "least recently used gone": [1, null],
    "other package": 3,
    "other scope": null,
    "too large": null,
    forgotten: [null, 3],
    full: null,
  };
  await openBundled(page, new URL("./features-page.ts", import.meta.url));
  expect(await read()).toEqual(expected);
  await page.reload();
  expect(await read()).toEqual({ ...expected, earlier: 7 });
});

/** What the answer's details say of the vision encoder, in milliseconds. */
async function visionMs(page: Page): Promise<number> {
  await page.getByTestId("answer-turn").last().getByText("Details").click();
  const text = await page.getByTestId("answer-turn").last().innerText();
  const [, value, unit] = /Vision\s+([\d.]+)\s*(ms|s)/.exec(text) ?? [];
  return Number(value) * (unit === "s" ? 1000 : 1);
}

test("after a reload the same picture is not encoded again", async ({ page }) => {
  // Without what is prepared, which would not show in the answer's timings.
  await page.addInitScript(() => {
    const settings = { greedy: true, temperature: 0.2, topP: 0.7, maxNewTokens: 16 };
    localStorage.setItem(
      "llava-web-preferences",
      JSON.stringify({ version: 1, theme: "system", settings, prepare: false }),
    );
  });
  await openPage(page, "./?device=wasm");
  await modelReady(page);
  const first = await askAbout(page, "pets.png", "How many cats are there?");
  expect(await visionMs(page)).toBeGreaterThan(0);
  await page.reload();
  await modelReady(page);
  await page.getByRole("button", { name: "New chat" }).first().click();
  expect(await askAbout(page, "pets.png", "How many cats are there?")).toBe(first);
  expect(await visionMs(page)).toBe(0);
});
