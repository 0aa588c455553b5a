// npm run dev: installs what is missing and serves the app with reload on change.
import { ensureInstalled, runTool } from "./ensure.mjs";

await ensureInstalled();
process.exitCode = runTool("vite", process.argv.slice(2));
