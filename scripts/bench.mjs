// npm run bench [-- node|page …]: "node" (default) measures the engine beside transformers.js on this machine's CPU, "page" builds the app and
// measures it in a real browser; other arguments go to the bench.
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled, fail, runTool } from "./ensure.mjs";

const [, , kind = "node", ...others] = process.argv;
await ensureInstalled();
if (kind === "node") {
  process.exitCode = runTool("tsx", ["bench/node.ts", ...others]);
} else if (kind === "page") {
  const CHROMIUM_PATH = await findChromium();
  await buildInto("dist-test");
  process.exitCode = runTool("tsx", ["bench/main-thread.ts", ...others], { CHROMIUM_PATH });
} else {
  fail(`There is no bench "${kind}"; say node or page.`);
}
