// npm run screenshots: builds the app and writes a picture of every view to screenshots/, to be looked at.
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./ensure.mjs";

await ensureInstalled();
await buildInto("dist-screenshots");
process.env.CHROMIUM_PATH = await findChromium();
const tsx = await import("tsx/esm/api");
tsx.register();
process.argv.splice(2, 0, "dist-screenshots");
await import("../e2e/support/screenshots.ts");
