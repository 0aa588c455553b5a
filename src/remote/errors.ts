// The closed set of things that can go wrong between the page and a server, and how an HTTP answer becomes one of them.
// Knows no sentence for people: the page has one per code.

/** Every code a RemoteError can carry; the page has a sentence with a next step for each. */
export const remoteErrorCodes = [
  "server-address", // what was typed is no address of a server
  "server-insecure", // plain http to another machine, which browsers (https page) or the page's own policy block
  "server-permission", // the user or the browser denied access to the local network
  "server-unreachable", // no connection, or (browsers don't tell which) no CORS headers
  "server-cors", // the server is there, but does not allow this page
  "server-key", // 401, 403
  "server-not-found", // nothing speaks the protocol at this address
  "server-empty", // the server has no models at all
  "server-model-gone", // the server no longer has the model
  "server-context", // the conversation is too long for the model
  "server-no-pictures", // the model takes no pictures
  "server-rejected", // another 4xx: the server says why
  "server-busy", // 429
  "server-failed", // 5xx, or an error object in the stream
  "server-broken-stream", // the answer broke off
  "server-wrong-answer", // an answer that is none: HTML, or JSON of another kind
] as const;

export type RemoteErrorCode = (typeof remoteErrorCodes)[number];

/** `message` is what the server said, shortened, or what happened; it never holds a key. */
export class RemoteError extends Error {
  readonly code: RemoteErrorCode;
  constructor(code: RemoteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = `RemoteError/${code}`;
  }
}

/** The error for an answer with this status, whose body says `said`; `asked` is what the request was for. */
export function errorForStatus(status: number, said: string, asked: "models" | "answer"): RemoteError {
  return new RemoteError(codeForStatus(status, said.toLowerCase(), asked), `HTTP ${status}: ${said}`);
}

function codeForStatus(status: number, said: string, asked: "models" | "answer"): RemoteErrorCode {
  if (status === 401 || status === 403) return "server-key";
  if (status === 429) return "server-busy";
  if (status === 404) return asked === "answer" && said.includes("model") ? "server-model-gone" : "server-not-found";
  return codeForWords(said) ?? (status >= 500 ? "server-failed" : "server-rejected");
}

/** What an error's words tell, whatever status or stream they came in; undefined when they tell nothing known. */
export function codeForWords(words: string): RemoteErrorCode | undefined {
  const said = words.toLowerCase();
  const says = (...patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(said));
  if (says(/context (length|size|window)/, /maximum (context|model) len/, /longer than the (model|maximum|context)/))
    return "server-context";
  if (says(/model\b.*\b(not found|does not exist|not exist)/)) return "server-model-gone";
  if (
    says(
      /not a multimodal/,
      /(image|vision|multimodal|mmproj).*\b(not|isn't|unsupported|only)\b/,
      /\b(not|only)\b.*\bimage/,
    )
  )
    return "server-no-pictures";
  return undefined;
}
