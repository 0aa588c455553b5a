// For tests: a real HTTP server on a free port of localhost, with the handler that a test needs.
import { createServer, type RequestListener } from "node:http";

export interface TestServer {
  /** Without a trailing slash. */
  readonly origin: string;
  /** Closes open connections, too; does nothing when the server has stopped already. */
  readonly stop: () => Promise<void>;
}

/** Resolves when the server listens; stop it after the test. */
export async function startTestServer(handler: RequestListener, host = "localhost"): Promise<TestServer> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    origin: `http://${host}:${address.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
