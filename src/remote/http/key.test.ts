import { expect, test } from "vitest";
import { RemoteError } from "./errors.ts";
import { cleanKey } from "./key.ts";

const refused = (pasted: string): string => {
  try {
    return `no error: ${cleanKey(pasted)}`;
  } catch (error) {
    return error instanceof RemoteError ? `${error.code} ${error.serverMessage}` : String(error);
  }
};

test.each([
  ["sk-Ab_1.2~+/=", "sk-Ab_1.2~+/="],
  ["", ""],
  ["  \t\n ", ""],
  ["Bearer", ""],
  ["\u00a0\u3000 sk-1234 \ufeff", "sk-1234"],
  ["sk-12\r\n  34\n", "sk-1234"],
  ["Bearer sk-1234", "sk-1234"],
  ["bearer   'sk-1234'", "sk-1234"],
  ["Authorization: Bearer sk-1234", "sk-1234"],
  ['"Bearer sk-1234",', "sk-1234"],
  ["`sk-1234`", "sk-1234"],
  ["OPENAI_API_KEY=sk-1234", "sk-1234"],
  ['export OPENROUTER_API_KEY="sk-1234"', "sk-1234"],
  ["x-api-key: sk-1234", "sk-1234"],
  ['"api_key": "sk-1234",', "sk-1234"],
  ["api-key-1234", "api-key-1234"],
  ["bearer-1234=", "bearer-1234="],
])("of %j the key is %j", (pasted, key) => {
  expect(cleanKey(pasted)).toBe(key);
});

test.each([
  ["“sk-1234”", "“ (U+201C)"],
  ["‘sk-1234’", "‘ (U+2018)"],
  ["sk–1234", "– (U+2013)"],
  ["sk-1234\u200b", "U+200B"],
  ["sk-\u00ad1234", "U+00AD"],
  ["sk-12 34", "U+0020"],
  ["sk-12\u00a034", "U+00A0"],
  ["sk-12\u000034", "U+0000"],
  ["clé-1234", "é (U+00E9)"],
  ["密钥-1234", "密 (U+5BC6)"],
  ["sk-🦙", "🦙 (U+1F999)"],
  ["•••••••• sk-1234", "• (U+2022)"],
])("%j holds a character that no key has, and which one is said", (pasted, character) => {
  expect(refused(pasted)).toBe(`server-key-characters ${character}`);
});
