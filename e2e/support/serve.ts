// Serves a built app with the app's own headers until it is ended: `serve.ts <folder> <port> [compress]`.
import { securityHeaders } from "#sw/security-headers.ts";
import { serveStatic } from "./static-server.ts";

const [folder = "dist-test", port = "4318", compress] = process.argv.slice(2);
const server = await serveStatic({
  folder,
  port: Number(port),
  headers: securityHeaders,
  compress: compress === "compress",
});
console.log(server.url);
