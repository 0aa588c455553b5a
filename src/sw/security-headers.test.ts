import { expect, test } from "vitest";
import { securityHeaders, securityHeadersFor } from "./security-headers.ts";

/** Directive → its sources. */
function policyOf(headers: Readonly<Record<string, string>>): Map<string, string[]> {
  const directives = (headers["content-security-policy"] ?? "").split("; ").map((directive) => directive.split(" "));
  return new Map(directives.map(([name = "", ...sources]) => [name, sources]));
}

test("the page and its workers are isolated, which threads need", () => {
  expect(securityHeaders).toMatchObject({
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
  });
});

test("nothing may be loaded from another origin, and only data may be fetched: over TLS, or from this machine", () => {
  const policy = policyOf(securityHeaders);
  expect(policy.get("connect-src")).toEqual(["'self'", "blob:", "https:", "http://localhost:*", "http://127.0.0.1:*"]);
  policy.delete("connect-src");
  const own = new Set(["'self'", "'none'", "'wasm-unsafe-eval'", "blob:", "data:"]);
  for (const [directive, sources] of policy) {
    expect(sources, directive).not.toHaveLength(0);
    expect(
      sources.filter((source) => !own.has(source)),
      directive,
    ).toEqual([]);
  }
  expect(policy.get("default-src")).toEqual(["'self'"]);
  expect(policy.get("form-action")).toEqual(["'none'"]);
  expect(policy.get("base-uri")).toEqual(["'none'"]);
});

test("scripts come from files of ours: WebAssembly may compile, text may not become code", () => {
  const policy = policyOf(securityHeaders);
  expect(policy.get("script-src")).toEqual(["'self'", "'wasm-unsafe-eval'"]);
  expect(policy.get("worker-src")).toEqual(["'self'"]);
  expect(policy.get("object-src")).toEqual(["'none'"]);
  expect(policy.get("style-src")).toEqual(["'self'"]);
});

test("the development server loosens styles and nothing else", () => {
  const developmentHeaders = securityHeadersFor("", true);
  const [built, development] = [policyOf(securityHeaders), policyOf(developmentHeaders)];
  expect(development.get("style-src")).toEqual(["'self'", "'unsafe-inline'"]);
  development.set("style-src", built.get("style-src") ?? []);
  expect(development).toEqual(built);
  const { "content-security-policy": policy = "" } = developmentHeaders;
  expect({ ...securityHeaders, "content-security-policy": policy }).toEqual(developmentHeaders);
});

test("only pages of the same origin may show this one inside theirs, and the hosts that its builder names", () => {
  expect(policyOf(securityHeaders).get("frame-ancestors")).toEqual(["'self'"]);
  const shown = securityHeadersFor(" https://a.example  https://*.b.example:8443 http://localhost:* ");
  expect(policyOf(shown).get("frame-ancestors")).toEqual([
    "'self'",
    "https://a.example",
    "https://*.b.example:8443",
    "http://localhost:*",
  ]);
  // A page that is isolated itself can show it only so.
  expect(shown["cross-origin-resource-policy"]).toBe("cross-origin");
  const changed = ["content-security-policy", "cross-origin-resource-policy"];
  for (const [name, value] of Object.entries(securityHeaders))
    if (!changed.includes(name)) expect(shown[name]).toBe(value);
  for (const odd of [
    "*",
    "https:",
    "https://*",
    "http://a.example",
    "https://a.example; script-src *",
    "'none'",
    "a.example",
  ])
    expect(() => securityHeadersFor(odd), odd).toThrow(/LLAVA_FRAME_ANCESTORS/);
});

test("names are in lower case, so that no header is sent twice in two spellings", () => {
  for (const name of Object.keys(securityHeaders)) expect(name).toBe(name.toLowerCase());
});
