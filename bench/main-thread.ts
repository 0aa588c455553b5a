// npm run bench -- page: how long the built page holds its main thread while it loads and answers on WASM, and how fast it answers.
// Opens the page in a real browser several times and prints medians with their spread as a table, or as JSON with --json.
import { chromium, type Page } from "@playwright/test";
import { askAbout, modelReady, openPage } from "../e2e/support/ask.ts";
import { longestTask, watchLongTasks } from "../e2e/support/long-tasks.ts";
import { serveStatic } from "../e2e/support/static-server.ts";
import { securityHeaders } from "#sw/security-headers.ts";

const runs = 5;
const question = "Describe the image.";
const server = await serveStatic({ folder: "dist-test", headers: securityHeaders });
const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({
  args: ["--no-sandbox", "--disable-background-networking"],
  ...(executablePath === undefined ? {} : { executablePath }),
});

interface Sample {
  readonly loadMs: number;
  readonly longestWhileLoadingMs: number;
  readonly longestWhileAnsweringMs: number;
  readonly answerMs: number;
}

async function measure(page: Page): Promise<Sample> {
  await watchLongTasks(page);
  const openedAt = performance.now();
  await openPage(page, `${server.url}?device=wasm`);
  await modelReady(page);
  const loadMs = performance.now() - openedAt;
  const longestWhileLoadingMs = await longestTask(page);
  const askedAt = performance.now();
  await askAbout(page, "pets.png", question);
  const answerMs = performance.now() - askedAt;
  return { loadMs, longestWhileLoadingMs, longestWhileAnsweringMs: await longestTask(page), answerMs };
}

const samples: Sample[] = [];
try {
  for (let run = 0; run < runs; run++) {
    const context = await browser.newContext({ locale: "en-US" });
    samples.push(await measure(await context.newPage()));
    await context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}

const rows = (["loadMs", "longestWhileLoadingMs", "longestWhileAnsweringMs", "answerMs"] as const).map((name) => {
  const sorted = samples.map((sample) => sample[name]).sort((a, b) => a - b);
  const at = (index: number): number => Math.round(sorted[index] ?? NaN);
  return { name, median: at(Math.floor(runs / 2)), least: at(0), most: at(runs - 1) };
});
if (process.argv.includes("--json")) console.log(JSON.stringify({ runs, rows }, undefined, 2));
else console.table(rows);
