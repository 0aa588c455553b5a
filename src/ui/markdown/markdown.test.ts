import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { longestMarkdown, readMarkdown, safeHref, type MarkdownBlocks } from "./markdown.ts";
import { hostileTexts, tangledTexts } from "#testing/markdown-corpus.ts";
import { heavyAnswers } from "#testing/markdown-heavy.ts";
import { isDrawable } from "./math.ts";
import type { MarkdownNode } from "./nodes.ts";
import { longestParagraph } from "./tree.ts";

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

/** The text in a short form that shows what it was read as. */
function shown(text: string): string {
  return readMarkdown(text)
    .blocks.map((block) => {
      switch (block.type) {
        case "plain":
          return block.raw;
        case "space":
        case "def":
          return "";
        default:
          return short([block]);
      }
    })
    .join("|");
}

function short(nodes: readonly MarkdownNode[]): string {
  return nodes
    .map((node) => {
      if (node.type === "text" || node.type === "image") return node.text;
      if (node.type === "codespan") return `<code>${node.text}</code>`;
      if (node.type === "math") return `⟦${node.tex}⟧`;
      if (node.type === "break") return "⏎";
      if (node.type === "list") return node.items.map((item) => `• ${short(item.nodes)}`).join(" ");
      if (node.type === "link") return `<a ${node.href}>${short(node.nodes)}</a>`;
      if (!("nodes" in node)) return `<${node.type}>`;
      return node.type === "paragraph" ? short(node.nodes) : `<${node.type}>${short(node.nodes)}</${node.type}>`;
    })
    .join("");
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

describe("a text is shown as its writer meant it", () => {
  test.each([
    // Tildes are ranges and "about"; two on each side strike out.
    ["长40~50厘米，重3~5公斤", "长40~50厘米，重3~5公斤"],
    ["~100 ms/~200 ms (~$1.50) and (~$10), 7~9点 ~ 10点", "~100 ms/~200 ms (~$1.50) and (~$10), 7~9点 ~ 10点"],
    ["~~gone~~ and 这~~不对：~~对", "<del>gone</del> and 这<del>不对：</del>对"],
    // Emphasis beside the punctuation of Chinese, Japanese and Korean.
    ["**注意：**先看", "<strong>注意：</strong>先看"],
    ["有**“两只猫”**和*「一只狗」*。", "有<strong>“两只猫”</strong>和<em>「一只狗」</em>。"],
    [
      "（**甲**）乙**丙！**丁**《戊》**己**（庚）**辛",
      "（<strong>甲</strong>）乙<strong>丙！</strong>丁<strong>《戊》</strong>己<strong>（庚）</strong>辛",
    ],
    ["共**50%**的、**$5**元、**A.**型", "共<strong>50%</strong>的、<strong>$5</strong>元、<strong>A.</strong>型"],
    [
      "__重点：__请看，这是__真的__吗，变量_名_值",
      "<strong>重点：</strong>请看，这是<strong>真的</strong>吗，变量_名_值",
    ],
    ["これは**犬（いぬ）**です。**「猫」**も", "これは<strong>犬（いぬ）</strong>です。<strong>「猫」</strong>も"],
    ['**고양이(2마리)**가 *"있다"*는', '<strong>고양이(2마리)</strong>가 <em>"있다"</em>는'],
    ["***很***好，**粗*斜*粗**。", "<em><strong>很</strong></em>好，<strong>粗<em>斜</em>粗</strong>。"],
    ["**Note:**this **is**n't", "<strong>Note:</strong>this <strong>is</strong>n't"],
    // Names of code, products and powers.
    ["a_b_c, __init__, __main__.py, snake__case__x", "a_b_c, __init__, __main__.py, snake__case__x"],
    ["5 * 3 * 2 = 30, 2**10, a*b, 2*3*4, a*b*c", "5 * 3 * 2 = 30, 2**10, a*b, 2*3*4, a*b*c"],
    ["x**2+y**2=r**2, *args, **kwargs, *word*s", "x**2+y**2=r**2, *args, **kwargs, <em>word</em>s"],
    ["note[^1]\n\n[^1]: text\n\n[注]: 说明", "note[^1]||[^1]: text||[注]: 说明"],
    ["__bold__ and _italic_", "<strong>bold</strong> and <em>italic</em>"],
    // Starts of lines that are no lists and no headings.
    ["1）一\n2）二", "1）一⏎2）二"],
    ["2026. It was warm.", "2026. It was warm."],
    ["#hashtag #2", "#hashtag #2"],
    ["1. one\n2. two", "• one • two"],
    ["<b>x</b> a<br>b", "<b>x</b> a⏎b"],
  ])("%s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test.each([
    ["见https://a.example/x。还有", "见<a https://a.example/x>https://a.example/x</a>。还有"],
    [
      "（https://a.example/x）和https://b.example、https://c.example/图；",
      "（<a https://a.example/x>https://a.example/x</a>）和<a https://b.example>https://b.example</a>、<a https://c.example/图>https://c.example/图</a>；",
    ],
    [
      "「https://a.example」，https://a.example！",
      "「<a https://a.example>https://a.example</a>」，<a https://a.example>https://a.example</a>！",
    ],
    [
      "https://a.example/x?a=1&b=2, (https://a.example/a_b_c).",
      "<a https://a.example/x?a=1&b=2>https://a.example/x?a=1&b=2</a>, (<a https://a.example/a_b_c>https://a.example/a_b_c</a>).",
    ],
    [
      "**https://a.example/x**。www.a.example。",
      "<strong><a https://a.example/x>https://a.example/x</a></strong>。<a http://www.a.example>www.a.example</a>。",
    ],
    [
      "邮箱：me@a.example。main.py, node.js, @name",
      "邮箱：<a mailto:me@a.example>me@a.example</a>。main.py, node.js, @name",
    ],
    [
      "[甲](https://a.example/（乙）)，<https://a.example>",
      "<a https://a.example/（乙）>甲</a>，<a https://a.example>https://a.example</a>",
    ],
    ["`https://a.example`", "<code>https://a.example</code>"],
  ])("addresses end where they should: %s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test("tasks keep whether they are done", () => {
    const [list] = readMarkdown("- [x] a\n- [ ] b\n- c").blocks;
    expect(list?.type === "list" && list.items.map(({ checked }) => checked)).toEqual([true, false, undefined]);
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
      "Set $HOME/bin:$PATH first",
      "Between US$20 and 30$, or 5$ to 10$.",
      "$5-$10, R$ 5 e R$ 10, HK$100及$200, costs $5, or $6 with tax, $1,000",
      "Dinner: $$ - $$$, cheap ($) to dear ($$) or ($$$)",
      "**$4** for one, **$1.50** each",
      "一共$5，或者10$，或$20（约）$",
      "echo ${A}/${B} $(a)/$(b) $A:$B; A=$B; C=$D $1 $2 $@",
      "$('a').on($('b')) and $.ajax or $x->y",
      "$20 and A$",
    ])
      expect(formulas(text), text).toEqual([]);
  });

  test("stand beside words of any script, signs and units", () => {
    const beside = (text: string): string => shown(text);
    expect(beside("设$x=1$，则$y_1$。$v$为速度")).toBe("设⟦x=1⟧，则⟦y_1⟧。⟦v⟧为速度");
    expect(beside("the $i$th of $n$, $k$-means, 30$^\\circ$C, 2$\\times$3, $f$(x), ($a$)")).toBe(
      "the ⟦i⟧th of ⟦n⟧, ⟦k⟧-means, 30⟦^\\circ⟧C, 2⟦\\times⟧3, ⟦f⟧(x), (⟦a⟧)",
    );
    expect(beside("$n log n$, $a, b$, $\\text{some words}=5$, $E=mc^2$, $-5$, $3 + 4$")).toBe(
      "⟦n log n⟧, ⟦a, b⟧, ⟦\\text{some words}=5⟧, ⟦E=mc^2⟧, ⟦-5⟧, ⟦3 + 4⟧",
    );
    expect(beside("$$速度=\\frac{路程}{时间}$$")).toBe("⟦速度=\\frac{路程}{时间}⟧");
    expect(beside("> \\[\n> a\n> \\]\n\n- b\n  $$\n  c\n  $$")).toBe("<blockquote>⟦a⟧</blockquote>||• b⟦c⟧");
  });

  test("that would stop a browser are told from those that people write", () => {
    const nested = (open: string, close: string, depth: number): string =>
      open.repeat(depth) + "x" + close.repeat(depth);
    for (const tex of [
      nested("x^{", "}", 30),
      nested("\\frac{1}{", "}", 30),
      nested("\\left(", "\\right)", 30),
      nested("\\begin{matrix}", "\\end{matrix}", 30),
      `${"\\bar".repeat(40)}x`,
      `${"\\frac".repeat(40)}${"1".repeat(41)}`,
      "\\def\\a{\\a\\a}\\a",
      "\\newcommand{\\a}{b}\\a",
      "x".repeat(5000),
    ])
      expect(isDrawable(tex), tex.slice(0, 40)).toBe(false);
    for (const tex of [
      "x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}",
      "1 + \\cfrac{1}{2 + \\cfrac{1}{2 + \\cfrac{1}{2 + \\cfrac{1}{2 + x}}}}",
      "\\begin{cases} x^{2^{n}} & \\text{if } x > 0 \\\\ \\left( \\sum_{i=1}^{n} a_{i_{j}} \\right) & \\text{otherwise} \\end{cases}",
      "\\alpha\\beta\\gamma\\delta\\epsilon\\zeta\\eta\\theta\\iota\\kappa\\lambda\\mu\\nu\\xi\\pi\\rho\\sigma\\tau",
      "\\{ \\{ a \\} \\}",
    ])
      expect(isDrawable(tex), tex).toBe(true);
  });

  test("that have only begun wait as one block", () => {
    const [block] = readMarkdown("$$\na_1 + b_1").blocks;
    expect(block?.type === "math" && block.closed).toBe(false);
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

  test.each(tangledTexts.map((text) => [text.slice(0, 12), text]))("%j… in thousands is read whole", (_, long) => {
    const text = long.slice(0, longestMarkdown);
    const { blocks } = readMarkdown(text);
    expect(blocks.reduce((sum, { raw }) => sum + raw.length, 0)).toBe(text.length);
  });
});

describe("a text beyond a limit is shown as it is", () => {
  test("when it is longer than an answer, from there on", () => {
    const lines = "a line\n\n".repeat(longestMarkdown / 8 / 8);
    const { blocks } = readMarkdown(`${lines}${"x".repeat(longestMarkdown)}\n**end**`);
    expect(blocks[0]?.type).toBe("paragraph");
    expect(blocks.at(-1)).toMatchObject({ type: "plain", raw: expect.stringMatching(/\*\*end\*\*$/) as unknown });
  });

  test("when a paragraph is longer than any that is read, and only that paragraph", () => {
    expect(types("x".repeat(longestParagraph + 1))).toEqual(["plain"]);
    expect(types("x".repeat(longestParagraph))).toEqual(["paragraph"]);
    expect(types(`# a\n\n${"*b* ".repeat(longestParagraph)}\n\n- c`)).toEqual([
      "heading",
      "space",
      "plain",
      "space",
      "list",
    ]);
  });

  test("when it is nested deeper than anyone writes", () => {
    expect(types(`${"> ".repeat(30)}a`)).toEqual(["plain"]);
    expect(types(`${"> ".repeat(10)}a`)).toEqual(["blockquote"]);
    const [deep] = readMarkdown(`${"*a ".repeat(40)}b${" a*".repeat(40)}`).blocks;
    expect(JSON.stringify(deep).match(/"em"/g)?.length).toBe(24);
  });

  test("when it is a table that no screen holds", () => {
    expect(types(`|${"a|".repeat(200)}\n|${"-|".repeat(200)}\n|b|`)).toEqual(["paragraph"]);
    expect(types(`|${"a|".repeat(50)}\n|${"-|".repeat(50)}\n|b|`)).toEqual(["table"]);
    expect(types(`|a|b|\n|-|-|\n${"|c|d|\n".repeat(300)}`)).toEqual(["table", "paragraph"]);
  });
});

describe("reading in slices", () => {
  test("stops after each step and gives the same blocks in the end", () => {
    const text = "# One\n\n[two][a] and *three*\n\n- four\n\n[a]: https://a.example\n";
    let read: MarkdownBlocks | undefined;
    let steps = 0;
    do {
      read = readMarkdown(text, read, () => true);
      steps++;
    } while (read.rest !== undefined);
    expect(steps).toBeGreaterThan(5);
    expect(read).toEqual(readMarkdown(text));
  });

  test.each([...heavyAnswers])("loses no letter in %s, read in steps", (_, make) => {
    const text = make();
    let read: MarkdownBlocks | undefined;
    do {
      const before = performance.now();
      read = readMarkdown(text, read, () => performance.now() - before > 2);
    } while (read.rest !== undefined);
    // Compared here: a difference between such texts would be long.
    expect(read.blocks.map(({ raw }) => raw).join("") === read.text).toBe(true);
  });
});

test("entities become the characters they stand for, and only what may be one", () => {
  expect(shown("a &amp;&lt;b&gt; &#65;&#x42; &nope; &#0; &#xD800; &amp;lt;")).toBe(
    "a &<b> AB &nope; \uFFFD \uFFFD &lt;",
  );
});
