// A long function is refused unless the comment before it says why it is long.
import { Linter } from "eslint";
import { expect, test } from "vitest";
import { longFunction } from "./long-function-rule.mjs";

const body = (lines: number): string => Array.from({ length: lines }, (_, at) => `  call(${at});`).join("\n");
const refusals = (code: string): string[] =>
  new Linter()
    .verify(code, {
      plugins: { llava: { rules: { "long-function": longFunction } } },
      rules: { "llava/long-function": "error" },
    }) // prettier-ignore
    .map(({ message }) => message);

test("80 lines pass, 81 do not, in every way to write a function", () => {
  expect(refusals(`function f() {\n${body(78)}\n}`)).toEqual([]);
  for (const [start, end] of [
    ["function f() {", "}"],
    ["export const f = () => {", "};"],
    ["const o = { async f() {", "} };"],
    ["class A { f() {", "} }"],
  ] as const) {
    expect(refusals(`${start}\n${body(79)}\n${end}`)).toEqual([expect.stringContaining("A function of 81 lines")]);
    expect(refusals(`/** Longer than most functions: a list. */\n${start}\n${body(79)}\n${end}`)).toEqual([]);
    expect(refusals(`// Does a lot.\n${start}\n${body(79)}\n${end}`)).toHaveLength(1);
  }
});

test("a reason covers one function, not the long ones within it", () => {
  const inner = `const g = () => {\n${body(90)}\n};`;
  expect(refusals(`// Longer than most functions: it holds g.\nfunction f() {\n${inner}\n}`)).toHaveLength(1);
});
