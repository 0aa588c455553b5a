// The one door through which anything goes to a server: only to the server's own address, without cookies, never along a redirect.
// Turns everything that can go wrong on the way into a RemoteError, and takes the key out of whatever a server says.
import { errorForStatus, RemoteError } from "./errors.ts";
import { isLoopback, type Server } from "./server.ts";

/** `asked` is what for; `body` makes it a POST of JSON. Rejects with RemoteError, or an AbortError when the signal says so. */
export interface DoorRequest {
  readonly asked: "models" | "answer";
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

const paths = { models: "/models", answer: "/chat/completions" };

/** A good answer of the server, its body unread. */
export async function askServer(server: Server, request: DoorRequest): Promise<Response> {
  const { asked, body, signal } = request;
  const headers: Record<string, string> = {};
  // Both make the browser ask the server first; without them the list of models needs no second request.
  if (body !== undefined) headers["content-type"] = "application/json";
  if (server.key !== undefined && server.key !== "") headers["authorization"] = `Bearer ${server.key}`;
  let response: Response;
  try {
    response = await fetch(`${server.url}${paths[asked]}`, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
      mode: "cors",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      cache: "no-store",
    });
  } catch (error) {
    signal.throwIfAborted();
    throw await explainNoAnswer(server, error);
  }
  if (response.ok) return response;
  const said = await readError(response).catch(() => "");
  signal.throwIfAborted();
  throw errorForStatus(response.status, withoutKey(server, said), asked);
}

/** Words of a server with the key blotted out: some say in an error what they were sent. */
export function withoutKey(server: Server, words: string): string {
  const { key } = server;
  return key === undefined || key === "" ? words : words.replaceAll(key, "…");
}

/** What an error's JSON says, in the spellings of the servers: `error.message`, `error`, `message`, `detail`. */
export function readErrorMessage(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  for (const name of ["error", "message", "detail"]) {
    const message = readErrorMessage(fields[name]);
    if (message !== undefined) return message;
  }
  return undefined;
}

const longestMessage = 400;

async function readError(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (readErrorMessage(JSON.parse(text)) ?? text).slice(0, longestMessage);
  } catch {
    // A page of HTML says nothing worth showing.
    return /^\s*</.test(text) ? response.statusText : text.slice(0, longestMessage);
  }
}

/** Browsers say only that there was no answer; what can be found out about why is found out here. */
async function explainNoAnswer(server: Server, cause: unknown): Promise<RemoteError> {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (server.url.startsWith("http:") && !isLoopback(server.url))
    return new RemoteError("server-insecure", why, { cause });
  if (await isLocalNetworkDenied()) return new RemoteError("server-permission", why, { cause });
  if (await answersWithoutCors(server)) return new RemoteError("server-cors", why, { cause });
  return new RemoteError("server-unreachable", why, { cause });
}

/** A page on the Internet needs leave to reach this machine or its network; browsers have called it by three names. */
async function isLocalNetworkDenied(): Promise<boolean> {
  if (!("navigator" in globalThis) || !("permissions" in navigator)) return false;
  for (const name of ["local-network-access", "local-network", "loopback-network"]) {
    try {
      // The compiler's list of names does not hold these yet.
      const status: unknown = await Reflect.apply(Reflect.get(navigator.permissions, "query"), navigator.permissions, [
        { name },
      ]);
      if (status instanceof PermissionStatus && status.state === "denied") return true;
    } catch {
      // A browser without this permission denies nothing by it.
    }
  }
  return false;
}

/** Asks once more in a way that needs no CORS and shows nothing of the answer: if that arrives, only CORS was missing. */
async function answersWithoutCors(server: Server): Promise<boolean> {
  // Node has no CORS to be missing.
  if (!("isSecureContext" in globalThis)) return false;
  try {
    await fetch(`${server.url}${paths.models}`, {
      mode: "no-cors",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    return true;
  } catch {
    return false;
  }
}
