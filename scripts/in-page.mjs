// npm run screenshots, photographs, teach:page: builds the app and runs what is named first, a file of e2e/support that opens the built page,
// with the rest as its parameters.
import { buildInto } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { ensureInstalled } from "./ensure.mjs";

const [file] = process.argv.splice(2, 1, "dist-screenshots");
await ensureInstalled();
await buildInto("dist-screenshots");
process.env.CHROMIUM_PATH = await findChromium();
const tsx = await import("tsx/esm/api");
tsx.register();
await import(new URL(`../${file}`, import.meta.url).href);
