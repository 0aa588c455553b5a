import { Template } from "@huggingface/jinja";
import { expect, test } from "vitest";
import { renderTemplateSource } from "./jinja.ts";

const messages = [
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Hello" },
];

test.each([
  "{% for m in messages %}{{ '<|' + m.role + '|>' }}{{ m['content'] | trim }}\n{% endfor %}",
  "{%- for m in messages -%}{% if loop.last %}[{{ m.content }}]{% else %}{{ m.content }} {% endif %}{%- endfor -%}",
  "{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(5, 1, -2) %}{{ i }}{% endfor %}{{ True }}{{ none }}",
  "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}{{ strftime_now('%d %b %Y %%') }}",
])("templates render as in the library: %s", (source) => {
  expect(renderTemplateSource(source, { messages })).toBe(new Template(source).render({ messages }));
});

test("what a template raises is its own error", () => {
  expect(() => renderTemplateSource("{{ raise_exception('roles must alternate') }}", {})).toThrow(
    "roles must alternate",
  );
});

test.each([
  ["a range without end", "{% for i in range(1000000000) %}x{% endfor %}"],
  [
    "loops in loops",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
  ],
  ["loops with words", "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}"],
  [
    "a text that doubles",
    "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
  ],
  ["a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"],
  ["parentheses without end", `{{ ${"(".repeat(100_000)}1${")".repeat(100_000)} }}`],
  ["a template of many megabytes", "x".repeat(3_000_000)],
])("a template that does not come to an end is refused: %s", (_, source) => {
  expect(() => renderTemplateSource(source, { messages })).toThrow(/chat template/);
});
