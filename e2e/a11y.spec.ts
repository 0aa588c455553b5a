// No violation that axe can find, in every state of the page, in both themes, wide and at 360 px. Needs no model.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test, type Page } from "@playwright/test";
import type { AxeResults } from "axe-core";
import { answeredTurns, openSavedChat, redPng } from "./saved-chat.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// A page without its service worker asks the network for everything, where a test can hold it back.
test.use({ serviceWorkers: "block" });

/** One line per violation; empty is what we want. Injected from outside, because the page's policy lets no other script in. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return results.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1100, 360]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: 760 }, reducedMotion: "reduce" });

      test("the welcome, the settings and the notices", async ({ page }) => {
        await page.route("**/models/**", () => undefined); // The model never arrives: the page is loading.
        await page.goto("./");
        await expect(page.getByTestId("model-status")).toHaveAttribute("data-state", "loading");
        expect(await violations(page)).toEqual([]);
        await page.getByRole("button", { name: "Settings" }).click();
        await expect(page.getByRole("dialog", { name: "Settings" })).toBeVisible();
        expect(await violations(page)).toEqual([]);
        await page.getByRole("button", { name: "About and licences" }).click();
        await expect(page.getByRole("dialog", { name: "About and licences" })).toContainText("Noto Emoji");
        expect(await violations(page)).toEqual([]);
      });

      test("a chat with an answer, its figures, a failure and a picture to send", async ({ page }) => {
        await page.route("**/models/**", (route) => route.fulfill({ status: 404 }));
        await page.goto("./");
        const failed = { role: "assistant", id: "a2", text: "", status: "failed" } as const;
        await openSavedChat(
          page,
          [
            ...answeredTurns,
            { role: "user", id: "q2", text: "And this?", pictures: [] },
            { ...failed, failure: { code: "device-lost", detail: "" } },
          ],
          { p1: redPng },
        );
        await expect(page.getByTestId("model-failure")).toBeVisible();
        await page.getByTestId("answer-figures").getByRole("button").click();
        await page
          .getByTestId("file-input")
          .setInputFiles({ name: "red.png", mimeType: "image/png", buffer: Buffer.from(redPng, "base64") });
        await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
        expect(await violations(page)).toEqual([]);
        await page.getByTestId("model-status").getByRole("button").click();
        expect(await violations(page)).toEqual([]);
      });
    });
  }
}
