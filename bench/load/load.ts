// npm run bench -- load --model <package folder> [--device webgpu] [--times 5] [--json <file>]: a warm load from IndexedDB beside merely reading
// the same bytes there, in headless Chromium, each in a new page, and the most memory that the page's process had.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { runtimePath } from "#sw/runtime-cache.ts";
import { securityHeaders } from "#sw/security-headers.ts";
import { bundle } from "../../e2e/support/bundle.ts";
import type { WarmLoad } from "./load-page.ts";
import { spreadOf } from "../measure.ts";
import { serveBench } from "../serve.ts";

const { values } = parseArgs({
  options: {
    dist: { type: "string", default: "dist-test" },
    model: { type: "string", default: "public/models/pocket-llava" },
    device: { type: "string", default: "wasm" },
    times: { type: "string", default: "5" },
    json: { type: "string" },
  },
});
const device = values.device === "webgpu" ? "webgpu" : "wasm";
const server = await serveBench({
  dist: values.dist,
  headers: securityHeaders,
  model: values.model,
  own: {
    "load.html": {
      type: "text/html",
      text: '<!doctype html><title>load</title><body></body><script type="module" src="load.js"></script>',
    },
    "load.js": { type: "text/javascript", text: await bundle(fileURLToPath(new URL("load-page.ts", import.meta.url))) },
  },
});
const executablePath = process.env["CHROMIUM_PATH"];
const gpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
const browser = await chromium.launch({
  args: ["--no-sandbox", "--disable-background-networking", ...(device === "webgpu" ? gpu : [])],
  ...(executablePath === undefined ? {} : { executablePath }),
});

/** The largest resident set among the browser's page processes, in MiB. */
function residentMebibytes(): number {
  const lines = execFileSync("ps", ["-eo", "rss=,args="], { encoding: "utf8" }).split("\n");
  return Math.max(
    0,
    ...lines.filter((line) => line.includes("--type=renderer")).map((line) => parseInt(line, 10) / 1024),
  );
}

try {
  const context = await browser.newContext();
  const open = async () => {
    const page = await context.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${server.url}load.html`);
    await page.waitForFunction(() => document.body.textContent === "ready");
    return page;
  };
  const keeper = await open();
  const bytes = await keeper.evaluate(() => window.keep("package/", "models/pocket-llava/"));
  await keeper.close();
  const loads: (WarmLoad & { readonly peakMebibytes: number; readonly before: number })[] = [];
  for (let i = 0; i <= Number(values.times); i++) {
    const page = await open();
    const before = residentMebibytes();
    let peakMebibytes = 0;
    const timer = setInterval(() => (peakMebibytes = Math.max(peakMebibytes, residentMebibytes())), 100);
    const found = await page.evaluate(([url, device]) => window.load(url, device), [runtimePath, device] as const);
    clearInterval(timer);
    await page.close();
    if (i > 0) loads.push({ ...found, peakMebibytes, before });
  }
  const of = (name: "readMs" | "loadMs" | "peakMebibytes" | "before"): number =>
    spreadOf(loads.map((one) => one[name])).median;
  const ratio = spreadOf(loads.map(({ loadMs, readMs }) => loadMs / readMs));
  console.log(
    `\n${(bytes / 1e6).toFixed(0)} MB on ${device}: read ${of("readMs").toFixed(0)} ms, loaded ${of("loadMs").toFixed(0)} ms, ` +
      `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}) × the reading; ` +
      `the page's process at most ${of("peakMebibytes").toFixed(0)} MiB, ${of("before").toFixed(0)} before`,
  );
  console.log(`Parts began after: ${JSON.stringify(loads.at(-1)?.parts)} ms`);
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ bytes, device, loads }, undefined, 1)}\n`);
} finally {
  await browser.close();
  await server.stop();
}
