// No violation that axe can find, in every state of the page, in both themes, wide and at 360 px. Needs no model.
import { expect, test } from "@playwright/test";
import { violations } from "./axe.ts";
import { answeredTurns, openSavedChat, redPng } from "./saved-chat.ts";

// A page without its service worker asks the network for everything, where a test can hold it back.
test.use({ serviceWorkers: "block" });

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
