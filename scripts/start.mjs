// npm start: installs what is missing, builds the app and serves it on localhost. PORT chooses the port.
import { createServer } from "node:net";
import { buildInto } from "./build.mjs";
import { ensureInstalled, registerServer, root } from "./ensure.mjs";

await ensureInstalled();
registerServer();
await buildInto("dist");
process.chdir(root);
const { preview } = await import("vite");
const port = await freePort(Number(process.env.PORT ?? 4173));
const server = await preview({ root, preview: { port, strictPort: true, open: false } });
console.log(`\nllava-web is ready: ${server.resolvedUrls?.local[0] ?? `http://localhost:${port}/`}\nCtrl+C ends it.`);

/** The port that was asked for, or the next one that is free. */
async function freePort(wanted) {
  for (let port = wanted; ; port++) {
    const free = await new Promise((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen(port, "localhost", () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
