// The headers every response of the app carries, whoever sends it: the dev and preview servers, a host that reads `_headers`,
// or the service worker where a host sets none. Data only.

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

const join = (directives: Readonly<Record<string, string>>): string =>
  Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");

/** Cross-origin isolation (threads) and the Content-Security-Policy; header names in lower case. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": join(policy),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** The same for the development server, which injects style elements and its reload script. */
export const developmentHeaders: Readonly<Record<string, string>> = {
  ...securityHeaders,
  "content-security-policy": join({
    ...policy,
    "style-src": "'self' 'unsafe-inline'",
  }),
};
