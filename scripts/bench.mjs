// npm run bench [-- [kind] [options]]. Without a kind: Node, then the page /bench in headless Chromium on WASM, wllama, and with small counts the page on
// WebGPU (the software adapter where there is no GPU). --json [folder] keeps what all of them found there (bench-results), with the page's picture;
// --quick measures less. Kinds: "node", "eval" (a benchmark's questions per second), "browser", "wllama", "turns" (what a hundred leave behind), "load" (a warm load), "page" (how smooth the
// app is), "hostile" (answers made to hang it), "shapes" (makes a package of real size), "road" (converting while downloading), "gguf" (a real GGUF file beside
// llama.cpp); other arguments go to the bench.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled, fail, root, runTool } from "./ensure.mjs";

const [, , ...given] = process.argv;
const kind = given[0]?.startsWith("--") === false ? given.shift() : undefined;
const files = {
  node: "bench/node.ts",
  eval: "bench/eval.ts",
  browser: "bench/browser.ts",
  page: "bench/main-thread.ts",
  wllama: "bench/systems/wllama.ts",
  turns: "bench/turns/turns.ts",
  load: "bench/load/load.ts",
  shapes: "bench/weights/shapes.ts",
  road: "bench/weights/road.ts",
  hostile: "bench/hostile.ts",
  gguf: "bench/gguf/smollm.ts",
};
await ensureInstalled();

const run = async (kind, options) => {
  const needsPage = kind !== "road" || options.includes("--page");
  if (["node", "eval", "shapes"].includes(kind) || !needsPage) return runTool("tsx", [files[kind], ...options]);
  const CHROMIUM_PATH = await findChromium();
  if (kind !== "gguf") await buildInto("dist-test");
  return runTool("tsx", [files[kind], ...options], { CHROMIUM_PATH });
};

if (kind !== undefined) {
  if (!(kind in files)) fail(`There is no bench "${kind}"; say ${Object.keys(files).join(", ")}, or nothing for all.`);
  process.exitCode = await run(kind, given);
} else {
  const at = given.indexOf("--json");
  const named = given[at + 1];
  const folder =
    at < 0 ? undefined : resolve(root, named === undefined || named.startsWith("--") ? "bench-results" : named);
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const kept = (name) => (folder === undefined ? [] : ["--json", join(folder, `${name}.json`)]);
  const picture = (name) => (folder === undefined ? [] : ["--picture", join(folder, `${name}.png`)]);
  const quick = given.includes("--quick");
  const [pairs, contexts] = quick ? ["2", "256,1024"] : ["7", "256,1024,2048,4096"];
  const all = [
    ["node", ["--pairs", pairs, "--contexts", contexts, ...kept("node")]],
    [
      "browser",
      ["--device", "wasm", "--pairs", quick ? "2" : "5", "--contexts", contexts, ...kept("wasm"), ...picture("wasm")],
    ],
    ["wllama", ["--pairs", quick ? "2" : "3", "--contexts", "256,1024", ...kept("wllama")]],
    [
      "browser",
      [..."--device webgpu --pairs 1 --contexts 0 --tokens 6".split(" "), ...kept("webgpu"), ...picture("webgpu")],
    ],
  ];
  for (const [kind, options] of all) process.exitCode ||= await run(kind, options);
  if (folder !== undefined) console.log(`\nKept in ${folder}.`);
}
