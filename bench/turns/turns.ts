// npm run bench -- turns [--json <file>]: what a hundred turns with pictures leave behind, in headless Chromium on WASM and in Node. After the last turn
// memory should be within 5 % of what it was after the tenth.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine } from "#engine/engine.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { runtimePath } from "#sw/runtime-cache.ts";
import { securityHeaders } from "#sw/security-headers.ts";
import { parseManifest } from "#weights/manifest.ts";
import { bundle } from "../../e2e/support/bundle.ts";
import { engineSystem } from "../systems/ours.ts";
import { serveBench } from "../serve.ts";
import type { Held } from "./turns-page.ts";

const { values } = parseArgs({
  options: { dist: { type: "string", default: "dist-test" }, json: { type: "string" } },
});
const marks = [10, 25, 50, 75, 100];

async function inChromium(): Promise<Held[]> {
  const server = await serveBench({
    dist: values.dist,
    headers: securityHeaders,
    own: {
      "turns.html": {
        type: "text/html",
        text: '<!doctype html><title>turns</title><body></body><script type="module" src="turns.js"></script>',
      },
      "turns.js": {
        type: "text/javascript",
        text: await bundle(fileURLToPath(new URL("turns-page.ts", import.meta.url))),
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
    await page.goto(`${server.url}turns.html`);
    await page.waitForFunction(() => document.body.textContent === "ready");
    return await page.evaluate((request) => window.runTurns(request), {
      worker: `assets/${worker}`,
      packageUrl: "models/pocket-llava/",
      runtimeUrl: runtimePath,
      picture: "examples/pets.png",
      marks,
    });
  } finally {
    await browser.close();
    await server.stop();
  }
}

interface HeldInNode {
  readonly turns: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly tensors: number;
}

async function inNode(): Promise<HeldInNode[]> {
  const folder = "public/models/pocket-llava";
  const parsed = parseManifest(JSON.parse(await readFile(`${folder}/manifest.json`, "utf8")));
  if (!parsed.ok) throw new Error(parsed.problem);
  const runtime = createNodeRuntime();
  const engine = await createEngine({ runtime, files: packageFolder(folder), info: parsed.manifest, decodeImage });
  const ask = engineSystem(engine, 24);
  const pets = await readFile("public/examples/pets.png");
  const held: HeldInNode[] = [];
  for (let turn = 1; turn <= Math.max(...marks); turn++) {
    const image = { type: "image", blob: new Blob([pets, `#${turn}`]) } as const;
    await ask([{ role: "user", parts: [image, { type: "text", text: "Describe the picture." }] }]);
    if (!marks.includes(turn)) continue;
    globalThis.gc?.(); // where Node runs with --expose-gc
    const { rss, heapUsed } = process.memoryUsage();
    held.push({ turns: turn, rssBytes: rss, heapBytes: heapUsed, tensors: runtime.aliveTensors });
  }
  await engine.dispose();
  return held;
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const report = { chromium: await inChromium(), node: await inNode() };
console.log(
  "\n| Turns | Chromium, all, MiB | of it WASM | Node, RSS, MiB | JS heap | tensors |\n| --- | --- | --- | --- | --- | --- |",
);
for (const [i, { turns, bytes, wasmBytes }] of report.chromium.entries()) {
  const node = report.node[i];
  console.log(
    `| ${turns} | ${mebibytes(bytes)} | ${mebibytes(wasmBytes)} | ${mebibytes(node?.rssBytes ?? NaN)} | ${mebibytes(node?.heapBytes ?? NaN)} | ${node?.tensors ?? ""} |`,
  );
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, undefined, 1)}\n`);
