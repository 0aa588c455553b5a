// npm run e2e: builds the app into dist-test (a running npm start keeps its dist) and runs the browser tests on it.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled, root, runTool } from "./ensure.mjs";

/** { passed, failed, skipped } of the browser tests. */
export async function runE2e(args = []) {
  const CHROMIUM_PATH = await findChromium();
  buildInto("dist-test");
  const status = runTool("@playwright/test", ["test", ...args], { CHROMIUM_PATH, E2E_PORT: String(await anyPort()) });
  const { expected, unexpected, flaky, skipped } = JSON.parse(readFileSync(`${root}.cache/e2e.json`, "utf8")).stats;
  return { passed: expected, failed: Math.max(unexpected + flaky, status === 0 ? 0 : 1), skipped };
}

function anyPort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "localhost", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

if (process.argv[1]?.endsWith("e2e.mjs")) {
  await ensureInstalled();
  process.exitCode = (await runE2e(process.argv.slice(2))).failed === 0 ? 0 : 1;
}
