// The poorest place to run: no headers, no service worker, so no isolation and one WASM thread. The page must stay smooth all the same.
import { expect, test } from "@playwright/test";
import { alone } from "../support/alone.ts";
import { askAbout, modelReady, openPage, truths } from "../support/ask.ts";
import { longestTask, watchLongTasks } from "../support/long-tasks.ts";
import { serveStatic } from "../support/static-server.ts";

test.use({ serviceWorkers: "block" });

test(
  "without isolation one thread answers, the page says so, and its main thread is never held for 250 ms",
  alone,
  async ({ page }) => {
    const server = await serveStatic({ folder: "dist-test" });
    try {
      await watchLongTasks(page);
      await openPage(page, `${server.url}?device=wasm`);
      await modelReady(page);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      await page.getByTestId("model-status").click();
      await expect(page.getByText("only one CPU thread")).toBeVisible();
      await page.keyboard.press("Escape");
      expect(await askAbout(page, truths[0].file, truths[0].question)).toMatch(truths[0].words);
      expect(await longestTask(page)).toBeLessThan(250);
    } finally {
      await server.stop();
    }
  },
);
