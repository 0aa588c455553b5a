// A new version of the app on the server: it takes over where the page is alone, and never under another open page.
import { readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { securityHeaders } from "#sw/security-headers.ts";
import { serveStatic } from "../support/static-server.ts";

/** Which workers the page's registration has; fails while the page reloads, so ask again. */
const workersOf = (page: Page): Promise<{ controlled: boolean; waiting: boolean }> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    return {
      controlled: navigator.serviceWorker.controller !== null,
      waiting: registration !== undefined && registration.waiting !== null,
    };
  });

async function expectWorkers(page: Page, waiting: boolean): Promise<void> {
  await expect(async () => expect(await workersOf(page)).toEqual({ controlled: true, waiting })).toPass();
}

test("a new version waits for other tabs, and takes over with one reload where the page is alone", async ({
  page,
  context,
}) => {
  test.setTimeout(300_000);
  const script = await readFile("dist-test/service-worker.js", "utf8");
  let deployed = false;
  const server = await serveStatic({
    folder: "dist-test",
    headers: securityHeaders,
    onRequest(path, _request, response) {
      if (!deployed || path !== "service-worker.js") return false;
      response.writeHead(200, { "content-type": "text/javascript", ...securityHeaders }).end(`${script}\n// new`);
      return true;
    },
  });
  const started = (tab: Page) => expect(tab.getByTestId("model-status")).toHaveAttribute("data-state", "ready");
  try {
    await page.goto(server.url);
    await expectWorkers(page, false);
    deployed = true;
    await page.reload();
    await expectWorkers(page, true);

    const other = await context.newPage();
    await other.goto(server.url);
    await started(other);
    await expectWorkers(other, true);
    await other.close();

    let loads = 0;
    page.on("load", () => loads++);
    await page.reload();
    await started(page);
    await expectWorkers(page, false);
    expect(loads).toBe(2);
  } finally {
    await server.stop();
  }
});
