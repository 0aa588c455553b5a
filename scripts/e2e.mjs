// npm run e2e: builds the app into dist-test (a running npm start keeps its dist) and runs the browser tests on it. Two files run at a
// time (E2E_WORKERS says how many), and then one by one the tests that measure.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled, root, runTool } from "./ensure.mjs";
import { browserTimes } from "./slowest.mjs";

/** { passed, failed, skipped, times } of the browser tests; `args` go to Playwright. */
export async function runE2e(chromium, args = []) {
  await buildInto("dist-test");
  const workers = Number(process.env.E2E_WORKERS ?? Math.min(2, availableParallelism()));
  if (workers === 1) return runTests("e2e", 1, chromium, args);
  const of = (project) => ["--project", project, "--pass-with-no-tests", ...args];
  const together = await runTests("e2e-together", workers, chromium, of("together"));
  const alone = await runTests("e2e-alone", 1, chromium, of("alone"));
  return {
    passed: together.passed + alone.passed,
    failed: together.failed + alone.failed,
    skipped: together.skipped + alone.skipped,
    times: [...together.times, ...alone.times],
  };
}

async function runTests(name, workers, chromium, args) {
  const file = join(root, ".cache", `${name}.json`);
  rmSync(file, { force: true });
  const status = runTool("@playwright/test", ["test", ...args], {
    CHROMIUM_PATH: chromium,
    E2E_PORT: String(await anyPort()),
    E2E_REPORT: file,
    E2E_WORKERS: String(workers),
  });
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, times: [] };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const { expected, unexpected, flaky, skipped } = report.stats;
  const failed = Math.max(unexpected + flaky, status === 0 ? 0 : 1);
  return { passed: expected, failed, skipped, times: browserTimes(report) };
}

function anyPort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "localhost", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  const { failed } = await runE2e(await findChromium(), process.argv.slice(2));
  process.exitCode = failed === 0 ? 0 : 1;
}
