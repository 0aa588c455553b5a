import { expect, test } from "vitest";
import { conversationIn } from "./address.web.ts";
import { hashOf, viewIn } from "./page-view.ts";

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

test.each([
  ["#/teach", { name: "teach", lessonId: undefined }],
  ["#/teach/0123abc", { name: "teach", lessonId: "0123abc" }],
  ["#/teach/../x", { name: "teach", lessonId: undefined }],
  ["#/teaching", { name: "chat" }],
  ["#/c/0123abc", { name: "chat" }],
  ["", { name: "chat" }],
] as const)("the address %s shows %o", (hash, view) => {
  expect(viewIn(hash)).toEqual(view);
});

test("a view's address leads back to it", () => {
  for (const lessonId of [undefined, "0123abc", "corrections"])
    expect(viewIn(hashOf({ name: "teach", lessonId }) ?? "")).toEqual({ name: "teach", lessonId });
  expect(hashOf({ name: "chat" })).toBeUndefined();
});
