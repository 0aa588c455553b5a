// The only function that sends anything to a server: to the server's own address, without cookies, following no redirect.
// Every failure on the way becomes a RemoteError, and the API key is redacted from every error message of the server.
import { createRedactor, type Redactor } from "./redact.ts";
import { errorForStatus, RemoteError, type Endpoint, type ServerMessage } from "./errors.ts";
import { cleanKey } from "./key.ts";
import { readMessageText, shorten } from "./server-message.ts";
import { isLocal, isLoopback, type Server } from "./server.ts";
import { withTimeout } from "./idle-timeout.ts";

export interface ServerRequest {
  readonly endpoint: Endpoint;
  /** Makes the request a POST of this value as JSON; without it the request is a GET. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

const paths: Readonly<Record<Endpoint, string>> = { models: "/models", answer: "/chat/completions" };

/** Options of every request: it carries no cookies and no referrer, and a redirect is an error. */
const fetchDefaults = {
  mode: "cors",
  credentials: "omit",
  redirect: "manual",
  referrerPolicy: "no-referrer",
  cache: "no-store",
} as const;

/** Resolves with a successful response, its body unread. Rejects with RemoteError, or with the signal's reason once it aborts. */
export async function fetchFromServer(server: Server, request: ServerRequest): Promise<Response> {
  const { endpoint, body, signal } = request;
  const key = cleanKey(server.key ?? "");
  const redactor = redactorFor(server);
  const headers: Record<string, string> = {};
  // Either header makes the browser send a CORS preflight first, so each is set only where it is needed.
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key !== "") headers["authorization"] = `Bearer ${key}`;
  let response: Response;
  try {
    response = await fetch(`${server.url}${paths[endpoint]}`, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
      ...fetchDefaults,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw await explainNoAnswer(server, Object.keys(headers).length > 0, redactor.text(String(error)));
  }
  if (response.ok) return response;
  // Browsers hide the status of a redirect (opaqueredirect); Node shows it.
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400))
    throw new RemoteError("server-redirect", "the server sends the page on to another address");
  const message = await readErrorBody(response, redactor);
  signal.throwIfAborted();
  throw errorForStatus(response.status, message, endpoint);
}

/** Redacts the server's key from everything that the server sends. Throws RemoteError when the key holds characters that no key has. */
export function redactorFor(server: Server): Redactor {
  return createRedactor(cleanKey(server.key ?? ""));
}

/** Characters of an error body that are read at most, and how long each read may take. */
const longestError = 2 ** 17;
const errorReadMs = 5000;

/** The message in an error body, or in the part of it that arrives. */
async function readErrorBody(response: Response, redactor: Redactor): Promise<ServerMessage> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  try {
    while (reader !== undefined && text.length < longestError) {
      const piece = await withTimeout(reader.read(), errorReadMs);
      if (piece === undefined || piece.done) break;
      text += decoder.decode(piece.value, { stream: true });
    }
  } catch {
    // The connection broke: the part that arrived may still hold the message.
  }
  reader?.cancel().catch(() => undefined);
  const message = readMessageText(text);
  return { text: shorten(redactor.text(message.text)), fields: message.fields };
}

/** Browsers only report that a request failed. This tries to find out why. */
async function explainNoAnswer(server: Server, withHeaders: boolean, why: string): Promise<RemoteError> {
  if (server.url.startsWith("http:") && !isLoopback(server.url)) return new RemoteError("server-insecure", why);
  if (isLocal(server.url) && (await isLocalNetworkDenied())) return new RemoteError("server-permission", why);
  if (withHeaders && (await answersWithoutHeaders(server))) return new RemoteError("server-cors", why);
  return new RemoteError("server-unreachable", why);
}

/** Pages on the Internet need a permission to reach this machine or its network; browsers have used three names for it. */
async function isLocalNetworkDenied(): Promise<boolean> {
  if (!("navigator" in globalThis) || !("permissions" in navigator)) return false;
  for (const name of ["local-network-access", "local-network", "loopback-network"]) {
    try {
      // TypeScript's PermissionName does not list these names yet, hence Reflect.
      const status: unknown = await Reflect.apply(Reflect.get(navigator.permissions, "query"), navigator.permissions, [
        { name },
      ]);
      if (status instanceof PermissionStatus && status.state === "denied") return true;
    } catch {
      // This browser does not know the permission, so it has not denied it.
    }
  }
  return false;
}

/**
 * Sends a plain GET, which needs no CORS preflight. If that succeeds, the server is there and only refuses the headers that this page has to
 * send. A request with mode "no-cors" would tell more, but browsers follow redirects with it.
 */
async function answersWithoutHeaders(server: Server): Promise<boolean> {
  // Node does not enforce CORS.
  if (!("isSecureContext" in globalThis)) return false;
  try {
    const response = await fetch(`${server.url}${paths.models}`, {
      ...fetchDefaults,
      signal: AbortSignal.timeout(5000),
    });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
