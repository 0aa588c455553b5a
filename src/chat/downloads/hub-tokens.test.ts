import { expect, test } from "vitest";
import { createHubTokens, tokenOf, tokensKey } from "./hub-tokens.ts";

function setUp() {
  const values = new Map<string, string>();
  const tokens = createHubTokens(() => ({
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
  }));
  return { values, tokens };
}

test("a hub's token is kept for its origin alone, under a key of its own, until it is taken away", () => {
  const { tokens, values } = setUp();
  expect(tokens.get("https://hub.example/")).toBeUndefined();
  tokens.set("https://hub.example/some/path", "hf_secret123");
  tokens.set("https://mirror.example/", "hf_other456");
  expect(tokens.get("https://hub.example/")).toBe("hf_secret123");
  expect(tokens.get("http://hub.example/")).toBeUndefined();
  expect([...values.keys()]).toEqual([tokensKey]);
  tokens.set("https://hub.example/", "");
  expect(tokens.get("https://hub.example/")).toBeUndefined();
  expect(tokens.get("https://mirror.example/")).toBe("hf_other456");
});

test("a token is taken without what a copy brings along; words are no token", () => {
  expect(tokenOf(" hf_abcdefgh\n")).toBe("hf_abcdefgh");
  expect(tokenOf('"hf_abcdefgh"')).toBe("hf_abcdefgh");
  expect(tokenOf("Bearer hf_abcdefgh")).toBe("hf_abcdefgh");
  for (const typed of ["", "my token", "hf_ü1234567", "short"]) expect(tokenOf(typed)).toBeUndefined();
});

test("nonsense in the storage is no token", () => {
  const { tokens, values } = setUp();
  values.set(tokensKey, '{"version":1,"tokens":5}');
  expect(tokens.get("https://hub.example/")).toBeUndefined();
});
