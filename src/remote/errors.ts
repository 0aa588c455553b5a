// The closed set of things that can go wrong between the page and a server, and how what a server says becomes one of them.
// Knows no sentence for people: the page has one per code.

/** Every code a RemoteError can carry; the page has a sentence with a next step for each. */
export const remoteErrorCodes = [
  "server-address", // what was typed is no address of a server
  "server-insecure", // plain http to another machine, which browsers (https page) or the page's own policy block
  "server-permission", // the user or the browser denied access to the local network
  "server-unreachable", // no connection, or (browsers don't tell which) no CORS headers
  "server-cors", // the server is there, but does not allow this page to send what it has to
  "server-redirect", // the server sends the page on to another address, which it never follows
  "server-silent", // a connection, but nothing came over it for too long
  "server-key", // 401, 403
  "server-key-characters", // the key can't be sent: no key has such characters
  "server-not-found", // nothing speaks the protocol at this address, or the server has no list of models
  "server-empty", // the list of models is empty
  "server-model-gone", // the server no longer has the model
  "server-context", // the conversation is too long for the model
  "server-no-pictures", // the model takes no pictures
  "server-rejected", // another 4xx: the server says why
  "server-filtered", // a filter of the server withholds the answer, or the rest of it
  "server-tools", // the model wants to call a tool, and the page has none
  "server-busy", // 429, 402, or a model that is still being loaded
  "server-failed", // 5xx, or an error object in the stream
  "server-broken-stream", // the answer broke off
  "server-wrong-answer", // an answer that is none: HTML, or JSON of another kind
] as const;

export type RemoteErrorCode = (typeof remoteErrorCodes)[number];

export interface RemoteErrorOptions extends ErrorOptions {
  readonly said?: string | undefined;
  readonly about?: readonly string[] | undefined;
}

/** `message` is for developers. Neither it nor `said` ever holds a key. */
export class RemoteError extends Error {
  readonly code: RemoteErrorCode;
  /** What the server itself said, shortened; "" when it said nothing. */
  readonly said: string;
  /** The fields of the request that the server's error points at. */
  readonly about: readonly string[];
  constructor(code: RemoteErrorCode, message: string, { said = "", about = [], ...options }: RemoteErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.name = `RemoteError/${code}`;
    this.said = said;
    this.about = about;
  }
}

/** What a server said when something went wrong: its words, and the fields of the request that its error points at. */
export interface Said {
  readonly words: string;
  readonly about: readonly string[];
}

/** The error for an answer with this status; `asked` is what the request was for. */
export function errorForStatus(status: number, { words, about }: Said, asked: "models" | "answer"): RemoteError {
  const said = words === "" ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
  return new RemoteError(codeForStatus(status, words, asked), said, { said, about });
}

/** The error for words that came in place of an answer or in its middle, with no status to go by. */
export function errorForWords({ words, about }: Said): RemoteError {
  const code = codeForWords(words) ?? (aboutQuestion.test(words) ? "server-rejected" : "server-failed");
  return new RemoteError(code, words, { said: words, about });
}

/** What is said of something that was sent, not of the server itself. */
const aboutQuestion =
  /\btoo (large|big|many|long|small)\b|\binvalid\b|\bunsupported\b|\bmust be\b|\bnot (supported|allowed|permitted)\b/i;

function codeForStatus(status: number, words: string, asked: "models" | "answer"): RemoteErrorCode {
  const told = codeForWords(words);
  if (status === 401) return "server-key";
  if (status === 403) return told ?? (saysNothing(words) || aboutKeys.test(words) ? "server-key" : "server-rejected");
  if (status === 402 || status === 429) return told === "server-context" ? told : "server-busy";
  if (status === 404 || status === 405 || status === 410 || status === 501) {
    // A server may well do without a list of models.
    if (asked === "models") return "server-not-found";
    if (told !== undefined) return told;
    if (status === 404 && /model/i.test(words)) return "server-model-gone";
    // What else it says is about the question, not about the address.
    return saysNothing(words) ? "server-not-found" : status === 501 ? "server-failed" : "server-rejected";
  }
  return told ?? (status >= 500 ? "server-failed" : "server-rejected");
}

const aboutKeys = /\b(key|token|auth\w*|unauthori[sz]ed|credentials?|permissions?|access|forbidden|denied)\b/i;

/** Whether it is only what frameworks say by themselves when nothing is at an address. */
function saysNothing(words: string): boolean {
  return (
    words
      .toLowerCase()
      .replace(fillers, "")
      .replace(/[^\p{L}]/gu, "") === "" ||
    /cannot (get|post)\b|invalid url|nothing matches the given uri|requested (url|resource)|unknown (url|path|endpoint)/i.test(
      words,
    )
  );
}
const fillers =
  /\b(http|error|page|file|route|path|resource|url|endpoint|no|such|the|that|this|on|server|method|not|found|allowed|forbidden|implemented|gone|nginx|apache|openresty|cloudflare)\b/g;

/** Patterns in the order in which they are tried. */
const meanings: readonly (readonly [RemoteErrorCode, RegExp])[] = [
  [
    "server-context",
    /context[ _-]?(length|size|window)|maximum (context|model) len|longer than the (model|maximum|context)|(prompt|input|conversation|request) (is )?too long|too many (input |prompt )?tokens|reduce the length of|exceeds? .*\b(tokens|context)\b/i,
  ],
  [
    "server-filtered",
    /content[ _-](policy|filter\w*|management|moderation)|safety (system|filter|polic)|moderation|flagged/i,
  ],
  // Of a picture that is merely too large or unreadable the server's own words tell.
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

/** What an error's words tell, whatever status or stream they came in; undefined when they tell nothing known. */
export function codeForWords(words: string): RemoteErrorCode | undefined {
  return meanings.find(([, pattern]) => pattern.test(words))?.[0];
}
