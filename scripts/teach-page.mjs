// npm run teach:page -- <folder>: builds the app and teaches the built-in model the pictures of the folder, a folder per name, in the page.
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./ensure.mjs";

await ensureInstalled();
await buildInto("dist-screenshots");
process.env.CHROMIUM_PATH = await findChromium();
const tsx = await import("tsx/esm/api");
tsx.register();
process.argv.splice(2, 0, "dist-screenshots");
await import("../e2e/support/teach-run.ts");
