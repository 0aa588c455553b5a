import { expect, test } from "vitest";
import { endOfString, nestingOf, parseJson, parsePythonJson, repeatedKey } from "./json.ts";

test("what is not JSON is undefined, and null is a value", () => {
  expect(parseJson('{"a":[1]}')).toEqual({ a: [1] });
  expect(parseJson("null")).toBeNull();
  for (const text of ["", "{", "NaN", "undefined"]) expect(parseJson(text)).toBeUndefined();
});

test("Python's NaN and infinities are null, but not within strings", () => {
  expect(parsePythonJson('[NaN,-Infinity,{"NaN":"Infinity \\" NaN"}]')).toEqual([
    null,
    null,
    { NaN: 'Infinity " NaN' },
  ]);
  expect(parsePythonJson('["NaN')).toBeUndefined();
  expect(parsePythonJson("[Nan]")).toBeUndefined();
});

test("nesting counts lists and objects, not what strings hold", () => {
  expect(nestingOf("1")).toBe(0);
  expect(nestingOf('[{"a":[]},[]]')).toBe(3);
  expect(nestingOf('["[[[[\\"[[["]')).toBe(1);
  expect(nestingOf('["[[[')).toBe(1);
});

test("a repeated key is found in the outermost object only", () => {
  expect(repeatedKey('{"a":1,"b":{"a":2,"a":3},"c":"b"}')).toBeUndefined();
  expect(repeatedKey('{"a":1,"b":2, "\\u0061" : 3}')).toBe("a");
});

test("a string ends behind its quote, or beyond its text", () => {
  expect(endOfString('"ab" ', 1)).toBe(4);
  expect(endOfString('"a\\"b"', 1)).toBe(6);
  expect(endOfString('"ab', 1)).toBe(4);
  expect(endOfString('"ab\\', 1)).toBe(6);
  expect(endOfString('"ab\\\\', 1)).toBe(6);
});
