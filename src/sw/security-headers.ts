// The headers every response of the app carries, whoever sends it: the dev and preview servers, a host that reads `_headers`,
// or the service worker where a host sets none. Data only. Who may show the page inside another one is chosen when it is built:
// LLAVA_FRAME_ANCESTORS="https://a.example https://*.b.example" npm run build

/**
 * What a page and its workers may load: their own origin, and nothing else. Only what is fetched as data may come from elsewhere:
 * weights from hubs, answers from servers the user typed in. Which of these hosts are asked is decided where they are fetched
 * (src/remote/door.ts for servers); plain http is this machine's alone.
 */
const policy = {
  "default-src": "'self'",
  "script-src": "'self' 'wasm-unsafe-eval'",
  "worker-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self' blob: data:",
  "connect-src": "'self' blob: https: http://localhost:* http://127.0.0.1:*",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
};

/** A page of one's own, or of all hosts below a name, over TLS; plain http on this machine, for development. */
const ancestor = /^(https:\/\/(\*\.)?[a-z\d-]+(\.[a-z\d-]+)*(:\d+)?|http:\/\/(localhost|127\.0\.0\.1)(:(\d+|\*))?)$/i;

/**
 * Who may show this page inside theirs: pages of the same origin and the hosts named, separated by spaces. A page around it could lay
 * its own words over Send or over a key, so nobody else may. Throws where a name is none.
 */
function frameAncestors(hosts: string): readonly string[] {
  const named = hosts.split(/\s+/).filter((host) => host !== "");
  const odd = named.find((host) => !ancestor.test(host));
  if (odd !== undefined) throw new Error(`LLAVA_FRAME_ANCESTORS: “${odd}” is no origin such as https://a.example`);
  return ["'self'", ...named];
}

const join = (directives: Readonly<Record<string, string>>): string =>
  Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");

/**
 * Cross-origin isolation (threads) and the Content-Security-Policy; header names in lower case. `frameHosts` may show the page inside
 * theirs; the development server, which injects style elements and its reload script, loosens styles.
 */
export function securityHeadersFor(frameHosts: string, isDevelopment = false): Readonly<Record<string, string>> {
  const ancestors = frameAncestors(frameHosts);
  return {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    // An isolated page may show only what says that it may be shown.
    "cross-origin-resource-policy": ancestors.length > 1 ? "cross-origin" : "same-origin",
    "content-security-policy": join({
      ...policy,
      ...(isDevelopment ? { "style-src": "'self' 'unsafe-inline'" } : {}),
      "frame-ancestors": ancestors.join(" "),
    }),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };
}

/** Of a build that names no hosts. */
export const securityHeaders = securityHeadersFor("");
