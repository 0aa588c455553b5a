// No violation that axe can find, in every state of the page, in both themes, wide and at 360 px. Needs no model.
import { expect, test } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";

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
        await page.getByRole("button", { name: "About and licenses" }).click();
        await expect(page.getByRole("dialog", { name: "About and licenses" })).toContainText("Noto Emoji");
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

for (const [colorScheme, width] of [
  ["light", 1100],
  ["dark", 360],
] as const) {
  test.describe(`in Chinese, ${colorScheme}, ${width} px`, () => {
    test.use({ locale: "zh-CN", colorScheme, viewport: { width, height: 760 }, reducedMotion: "reduce" });

    test("every dialog, and nothing wider than the page", async ({ page }) => {
      await page.route("**/models/**", (route) => route.fulfill({ status: 404 }));
      await page.goto("./");
      await openSavedChat(page, answeredTurns, { p1: redPng });
      const check = async (): Promise<void> => {
        expect(await violations(page)).toEqual([]);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(over).toBe(0);
      };
      const closeAll = async (): Promise<void> => {
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toHaveCount(0);
      };
      await check();
      await page.getByRole("button", { name: "设置" }).click();
      await page.getByText("更多设置").click();
      await check();
      await page.getByRole("button", { name: "导出和导入" }).click();
      await expect(page.getByRole("dialog", { name: "导出和导入" })).toBeVisible();
      await check();
      await closeAll();
      for (const [name, title] of [
        ["管理模型", "模型"],
        ["连接服务器", "连接服务器"],
      ] as const) {
        await page.getByTestId("model-picker").getByRole("button").first().click();
        await page.getByRole("button", { name }).click();
        await expect(page.getByRole("dialog", { name: title })).toBeVisible();
        await check();
        await closeAll();
      }
      await page.keyboard.press("Control+/");
      await expect(page.getByRole("dialog")).toBeVisible();
      await check();
    });
  });
}
