// npm run bench: builds the app and measures it in a real browser; arguments go to the bench.
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled, runTool } from "./ensure.mjs";

await ensureInstalled();
const CHROMIUM_PATH = await findChromium();
await buildInto("dist-test");
process.exitCode = runTool("tsx", ["bench/main-thread.ts", ...process.argv.slice(2)], { CHROMIUM_PATH });
