// Answers as the page shows them: code, tables, formulas, and texts that try to run, load, send or cover something.
import { expect, test, type Page } from "@playwright/test";
import { hostileTexts } from "#testing/markdown-corpus.ts";
import { violations } from "../support/axe.ts";
import { openBundled } from "../support/bundle.ts";
import { alone } from "../support/alone.ts";
import { hostileAnswer, longestTaskWith } from "../support/hostile-answers.ts";
import { longestTask, watchLongTasks } from "../support/long-tasks.ts";
import { openSavedChat, type SavedTurn } from "../support/saved-chat.ts";

test.use({ serviceWorkers: "block", permissions: ["clipboard-read", "clipboard-write"] });

const conversation = (texts: readonly string[]): SavedTurn[] =>
  texts.flatMap((text, index): SavedTurn[] => [
    { role: "user", id: `q${index}`, text: `Question ${index}`, pictures: [] },
    { role: "assistant", id: `a${index}`, text, status: "done" },
  ]);

/** Shows the texts as answers of a kept conversation; the model never arrives. */
async function showAnswers(page: Page, texts: readonly string[]): Promise<void> {
  await page.route("**/models/**", () => undefined);
  await page.goto("./");
  await openSavedChat(page, conversation(texts));
  await expect(page.getByTestId("answer-turn")).toHaveCount(texts.length);
}

test("nothing in an answer runs, loads, leads elsewhere unseen, or gets out of its place", async ({
  page,
  baseURL,
}) => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      document.documentElement.dataset["violation"] = `${event.violatedDirective} ${event.blockedURI}`;
    });
  });
  await showAnswers(page, hostileTexts);
  // Formulas are drawn late, a few at a time.
  await expect(page.getByTestId("formula")).toHaveCount(9);
  const found = await page.evaluate(() => {
    const answers = [...document.querySelectorAll('[data-testid="answer"]')];
    const all = answers.flatMap((answer) => [...answer.querySelectorAll("*")]);
    const allowed = new Set(
      "P BR HR STRONG EM DEL CODE PRE BLOCKQUOTE UL OL LI H2 H3 H4 H5 H6 A TABLE THEAD TBODY TR TH TD DIV BUTTON SPAN svg path rect".split(
        " ",
      ),
    );
    const isFormula = (element: Element): boolean => element.closest('[data-testid="formula"]') !== null;
    return {
      hacked: "hacked" in globalThis,
      violation: document.documentElement.dataset["violation"] ?? "",
      elements: all
        .filter((element) => !isFormula(element) && !allowed.has(element.tagName))
        .map((element) => element.outerHTML),
      attributes: all
        .filter((element) => !isFormula(element))
        .flatMap((element) => element.getAttributeNames())
        .filter((name) => name.startsWith("on") || name === "style" || name === "id" || name === "src"),
      formulaParts: all
        .filter((element) => isFormula(element) && /^(?:A|IMG|IFRAME|SCRIPT)$/i.test(element.tagName))
        .map((element) => element.outerHTML),
      links: answers.flatMap((answer) =>
        [...answer.querySelectorAll("a")].map(
          (link) => `${link.href} ${link.target} ${link.rel} ${String(link.title === link.href)}`,
        ),
      ),
      // What covers the page's own buttons would take their clicks.
      covered: [...document.querySelectorAll("header button")].filter((button) => {
        const { x, y, width, height } = button.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        return width > 0 && top !== null && !button.contains(top);
      }).length,
    };
  });
  expect(found).toEqual({
    hacked: false,
    violation: "",
    elements: [],
    attributes: [],
    formulaParts: [],
    links: expect.any(Array) as unknown,
    covered: 0,
  });
  for (const link of found.links)
    expect(link).toMatch(
      /^(?:https:\/\/(?:evil|good)\.example\/|http:\/\/www\.)\S* _blank noopener noreferrer nofollow true$/,
    );
  expect(found.links.length).toBeGreaterThan(0);
  expect(dialogs).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(baseURL ?? "") && !url.startsWith("blob:"))).toEqual([]);
  await expect(page.getByTestId("answer").first()).toHaveText("<script>globalThis.hacked = 1</script>");
});

test("no answer holds the page up: not when it is kept, and not while it streams in", alone, async ({ page }) => {
  // One of each kind, the slowest; `npm run bench -- hostile` has them all, and a limit of 200 ms.
  const names = [
    "exponents 3,000 deep",
    "fractions without braces",
    "deepest formulas that are drawn",
    "5,000 short formulas in a line",
    "dollars",
    "quotes 100,000 deep",
    "lists 280 deep",
    "emphasis 15,000 deep",
    '"a*_" in thousands',
    '"a\\n=\\n" in thousands',
    '"~~" in thousands',
    '"1. a\\n" in thousands',
    '"```\\n" in thousands',
    "a table of 20,000 rows",
    "a megabyte in a line",
    "accents on one letter",
  ];
  const texts = names.map(hostileAnswer);
  await watchLongTasks(page);
  await showAnswers(page, texts);
  await expect(page.getByTestId("answer").first()).toContainText("x^{");
  await expect(page.getByTestId("answer").last()).toContainText("a\u0301");
  expect(await longestTask(page)).toBeLessThan(1000);
  await openBundled(page, new URL("./markdown-page.ts", import.meta.url));
  for (const name of names.slice(3, 9))
    expect(await longestTaskWith(page, hostileAnswer(name), 10), name).toBeLessThan(1000);
});

test("long words wrap, words have their direction, and code has colors that can be read", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 800 });
  await showAnswers(page, [
    `${"x".repeat(300)} \`${"y".repeat(300)}\` https://a.example/${"z".repeat(300)} **${"长".repeat(300)}**`,
    `- ${"x".repeat(300)}\n\n> ${"x".repeat(300)}\n\n| ${"x".repeat(300)} | b | c | d |\n| - | - | - | - |\n| 1 | 2 | 3 | 4 |`,
    "שלום **עולם**\n\n- מאה\n- one\n\n> ציטוט",
    "```ts\nexport const a: number = f('b', 1); // note\n```\n\n```brainfuck\n+++\n```",
  ]);
  await expect(page.locator(".code-keyword").first()).toHaveText("export");
  const seen = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    sides: ["p", "ul", "li", "blockquote"].map((name) => {
      const element = document.querySelectorAll(".answer")[2]?.querySelector(name) ?? document.body;
      return `${name} ${getComputedStyle(element).direction}`;
    }),
    second: getComputedStyle(document.querySelectorAll(".answer")[2]?.querySelectorAll("li")[1] ?? document.body)
      .direction,
    withoutColors: document.querySelectorAll(".code-block")[1]?.querySelectorAll("code span").length,
  }));
  expect(seen).toEqual({
    width: 320,
    sides: ["p rtl", "ul rtl", "li rtl", "blockquote rtl"],
    second: "ltr",
    withoutColors: 0,
  });
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    expect(await violations(page)).toEqual([]);
  }
});

test("code has its language and a button that copies it", async ({ page }) => {
  await showAnswers(page, ["Run this:\n\n```python\nprint('<b>')\n```\n\n- and\n\n  ```\n  nested\n  ```"]);
  const block = page.getByTestId("code-block").first();
  await expect(block).toContainText("python");
  await expect(block.locator("code")).toHaveText("print('<b>')");
  await block.getByRole("button", { name: "Copy code" }).click();
  await expect(block.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("print('<b>')");
  await expect(page.getByTestId("code-block")).toHaveCount(2);
});

test("formulas are drawn with fonts from this page, and what is none stays as it was written", async ({
  page,
  baseURL,
}) => {
  const fonts: string[] = [];
  page.on("request", (request) => {
    if (request.resourceType() === "font") fonts.push(request.url());
  });
  await showAnswers(page, [
    "Inline $x^2$, and\n\n$$\n\\int_0^1 \\frac{a}{b}\\,dx = \\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}\n$$\n\nThat is \\(y\\), for $5 or $6, or $\\notlatex{$.",
  ]);
  await expect(page.getByTestId("formula")).toHaveCount(3);
  await expect(page.getByTestId("formula").first().locator("math")).toHaveCount(1);
  await expect(page.getByTestId("answer")).toContainText("for $5 or $6");
  await expect.poll(() => fonts.length).toBeGreaterThan(0);
  expect(fonts.every((url) => url.startsWith(baseURL ?? "") && url.endsWith(".woff2"))).toBe(true);
  expect(await violations(page)).toEqual([]);
});

test("an answer without formulas fetches nothing that draws them", async ({ page }) => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await showAnswers(page, ["It costs $5, and **no** formula."]);
  await expect(page.getByTestId("answer")).toContainText("$5");
  expect(requests.filter((url) => url.includes("katex"))).toEqual([]);
});

test("while an answer grows its finished blocks keep their elements", async ({ page }) => {
  await openBundled(page, new URL("./markdown-page.ts", import.meta.url));
  const seen = await page.evaluate(async () => {
    const read = (name: string): unknown => Reflect.get(globalThis, name);
    const show = read("show");
    const answer = read("answer");
    if (typeof show !== "function" || !(answer instanceof HTMLElement)) throw new Error("the page is not there");
    const text =
      "# Title\n\nA paragraph with **words**.\n\n```js\nlet a = 1;\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n1. one\n2. two\n\nThe end.";
    let removed = 0;
    const firsts: Element[] = [];
    const observer = new MutationObserver(() => undefined);
    observer.observe(answer, { childList: true, subtree: true });
    for (let end = 1; end <= text.length; end++) {
      Reflect.apply(show, undefined, [text.slice(0, end)]);
      // What does not fit into a frame is drawn in the next.
      await new Promise((resolve) => requestAnimationFrame(resolve));
      for (const { removedNodes } of observer.takeRecords())
        removed += [...removedNodes].filter((node) => node instanceof Element).length;
      const block = answer.children.length > 1 ? answer.children[answer.children.length - 2] : undefined;
      if (block !== undefined && !firsts.includes(block)) firsts.push(block);
    }
    return {
      removed,
      replaced: firsts.filter((block) => !answer.contains(block)).length,
      blocks: answer.children.length,
    };
  });
  expect(seen.blocks).toBe(6);
  expect(seen.replaced).toBe(0);
  // A heading, a fence and a table each look like something else until they are known.
  expect(seen.removed).toBeLessThan(12);
});
