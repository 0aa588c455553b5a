// The closed set of error codes for requests to a server, and how a status and an error message are mapped to one of them.
// Holds no text for users: the page has a sentence for each code.

/** Every code a RemoteError can carry; the page has a sentence with a next step for each. */
export const remoteErrorCodes = [
  "server-address", // the typed text is not the address of a server
  "server-insecure", // plain http to another machine, which browsers (https page) or the page's own policy block
  "server-permission", // the user or the browser denied access to the local network
  "server-unreachable", // no connection, or no CORS headers: browsers do not tell which
  "server-cors", // the server is there, but does not allow the headers that this page has to send
  "server-redirect", // the server answered with a redirect, which is never followed
  "server-silent", // connected, but no byte arrived for too long
  "server-key", // 401, 403
  "server-key-characters", // the key holds characters that cannot be sent in a header
  "server-not-found", // the address does not speak the protocol, or the server has no list of models
  "server-empty", // the list of models is empty
  "server-model-gone", // the server no longer has the model
  "server-context", // the conversation is too long for the model
  "server-no-pictures", // the model does not accept pictures
  "server-rejected", // any other 4xx; the server's message says why
  "server-filtered", // a content filter of the server withholds the answer or the rest of it
  "server-tools", // the model wants to call a tool; the page offers none
  "server-busy", // 429, 402, or the model is still being loaded
  "server-failed", // 5xx, or an error object in the stream
  "server-broken-stream", // the connection broke in the middle of the answer
  "server-wrong-answer", // not an answer of this protocol: HTML, or JSON of another kind
] as const;

export type RemoteErrorCode = (typeof remoteErrorCodes)[number];

export interface RemoteErrorOptions extends ErrorOptions {
  readonly serverMessage?: string | undefined;
  readonly fields?: readonly string[] | undefined;
}

/** `message` is for developers. Neither it nor `serverMessage` ever holds a key. */
export class RemoteError extends Error {
  readonly code: RemoteErrorCode;
  /** The server's own error message, shortened; "" when it sent none. */
  readonly serverMessage: string;
  /** The fields of the request that the server's error points at. */
  readonly fields: readonly string[];
  constructor(
    code: RemoteErrorCode,
    message: string,
    { serverMessage = "", fields = [], ...options }: RemoteErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.name = `RemoteError/${code}`;
    this.serverMessage = serverMessage;
    this.fields = fields;
  }
}

/** A server's error message: its text, and the fields of the request that it points at. */
export interface ServerMessage {
  readonly text: string;
  readonly fields: readonly string[];
}

/** What a request asks for: the list of models, or an answer. */
export type Endpoint = "models" | "answer";

/** The error for a response with this status. */
export function errorForStatus(status: number, { text, fields }: ServerMessage, endpoint: Endpoint): RemoteError {
  const serverMessage = text === "" ? `HTTP ${status}` : `HTTP ${status}: ${text}`;
  return new RemoteError(codeForStatus(status, text, endpoint), serverMessage, { serverMessage, fields });
}

/** The error for a message that came in place of an answer or within it, without a status to go by. */
export function errorForMessage({ text, fields }: ServerMessage): RemoteError {
  const code = codeForText(text) ?? (blamesRequest.test(text) ? "server-rejected" : "server-failed");
  return new RemoteError(code, text, { serverMessage: text, fields });
}

/** Messages that blame what was sent, not the server. */
const blamesRequest =
  /\btoo (large|big|many|long|small)\b|\binvalid\b|\bunsupported\b|\bmust be\b|\bnot (supported|allowed|permitted)\b/i;

function codeForStatus(status: number, text: string, endpoint: Endpoint): RemoteErrorCode {
  const fromText = codeForText(text);
  if (status === 401) return "server-key";
  if (status === 403) return fromText ?? (isGeneric(text) || aboutKeys.test(text) ? "server-key" : "server-rejected");
  if (status === 402 || status === 429) return fromText === "server-context" ? fromText : "server-busy";
  if (status === 404 || status === 405 || status === 410 || status === 501) {
    // Not every server has a list of models.
    if (endpoint === "models") return "server-not-found";
    if (fromText !== undefined) return fromText;
    if (status === 404 && /model/i.test(text)) return "server-model-gone";
    // A specific message is about the request, not about the address.
    return isGeneric(text) ? "server-not-found" : status === 501 ? "server-failed" : "server-rejected";
  }
  return fromText ?? (status >= 500 ? "server-failed" : "server-rejected");
}

const aboutKeys = /\b(key|token|auth\w*|unauthori[sz]ed|credentials?|permissions?|access|forbidden|denied)\b/i;

/** Whether the text is only what web frameworks send by themselves when nothing is at an address. */
function isGeneric(text: string): boolean {
  return (
    text
      .toLowerCase()
      .replace(fillers, "")
      .replace(/[^\p{L}]/gu, "") === "" ||
    /cannot (get|post)\b|invalid url|nothing matches the given uri|requested (url|resource)|unknown (url|path|endpoint)/i.test(
      text,
    )
  );
}
const fillers =
  /\b(http|error|page|file|route|path|resource|url|endpoint|no|such|the|that|this|on|server|method|not|found|allowed|forbidden|implemented|gone|nginx|apache|openresty|cloudflare)\b/g;

/** Tried in this order. */
const patterns: readonly (readonly [RemoteErrorCode, RegExp])[] = [
  [
    "server-context",
    /context[ _-]?(length|size|window)|maximum (context|model) len|longer than the (model|maximum|context)|(prompt|input|conversation|request) (is )?too long|too many (input |prompt )?tokens|reduce the length of|exceeds? .*\b(tokens|context)\b/i,
  ],
  [
    "server-filtered",
    /content[ _-](policy|filter\w*|management|moderation)|safety (system|filter|polic)|moderation|flagged/i,
  ],
  // A picture that is merely too large or unreadable is left to the server's own message.
  [
    "server-no-pictures",
    /not a (multimodal|vision)|mmproj|text[- ]only|only (supports? )?text|unknown (variant|part|content type|type)\W+`?(image|image_url)\b|(does not|doesn't|cannot|can't|don't|do not) (support|accept|process|handle|take|allow|understand|see)\b[^.]*\b(images?|pictures?|vision|multimodal|image_url)\b|\b(images?|pictures?|vision|multimodal|image_url|image input)\b( input| content| data)?s?\W+(is|are)( currently)?( not|n't| only) (supported|allowed|available|enabled|accepted|permitted)|\bno\b[^.]*\bsupport\w* (image|vision|multimodal)|unsupported (content )?(part|type)\W+`?image_url|content\b[^.]*\b(must be|should be|expected|is not)( a| of)?( valid)?( type)? str/i,
  ],
  [
    "server-model-gone",
    /model\b.*\b(not found|does not exist|not exist|not available)|(unknown|no such|invalid) model|model_not_found|not a valid model/i,
  ],
  [
    "server-busy",
    /rate[ _-]?limit|overloaded|too many requests|loading (the )?model|model is (still |currently )?(loading|being loaded)|insufficient[ _]quota|exceeded your[^.]*quota|at capacity/i,
  ],
];

/** The code that a message's text implies, whatever status or stream it came in; undefined when no pattern matches. */
function codeForText(text: string): RemoteErrorCode | undefined {
  return patterns.find(([, pattern]) => pattern.test(text))?.[0];
}
