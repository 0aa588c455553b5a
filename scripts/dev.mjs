// npm run dev: installs what is missing and serves the app with reload on change.
import { ensureInstalled, registerServer, root } from "./ensure.mjs";

await ensureInstalled();
registerServer();
process.chdir(root);
const { createServer } = await import("vite");
const server = await createServer({ root });
await server.listen();
server.printUrls();
