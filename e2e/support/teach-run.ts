// Teaches the built-in model pictures of one's own, through the page as a visitor would: `npm run teach:page -- <folder with a folder per
// name> [--to <folder>] [--question <question>]`. Prints how long it took, the page's peak memory and every test picture before and after; screenshots.
// Asserts nothing.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { securityHeaders } from "#sw/security-headers.ts";
import { serveStatic } from "./static-server.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { to: { type: "string", default: "taught" }, question: { type: "string", default: "What is this?" } },
});
const [app = "dist-screenshots", from] = positionals;
if (from === undefined)
  throw new Error("name a folder that has a folder of pictures per name: npm run teach:page -- <folder>");
const names = (await readdir(from, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
await mkdir(values.to, { recursive: true });

const site = await serveStatic({ folder: app, headers: securityHeaders });
const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({ args: ["--no-sandbox"], ...(executablePath ? { executablePath } : {}) });
const context = await browser.newContext({ locale: "en", viewport: { width: 1100, height: 1400 } });
const page = await context.newPage();
page.setDefaultTimeout(600_000);
await page.goto(`${site.url}?device=wasm`);
await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();
await page.goto(`${site.url}?device=wasm#/teach`);
await page.getByRole("button", { name: /Things and their names/ }).click();
for (const [index, name] of names.entries()) {
  if (index > 1) await page.getByRole("button", { name: /^Add/ }).first().click();
  const card = page.getByTestId("lesson-card").nth(index);
  await card.getByLabel("Name").fill(name);
  const files = (await readdir(join(from, name))).sort().map((file) => join(from, name, file));
  await card.getByTestId("files-input").setInputFiles(files);
  await card
    .getByTestId("card-picture")
    .nth(files.length - 1)
    .waitFor();
}
const course = page.getByTestId("course");
await course.getByRole("button", { name: "Check and estimate" }).click();
console.log(await page.getByTestId("course-plan").innerText());
await page.screenshot({ path: join(values.to, "plan.png"), animations: "disabled" });

let peak = 0;
const watch = setInterval(() => {
  void residentBytes().then((bytes) => (peak = Math.max(peak, bytes)));
}, 1000);
const began = Date.now();
await course.getByRole("button", { name: "Start teaching" }).click();
await page
  .getByTestId("course-stage")
  .filter({ hasText: /step \d/ })
  .waitFor();
await page.screenshot({ path: join(values.to, "learning.png"), animations: "disabled" });
const result = page.getByTestId("lesson-result");
await result.waitFor();
clearInterval(watch);
console.log(
  `${((Date.now() - began) / 1000).toFixed(0)} s from start to result; all of Chromium at most ${(peak / 1e6).toFixed(0)} MB`,
);
console.log(await result.getByTestId("result-verdict").innerText());
for (const row of await result.getByTestId("test-row").all()) {
  const [before, after] = [await row.getAttribute("data-before"), await row.getAttribute("data-after")];
  console.log(`  ${before ?? ""} → ${after ?? ""}: ${(await row.innerText()).replace(/\s+/g, " ")}`);
}
await page.screenshot({ path: join(values.to, "result.png"), animations: "disabled", fullPage: true });
await browser.close();
await site.stop();

/** Anonymous resident memory of all of this machine's processes whose command line names a Chromium; 0 where there is no /proc. */
async function residentBytes(): Promise<number> {
  let sum = 0;
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!/chrom/i.test(command.split("\0")[0] ?? "")) continue;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    sum += 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return sum;
}
