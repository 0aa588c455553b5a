// Answers made to hang or crash what shows them: each must be drawn, or shown as it was written, in slices of time too short to notice.
// For the tests of the reader and of the page and for `npm run bench -- hostile`; nothing else imports it.

const times = (part: string, length: number): string => part.repeat(Math.ceil(length / part.length));
const around = (before: string, middle: string, after: string, depth: number): string =>
  before.repeat(depth) + middle + after.repeat(depth);
const rows = (count: number, row: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => row(index)).join("\n");

/** Longer than what is read as Markdown, so that both what is read and what is not are met. */
const long = 120_000;

const formulas: Readonly<Record<string, () => string>> = {
  "exponents 3,000 deep": () => `$$${around("x^{", "x", "}", 3000)}$$`,
  "exponents 150 deep": () => `$$${around("x^{", "x", "}", 150)}$$`,
  "exponents within a line": () => `so $${around("x^{", "x", "}", 90)}$ here`,
  "fractions 150 deep": () => `$$${around("\\frac{1}{", "x", "}", 150)}$$`,
  "fractions without braces": () => `$$${"\\frac".repeat(250)}${"1".repeat(300)}$$`,
  "roots 200 deep": () => `\\[${around("\\sqrt{", "x", "}", 200)}\\]`,
  "bars without braces": () => `$$${"\\bar".repeat(450)}x$$`,
  "brackets 150 deep": () => `$$${around("\\left(", "x", "\\right)", 140)}$$`,
  "matrices within matrices": () => `$$${around("\\begin{matrix}", "x", "\\end{matrix}", 60)}$$`,
  "deepest formulas that are drawn": () => times(`$$${around("\\frac{x^{", "x", "}}{\\sqrt{y}}", 5)}$$\n\n`, 60_000),
  "matrices with 500 rows": () => times(`$$\\begin{matrix}${"a&b\\\\".repeat(350)}\\end{matrix}$$\n\n`, 60_000),
  "macros that double": () => `$$\\def\\a#1{#1#1}${around("\\a{", "x", "}", 40)}$$`,
  "macros that call themselves": () => "$$\\def\\a{\\a\\a}\\a$$ $\\newcommand{\\b}{\\b\\b}\\b$",
  "huge boxes": () =>
    times("$\\rule{9999em}{9999em}$ $\\hspace{9999em}$ $\\raisebox{9999em}{x}$ $\\kern-9999em x$ ", 30_000),
  "5,000 short formulas in a line": () => "$x_1$ ".repeat(5000),
  "4,000 short formulas in paragraphs": () => times(`${"$x_1$ ".repeat(10)}\n\n`, 24_000),
  "formulas that begin": () => times("$a ", long),
  "formulas that begin with brackets": () => times("\\(a", long),
  "display formulas that begin": () => times("\\[\n", long),
  dollars: () => times("$$", 40_000),
  "dollars on lines": () => times("$$\n\n", long),
};

const nesting: Readonly<Record<string, () => string>> = {
  "quotes 100,000 deep": () => ">".repeat(100_000),
  "quotes on lines": () => rows(400, (depth) => `${">".repeat(depth + 1)} x`),
  "lists 280 deep": () => rows(280, (depth) => `${" ".repeat(depth)}- x`),
  "lists 140 deep": () => rows(140, (depth) => `${" ".repeat(depth * 2)}- x`),
  "lists in a line": () => times("- ", long),
  "numbers in a line": () => times("1. ", long),
  "quotes and lists": () => around("> - ", "x", "", 5000),
  "emphasis 15,000 deep": () => around("*a ", "x", " a*", 15_000),
  "bold 10,000 deep": () => around("**a ", "x", " a**", 10_000),
  "links 20,000 deep": () => around("[", "a", "](b)", 20_000),
  "pictures 15,000 deep": () => around("![", "a", "](b)", 15_000),
};

const marks: Readonly<Record<string, () => string>> = Object.fromEntries(
  [
    ..."[ ![ ]( ![a]( [a](<b [a][ [^1] * _ *_ a*_ *a_ *a_b*c_ a**_ ` `a`` `` ~~ ~~a~ ~ < <a <!-- <?x &amp; &#x41; & \\ | |a ( # #a".split(
      " ",
    ),
    ..."a@b.example  www. www.a.b http:// http://a.b/( https://a.example/*_ 。** **（a） “** [](b) ![](b) <https://a>".split(
      " ",
    ),
    "<b>x</b>",
    "[a]: b\n",
    "a\n=\n",
    "# a\n",
    "#\n",
    "---\n",
    "- a\n",
    "- [ ] a\n\n",
    "1. a\n",
    "    a\n\n",
    "```\n",
    "```js\nlet a = [1];\n```\n\n",
    "a\n",
    "a\n\n",
    "a  \n",
    "\n",
    "\t",
    "<div>\n",
    "[^1]: a\n",
  ]
    .filter((mark) => mark !== "")
    .map((mark) => [`${JSON.stringify(mark)} in thousands`, () => times(mark, long)]),
);

const shapes: Readonly<Record<string, () => string>> = {
  "a table of 10,000 columns": () => `${times("|a", 20_000)}|\n${times("|-", 20_000)}|\n${times("|b", 20_000)}|`,
  "a table of 90 columns": () =>
    [times("|a", 180), times("|-", 180), ...Array.from({ length: 300 }, () => times("|b", 180))].join("\n"),
  "a table of 20,000 rows": () => `|a|b|\n|-|-|\n${"|c|d|\n".repeat(15_000)}`,
  "rows that are filled up": () => `|${"a|".repeat(300)}\n|${"-|".repeat(300)}\n${"x\n".repeat(20_000)}`,
  "7,000 definitions of links": () => `${rows(7000, (index) => `[a${index}]: b`)}\n\n${"[a1] ".repeat(1000)}`,
  "runs of backticks, each longer": () => rows(400, (index) => "`".repeat(index + 1)),
  "half a million letters": () => "x".repeat(500_000),
  "a megabyte in a line": () => "word ".repeat(200_000),
  "a megabyte of Chinese": () => "很长的一句话，".repeat(50_000),
  "a megabyte of short lines": () => "ab\n".repeat(350_000),
  "an address of 50,000 letters": () => `https://a.example/${"a".repeat(50_000)}`,
  "a block of code of 90,000 letters": () =>
    `\`\`\`js\n${times("const a = { b: [1, 2], c: `d ${e}` }; // f\n", 90_000)}`,
  "a line of code of 90,000 letters": () => `\`\`\`ts\n${times("a(b => /c/.d, ", 90_000)}`,
  "comments that begin": () => `\`\`\`c\n${times("/* \" ' ", 40_000)}`,
  "accents on one letter": () => `a${"\u0301".repeat(50_000)}`,
  "families of emoji": () => "👨‍👩‍👧‍👦".repeat(5000),
  "emoji joined without end": () => "👩\u200D".repeat(20_000),
  "directions that change": () => "\u202Ea\u202Db\u2067c".repeat(15_000),
  "directions that never end": () => "\u202E\u202B\u2067".repeat(20_000),
  "two scripts in turn": () => "a א ".repeat(15_000),
  "soft hyphens": () => "a\u00AD".repeat(50_000),
  "zero-width spaces": () => "a\u200B".repeat(50_000),
  "everything at once": () => times("*a_b~c[d](e)`f`$g$<h>&i;\\j ", long),
};

/** The answers, by what is in them. */
export const heavyAnswers: ReadonlyMap<string, () => string> = new Map(
  Object.entries({ ...formulas, ...nesting, ...marks, ...shapes }),
);
