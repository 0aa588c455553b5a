// npm run bench -- wllama [--model <package folder>] [--pairs 3] [--contexts 256,1024] [--tokens 48] [--no-pictures] [--json <file>]: this engine on WASM
// beside wllama (llama.cpp in WebAssembly) in headless Chromium, on the same weights, which GGUF files are written of on the way.
import { readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { bundle } from "../../e2e/support/bundle.ts";
import { runtimePath } from "#sw/runtime-cache.ts";
import { serveBench } from "../serve.ts";
import { markdownOf } from "../table.ts";
import type {} from "./wllama-page.ts";

const { values } = parseArgs({
  options: {
    dist: { type: "string", default: "dist-test" },
    model: { type: "string", default: "public/models/pocket-llava" },
    pairs: { type: "string", default: "3" },
    contexts: { type: "string", default: "256,1024" },
    tokens: { type: "string", default: "48" },
    json: { type: "string" },
    "no-pictures": { type: "boolean", default: false },
  },
});
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};
const code = await bundle(fileURLToPath(new URL("wllama-page.ts", import.meta.url)));
const server = await serveBench({
  dist: values.dist,
  headers: isolation,
  model: values.model,
  own: {
    "wllama.html": {
      type: "text/html",
      text: '<!doctype html><title>wllama</title><body></body><script type="module" src="wllama.js"></script>',
    },
    "wllama.js": { type: "text/javascript", text: code },
    "wllama.wasm": {
      type: "application/wasm",
      file: createRequire(import.meta.url).resolve("@wllama/wllama/esm/wasm/wllama.wasm"),
    },
  },
});
const worker = (await readdir(join(values.dist, "assets"))).find((name) => /^bench-ours.*\.js$/.test(name));
if (worker === undefined) throw new Error(`${values.dist} holds no worker of the bench`);
const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({
  args: ["--no-sandbox", "--disable-background-networking"],
  ...(executablePath === undefined ? {} : { executablePath }),
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(`${server.url}wllama.html`);
  await page.waitForFunction(() => document.body.textContent === "ready");
  page.setDefaultTimeout(0);
  const report = await page.evaluate((request) => window.runBench(request), {
    worker: `assets/${worker}`,
    packageUrl: "package/",
    runtimeUrl: runtimePath,
    wasmUrl: "wllama.wasm",
    pictureUrl: "examples/pets.png",
    pictures: !values["no-pictures"],
    longestAnswer: Number(values.tokens),
    pairs: Number(values.pairs),
    contexts: values.contexts.split(",").map(Number),
  });
  const { ours, wllama, rows, pictures } = report;
  console.log(
    `\n${ours.model}, WASM, ${ours.threads} threads; wllama ${wllama.version}, ${wllama.threads} threads; ${values.pairs} pairs in turns\n`,
  );
  console.log(markdownOf(rows));
  if (!pictures && !values["no-pictures"]) {
    console.log(
      `\nWithout pictures: llama.cpp has no vision tower of ${ours.model}'s kind. --model takes another package.`,
    );
  }
  if (rows.some(({ id, peers }) => id !== "context" && peers["wllama"]?.parted)) {
    console.log(
      "\nWhere answers about a picture part: llama.cpp puts CLIP's class row last and goes on as if it came first (ggml-org/llama.cpp#25814); " +
        "with the rows in that order this engine answered as wllama does, word for word (Pocket LLaVA).",
    );
  }
  console.log(`\nLoad, once: ours ${ours.loadMs.toFixed(0)} ms, wllama ${wllama.loadMs.toFixed(0)}.`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, undefined, 1)}\n`);
} finally {
  await browser.close();
  await server.stop();
}
