// A server as the user gives it, and the models it offers. Parses what people type; knows no storage and fetches nothing.
import { RemoteError } from "./errors.ts";

/** `url` is the address of the API, such as "https://gpu.example/v1", without a slash at its end. `key` never leaves but to it. */
export interface Server {
  readonly url: string;
  readonly key?: string | undefined;
}

/** Which program answers, as far as it tells: it decides which sampling options can be sent. */
export type ServerKind = "vllm" | "sglang" | "llama.cpp" | "ollama" | "other";

export interface ServerModel {
  readonly id: string;
  readonly kind: ServerKind;
  /** In tokens; absent when the server does not tell. */
  readonly contextLength?: number | undefined;
  /** Named by the user, because the server has no list that could name it. */
  readonly typed?: true;
}

/** Host and port: where pictures and words go. */
export function hostOf(server: Pick<Server, "url">): string {
  return new URL(server.url).host;
}

const loopback = /^(localhost|127\.0\.0\.1)$/;

/** Whether the address is on this machine, in a spelling that the page's policy allows in plain http. */
export function isLoopback(url: string): boolean {
  return loopback.test(new URL(url).hostname);
}

/** Whether host (with or without a port) is this machine, in any spelling. What answers there may still lead on to another. */
export function isThisMachine(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|\[::\])\.?$/.test(name);
}

/** Whether the address is on this machine or in its network: browsers let pages of the Internet reach these only with leave. */
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
      // Addresses that providers share out, Tailscale's among them.
      (first === 100 && second >= 64 && second < 128)
    );
  }
  if (hostname.startsWith("[")) return /^\[(f[cd]|fe[89ab])/i.test(hostname);
  // A name without a dot is known to the own network only.
  return (
    !hostname.replace(/\.$/, "").includes(".") || /\.(local|lan|home|internal|intranet|home\.arpa)\.?$/i.test(hostname)
  );
}

/**
 * The API's address from what was typed: "localhost:8000", "https://gpu.example", the full path of an endpoint. Throws
 * RemoteError "server-address", or "server-insecure" for plain http to another machine.
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
  // Fetching such an address fails, and it would show a password wherever the address is shown.
  if (url.username !== "" || url.password !== "")
    throw new RemoteError("server-address", "a name or password does not belong into the address");
  // Spellings of this machine that the page's policy can't name.
  if (/^(\[::1\]|0\.0\.0\.0|.+\.localhost)$/.test(url.hostname) && url.protocol === "http:") url.hostname = "localhost";
  if (url.protocol === "http:" && !loopback.test(url.hostname))
    throw new RemoteError("server-insecure", `${url.host} is another machine and would be reached by plain http`);
  const path = url.pathname.replace(/\/+$/, "").replace(/\/(chat\/completions|completions|models)$/, "");
  return `${url.origin}${path === "" ? "/v1" : path}`;
}
