// The security headers of every response of the app, sent by the dev and preview servers, by a host that reads `_headers`, or added by the
// service worker. Data only. Which other sites may frame the page is chosen when it is built:
// LLAVA_FRAME_ANCESTORS="https://a.example https://*.b.example" npm run build

/**
 * The content security policy: code, styles and pictures come from the app's own origin only. Data may come from other hosts (weights from
 * hubs, answers from servers that the user entered); which hosts are contacted is decided where they are fetched (src/remote/http/http.ts
 * for servers). Plain http is allowed on this machine only.
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

/** An https origin, also with a wildcard for subdomains; plain http on this machine only, for development. */
const ancestor = /^(https:\/\/(\*\.)?[a-z\d-]+(\.[a-z\d-]+)*(:\d+)?|http:\/\/(localhost|127\.0\.0\.1)(:(\d+|\*))?)$/i;

/**
 * The origins that may frame this page: its own and the given ones, separated by spaces. No others, because a framing page could place its
 * own content over a button or a key. Throws where one is not an origin.
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
 * Headers for cross-origin isolation (threads) and the Content-Security-Policy, with names in lower case. `frameHosts` are the origins that
 * may frame the page. In development inline styles are allowed, because the dev server injects them.
 */
export function securityHeadersFor(frameHosts: string, isDevelopment = false): Readonly<Record<string, string>> {
  const ancestors = frameAncestors(frameHosts);
  return {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    // A cross-origin isolated page can only frame pages that send this header.
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

/** The headers of a build that no other site may frame. */
export const securityHeaders = securityHeadersFor("");
