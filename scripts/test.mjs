// npm test: types, lint, format, unit and model tests, browser tests; names the slowest of them. --long runs the long counts as well.
// The last line is "N passed, N failed"; the exit code is 0 when nothing failed.
import { runChecks } from "./check.mjs";
import { findChromium } from "./chromium.mjs";
import { runE2eBrowsers } from "./e2e-browsers.mjs";
import { runE2e } from "./e2e.mjs";
import { ensureInstalled } from "./ensure.mjs";
import { runLighthouse } from "./lighthouse.mjs";
import { slowestLines } from "./slowest.mjs";
import { runUnitTests } from "./unit.mjs";

if (process.argv.includes("--long")) process.env.LLAVA_LONG_TESTS = "1";
await ensureInstalled();
// First, because without one the rest would be run for nothing.
const chromium = await findChromium();
const startedAt = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const slowest = [];

// Lint takes longer than the other checks together: the unit tests begin while it goes on.
let startUnitTests;
const isFree = new Promise((resolve) => (startUnitTests = resolve));
const checks = section("Types, lint, format", () => runChecks([], startUnitTests));
await isFree;
await Promise.all([checks, section("Unit and model tests", runUnitTests)]);
await section("Browser tests", () => runE2e(chromium));
if (process.argv.includes("--long")) {
  await section("Firefox and WebKit", () => runE2eBrowsers());
  await section("Lighthouse", () => runLighthouse(chromium));
}

for (const line of slowest) console.log(line);
console.log(`\nAfter the install it took ${secondsSince(startedAt)} s; ${total.skipped} tests were skipped.`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function section(title, run) {
  console.log(`\n== ${title}`);
  const sectionAt = Date.now();
  const { passed, failed, skipped, times } = await run();
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  console.log(`== ${title}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${secondsSince(sectionAt)} s`);
  if (times?.length > 0) slowest.push(`\nSlowest of ${title.toLowerCase()}:`, ...slowestLines(times));
}

function secondsSince(time) {
  return Math.round((Date.now() - time) / 1000);
}
