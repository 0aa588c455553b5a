// Runs a TypeScript entry in this process: `node scripts/run.mjs src/cli/main.ts --help`. Arguments, signals and exit code are its own.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Whatever the entry is: ONNX Runtime must not report its use (src/engine/runtime/no-telemetry.node.ts says more).
process.env.ORT_DISABLE_TELEMETRY = "1";

const [entry] = process.argv.slice(2);
if (entry === undefined) {
  console.error("usage: node scripts/run.mjs <entry.ts> [arguments]");
  process.exit(2);
}
const { bundled } = await import("./bundled.mjs");
const module = await bundled(resolve(entry));
if (!module) {
  console.error("The packages are not installed yet: run `npm install` first.");
  process.exit(1);
}
process.setSourceMapsEnabled(true);
process.argv.splice(1, 2, resolve(entry));
await import(pathToFileURL(module).href);
