// The one door through which anything goes to a server: only to the server's own address, without cookies, never along a redirect.
// Turns everything that can go wrong on the way into a RemoteError, and takes the key out of whatever a server says.
import { createBlotter, type Blotter } from "#remote/stream/blot.ts";
import { errorForStatus, RemoteError, type Said } from "./errors.ts";
import { cleanKey } from "./key.ts";
import { readSaidText, shorten } from "#remote/stream/said.ts";
import { isLocal, isLoopback, type Server } from "./server.ts";
import { raced } from "#remote/stream/silence.ts";

/** `asked` is what for; `body` makes it a POST of JSON. Rejects with RemoteError, or an AbortError when the signal says so. */
export interface DoorRequest {
  readonly asked: "models" | "answer";
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

const paths = { models: "/models", answer: "/chat/completions" };

/** How every request goes: nothing of the page or of its visitor goes with it, and nothing leads it elsewhere. */
const manners = {
  mode: "cors",
  credentials: "omit",
  redirect: "manual",
  referrerPolicy: "no-referrer",
  cache: "no-store",
} as const;

/** A good answer of the server, its body unread. */
export async function askServer(server: Server, request: DoorRequest): Promise<Response> {
  const { asked, body, signal } = request;
  const key = cleanKey(server.key ?? "");
  const blotter = blotterOf(server);
  const headers: Record<string, string> = {};
  // Both make the browser ask the server first; without them the list of models needs no second request.
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key !== "") headers["authorization"] = `Bearer ${key}`;
  let response: Response;
  try {
    response = await fetch(`${server.url}${paths[asked]}`, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
      ...manners,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw await explainNoAnswer(server, Object.keys(headers).length > 0, blotter.text(String(error)));
  }
  if (response.ok) return response;
  // Browsers show nothing of where a redirect leads; Node shows its status.
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400))
    throw new RemoteError("server-redirect", "the server sends the page on to another address");
  const said = await readError(response, blotter);
  signal.throwIfAborted();
  throw errorForStatus(response.status, said, asked);
}

/** For all words of this server. Throws RemoteError where the key can't be one. */
export function blotterOf(server: Server): Blotter {
  return createBlotter(cleanKey(server.key ?? ""));
}

/** More of an error's body, or later, says nothing more. */
const longestError = 2 ** 17;
const errorMs = 5000;

/** The words of an error's body, as far as they come. */
async function readError(response: Response, blotter: Blotter): Promise<Said> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  try {
    while (reader !== undefined && text.length < longestError) {
      const piece = await raced(reader.read(), errorMs);
      if (piece === undefined || piece.done) break;
      text += decoder.decode(piece.value, { stream: true });
    }
  } catch {
    // The connection broke; the words that came are better than none.
  }
  reader?.cancel().catch(() => undefined);
  const { words, about } = readSaidText(text);
  return { words: shorten(blotter.text(words)), about };
}

/** Browsers say only that there was no answer; what can be found out about why is found out here. */
async function explainNoAnswer(server: Server, withHeaders: boolean, why: string): Promise<RemoteError> {
  if (server.url.startsWith("http:") && !isLoopback(server.url)) return new RemoteError("server-insecure", why);
  if (isLocal(server.url) && (await isLocalNetworkDenied())) return new RemoteError("server-permission", why);
  if (withHeaders && (await answersWithoutHeaders(server))) return new RemoteError("server-cors", why);
  return new RemoteError("server-unreachable", why);
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

/**
 * Asks once more in the plainest way, for which a browser needs no leave beforehand: if that is answered, the server is there and only
 * does not let this page send a key or JSON. A request without CORS would tell more, but browsers follow redirects with it.
 */
async function answersWithoutHeaders(server: Server): Promise<boolean> {
  // Node has no CORS to be missing.
  if (!("isSecureContext" in globalThis)) return false;
  try {
    const response = await fetch(`${server.url}${paths.models}`, { ...manners, signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
