import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeEntities, longestMarkdown, readMarkdown, safeHref, type MarkdownBlocks } from "./markdown.ts";
import { hostileTexts, tangledTexts } from "./markdown-corpus.ts";
import { isMath } from "./markdown-math.ts";

const types = (text: string): string[] => readMarkdown(text).blocks.map(({ type }) => type);
/** Every formula in the text, with where it stands. */
function formulas(text: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one);
    else if (typeof value === "object" && value !== null) {
      if ("type" in value && value.type === "math" && "tex" in value && "display" in value)
        found.push(`${String(value.display)}:${String(value.tex)}`);
      else for (const inner of Object.values(value)) visit(inner);
    }
  };
  visit(readMarkdown(text).blocks);
  return found;
}

describe("an answer that grows", () => {
  const pieces = fc.constantFrom(
    ...[
      "a",
      " ",
      "\n",
      "\n\n",
      "- b",
      "1. c",
      "    d",
      "> e",
      "```",
      "`f`",
      "# g",
      "===",
      "---",
      "| h | i |\n| - | - |\n",
    ],
    ...[
      "$x$",
      "$$",
      "\\[",
      "\\]",
      "**j**",
      "*",
      "_k",
      "[l](https://m.example)",
      "<br>",
      "<div>",
      "[n]: https://o.example",
      "\r\n",
      "\t",
    ],
  );

  test("is read as the whole would be, wherever it was cut on the way", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        let read: MarkdownBlocks | undefined;
        for (let end = 1; end <= parts.length; end++) read = readMarkdown(parts.slice(0, end).join(""), read);
        expect(read?.blocks ?? []).toEqual(readMarkdown(parts.join("")).blocks);
      }),
      { numRuns: 300 },
    );
  });

  test("does not take a formula across an empty line, which was shown as text before its end came", () => {
    const parts = ["$$", "\n\n", "a", "\n\n", "b", "\n\n", "c", "\n\n", "$$"];
    let read: MarkdownBlocks | undefined;
    for (let end = 1; end <= parts.length; end++) read = readMarkdown(parts.slice(0, end).join(""), read);
    expect(read?.blocks).toEqual(readMarkdown(parts.join("")).blocks);
  });

  test("keeps its finished blocks as the same objects", () => {
    const before = readMarkdown("# One\n\ntwo\n\n```\nthree\n```\n\nfour");
    const after = readMarkdown("# One\n\ntwo\n\n```\nthree\n```\n\nfour and five", before);
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
    expect(after.blocks.at(-1)).not.toBe(before.blocks.at(-1));
    expect(readMarkdown(after.text, after)).toBe(after);
  });

  test("shows code whose fence has not been closed yet as code", () => {
    expect(types("```js\nlet a = 1;")).toEqual(["code"]);
  });
});

describe("formulas", () => {
  test("are written in four ways", () => {
    expect(formulas("a $x^2$ b \\(y\\) c")).toEqual(["false:x^2", "false:y"]);
    expect(formulas("$$\na = b\n$$")).toEqual(["true:a = b"]);
    expect(formulas("\\[ a_1 \\]")).toEqual(["true:a_1"]);
    expect(formulas("so $$a$$ and \\[b\\] here")).toEqual(["true:a", "true:b"]);
    expect(formulas("- $a_1$ and $b_2$\n\n| $c$ |\n| - |\n| $d$ |")).toEqual([
      "false:a_1",
      "false:b_2",
      "false:c",
      "false:d",
    ]);
  });

  test("are not prices, code or escaped dollars", () => {
    for (const text of [
      "$5 and $6",
      "from $100 to $200.",
      "`$x$`",
      "```\n$x$\n```",
      "\\$x\\$",
      "a $ b $ c",
      "$ x$",
      "US$5, A$7",
    ])
      expect(formulas(text), text).toEqual([]);
  });

  test("that have only begun wait as one block", () => {
    const [block] = readMarkdown("$$\na_1 + b_1").blocks;
    expect(block?.type === "math" && isMath(block) && block.closed).toBe(false);
    expect(types("$$\na\n\nnew paragraph")).toEqual(["paragraph", "space", "paragraph"]);
  });
});

describe("hostile texts", () => {
  test.each(hostileTexts)("%s has no link that could do something here", (text) => {
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) for (const one of value) visit(one);
      else if (typeof value === "object" && value !== null) {
        if ("type" in value && value.type === "link" && "href" in value) {
          const href = safeHref(String(value.href));
          if (href !== undefined) expect(href).toMatch(/^https:\/\/evil\.example\/|^https:\/\/good\.example\//);
        }
        for (const inner of Object.values(value)) visit(inner);
      }
    };
    visit(readMarkdown(text).blocks);
  });

  test("addresses are links to other sites or mails, and nothing else", () => {
    expect(safeHref("https://a.example/b?c=1&d")).toBe("https://a.example/b?c=1&d");
    expect(safeHref("mailto:a@b.example")).toBe("mailto:a@b.example");
    for (const href of [
      "javascript:1",
      "java\tscript:1",
      "&#106;avascript:1",
      "data:,",
      "//a.example",
      "/a",
      "a",
      "",
      "blob:https://a",
      "https://",
      "https:a",
      "http://u:p@a.example",
      "ftp://a.example",
    ])
      expect(safeHref(href), href).toBeUndefined();
  });

  test.each(tangledTexts.map((text) => [text.slice(0, 12), text]))("%j… in thousands takes little time", (_, long) => {
    const text = long.slice(0, longestMarkdown);
    const before = performance.now();
    const { blocks } = readMarkdown(text);
    expect(blocks.reduce((sum, { raw }) => sum + raw.length, 0)).toBe(text.length);
    // A machine that is busy with other things takes its time.
    expect(performance.now() - before).toBeLessThan(6000);
  });
});

test("a text too long to be read as Markdown is shown as it is", () => {
  expect(types("x".repeat(longestMarkdown + 1))).toEqual(["plain"]);
  expect(types("x".repeat(longestMarkdown))).toEqual(["paragraph"]);
});

test("entities become the characters they stand for, and only what may be one", () => {
  expect(decodeEntities("a &amp;&lt;b&gt; &#65;&#x42; &nope; &#0; &#xD800; &amp;lt;")).toBe(
    "a &<b> AB &nope; \uFFFD \uFFFD &lt;",
  );
});
