// npm run bench [-- node|browser|page …]: "node" (default) measures the engine beside transformers.js on this machine's CPU, "browser" builds the app and
// does the same on its page /bench, "page" measures how smooth the app is; other arguments go to the bench.
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled, fail, runTool } from "./ensure.mjs";

const [, , kind = "node", ...others] = process.argv;
await ensureInstalled();
if (kind === "node") {
  process.exitCode = runTool("tsx", ["bench/node.ts", ...others]);
} else if (kind === "page" || kind === "browser") {
  const CHROMIUM_PATH = await findChromium();
  await buildInto("dist-test");
  process.exitCode = runTool("tsx", [`bench/${kind === "page" ? "main-thread" : "browser"}.ts`, ...others], {
    CHROMIUM_PATH,
  });
} else {
  fail(`There is no bench "${kind}"; say node, browser or page.`);
}
