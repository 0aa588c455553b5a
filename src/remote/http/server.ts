// Types of a server and its models, and the parsing and classification of server addresses. Fetches and stores nothing.
import { RemoteError } from "./errors.ts";

export interface Server {
  /** The API's base URL, such as "https://gpu.example/v1", without a trailing slash. */
  readonly url: string;
  /** Sent to this server only. */
  readonly key?: string | undefined;
}

/** The program behind the API, as far as it says so. It decides which sampling options can be sent. */
export type ServerKind = "vllm" | "sglang" | "llama.cpp" | "ollama" | "other";

export interface ServerModel {
  readonly id: string;
  readonly kind: ServerKind;
  /** In tokens; absent when the server does not report it. */
  readonly contextLength?: number | undefined;
  /** Typed in by the user, because the server does not list it. */
  readonly typed?: true;
}

/** Host and port. */
export function hostOf(server: Pick<Server, "url">): string {
  return new URL(server.url).host;
}

const loopback = /^(localhost|127\.0\.0\.1)$/;

/** Whether the address is on this machine, in a spelling that the page's content security policy allows over plain http. */
export function isLoopback(url: string): boolean {
  return loopback.test(new URL(url).hostname);
}

/** Whether the host (with or without a port) is this machine, in any spelling. It may still be a tunnel to another machine. */
export function isThisMachine(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|\[::\])\.?$/.test(name);
}

/** Whether the address is on this machine or in its local network, which pages on the Internet may reach only with a permission. */
export function isLocal(url: string): boolean {
  const { host, hostname } = new URL(url);
  if (isThisMachine(host)) return true;
  const address = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(hostname)?.slice(1).map(Number);
  if (address !== undefined) {
    const [first = 0, second = 0] = address;
    return (
      first === 10 ||
      (first === 172 && second >= 16 && second < 32) ||
      (first === 192 && second === 168) ||
      (first === 169 && second === 254) ||
      // 100.64.0.0/10, shared address space (RFC 6598); Tailscale uses it.
      (first === 100 && second >= 64 && second < 128)
    );
  }
  if (hostname.startsWith("[")) return /^\[(f[cd]|fe[89ab])/i.test(hostname);
  // A name without a dot exists in the local network only.
  return (
    !hostname.replace(/\.$/, "").includes(".") || /\.(local|lan|home|internal|intranet|home\.arpa)\.?$/i.test(hostname)
  );
}

/**
 * The API's base URL from what was typed: "localhost:8000", "https://gpu.example", or the full URL of an endpoint. Throws RemoteError
 * "server-address", or "server-insecure" for plain http to another machine.
 */
export function parseServerUrl(typed: string): string {
  const text = typed.trim();
  const bare = !/^[a-z][a-z\d+.-]*:\/\//i.test(text);
  const scheme = /^(localhost|127\.0\.0\.1)([:/]|$)/i.test(text) ? "http" : "https";
  let url: URL;
  try {
    url = new URL(bare ? `${scheme}://${text}` : text);
  } catch (error) {
    throw new RemoteError("server-address", "this is no address", { cause: error });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new RemoteError("server-address", `${url.protocol} is neither http: nor https:`);
  // fetch rejects such a URL, and the password would show wherever the address does.
  if (url.username !== "" || url.password !== "")
    throw new RemoteError("server-address", "a name or password does not belong into the address");
  // Spellings of this machine that a content security policy cannot express.
  if (/^(\[::1\]|0\.0\.0\.0|.+\.localhost)$/.test(url.hostname) && url.protocol === "http:") url.hostname = "localhost";
  if (url.protocol === "http:" && !loopback.test(url.hostname))
    throw new RemoteError("server-insecure", `${url.host} is another machine and would be reached by plain http`);
  const path = url.pathname.replace(/\/+$/, "").replace(/\/(chat\/completions|completions|models)$/, "");
  return `${url.origin}${path === "" ? "/v1" : path}`;
}
