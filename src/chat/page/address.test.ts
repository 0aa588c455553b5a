import { expect, test } from "vitest";
import { conversationIn } from "./address.web.ts";

test.each([
  ["#/c/0123abc", "0123abc"],
  ["#/c/a~1x", "a~1x"],
  ["", undefined],
  ["#", undefined],
  ["#question", undefined],
  ["#/c/", undefined],
  ["#/c/../x", undefined],
  [`#/c/${"x".repeat(101)}`, undefined],
])("the address %s names %s", (hash, id) => {
  expect(conversationIn(hash)).toBe(id);
});
