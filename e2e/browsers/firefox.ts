// Firefox over WebDriver BiDi. Knows no page.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import type { Browser } from "./browser.ts";

/** Starts the Firefox at `program` without a window, with a profile of its own that goes when it is closed. */
export async function startFirefox(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "llava-firefox-"));
  const firefox = await puppeteer.launch({
    browser: "firefox",
    executablePath: program,
    headless: true,
    userDataDir: profile,
    timeout: 120_000,
    protocolTimeout: 300_000,
    // Nothing but the page may ask the network.
    extraPrefsFirefox: {
      "intl.accept_languages": "en-US",
      "intl.locale.requested": "en-US",
      "app.update.disabledForTesting": true,
      "datareporting.policy.dataSubmissionEnabled": false,
      "dom.serviceWorkers.testing.enabled": false,
    },
  });
  const page = (await firefox.pages())[0] ?? (await firefox.newPage());
  await page.setViewport({ width: 1280, height: 800 });
  return {
    name: (await firefox.version()).replace("/", " "),
    goto: async (url) => {
      await page.goto(url, { waitUntil: "domcontentloaded", timeout: 60_000 });
    },
    run: async <Result>(body: string, argument?: unknown): Promise<Result> =>
      (await page.evaluate(`(async (argument) => { ${body} })(${JSON.stringify(argument ?? null)})`)) as Result,
    screenshot: async (file) => writeFile(file, await page.screenshot()),
    close: async () => {
      await firefox.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
