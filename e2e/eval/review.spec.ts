// The page that shows answers side by side: what is opened, paged, filtered, and what does not pair. Needs no model.
import { expect, test, type Page } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { reviewFiles } from "../support/review-files.ts";
import { redPng } from "../support/saved-chat.ts";

test.use({ serviceWorkers: "block", reducedMotion: "reduce" });

async function openPage(page: Page, address = "review/"): Promise<void> {
  await page.goto(address);
  await expect(page.getByTestId("review-empty")).toBeVisible();
}

test("files given to it are shown side by side, paged by keys, filtered, and what did not pair is counted", async ({
  page,
}) => {
  const asked: string[] = [];
  await openPage(page);
  expect(await violations(page)).toEqual([]);
  page.on("request", (request) => asked.push(request.url()));
  await page.getByTestId("files-input").setInputFiles([...(await reviewFiles(2))]);
  const question = page.getByTestId("question");
  // Right against wrong comes first; both pictures' questions follow.
  await expect(question).toContainText("Does the picture show a brown heart?");
  await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(4);
  await expect(question.getByRole("img", { name: "Picture known-0000.webp" })).toHaveJSProperty("complete", true);
  await expect(question.locator('[data-column="pocket-llava"]')).toContainText("Right");
  await expect(question.locator('[data-column="other"]')).toContainText("Wrong");
  const remarks = page.getByTestId("review-remarks");
  await remarks.click();
  await expect(remarks).toContainText("2 answers in other.jsonl belong to no question here and are left out.");
  await expect(remarks).toContainText("1 of 2 pictures aren't among the files that were opened, for example known-0001.webp."); // prettier-ignore
  expect(await violations(page)).toEqual([]);

  await page.locator("body").press("j");
  await expect(question).toContainText("Where is the heart");
  await page.keyboard.press("ArrowRight");
  await expect(question.getByTestId("review")).toContainText("Reference 8, candidate 6");
  await page.keyboard.press("k");
  await expect(question).toContainText("Where is the heart");
  await page.getByRole("listbox").press("End");
  await expect(question).toContainText("How many spiders");
  await page.keyboard.press("/");
  await page.keyboard.type("shorter");
  await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(1);
  await expect(question).toContainText("Describe the picture.");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(4);
  await page.getByLabel("Result").selectOption({ label: "Wrong (2)" });
  await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(2);
  // Pictures are shown from memory: nothing was asked of anybody.
  expect(asked.filter((url) => !url.startsWith("blob:"))).toEqual([]);
});

test("10,000 questions stay a list of a few rows; votes of the chat and what is no such file open, in Chinese and dark", async ({
  browser,
}) => {
  const context = await browser.newContext({
    locale: "zh-CN",
    colorScheme: "dark",
    viewport: { width: 360, height: 740 },
    serviceWorkers: "block",
  });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const answers = [{ model: "a", text: "一" }, { model: "b", text: "二" }]; // prettier-ignore
    const vote = { at: 1, question: "哪个好？", pictures: 0, answers, verdict: 1 };
    localStorage.setItem("llava-web-votes", JSON.stringify({ version: 1, votes: [vote] }));
  });
  await page.goto("review/?votes");
  await expect(page.getByTestId("question")).toContainText("哪个好？");
  await expect(page.locator('[data-column="b"]')).toContainText("被选为最佳");
  await page.getByRole("button", { name: "全部关闭" }).click();
  const rows = Array.from({ length: 10_000 }, (_, i) => JSON.stringify({ question_id: i, prompt: `问题 ${i}`, text: "是", model_id: "m" })); // prettier-ignore
  await page.getByTestId("files-input").setInputFiles([
    { name: "many.jsonl", mimeType: "", buffer: Buffer.from(rows.join("\n")) },
    { name: "package.json", mimeType: "application/json", buffer: Buffer.from('{"name":"x"}') },
  ]);
  await expect(page.getByRole("status").filter({ hasText: "10,000 个问题" })).toBeVisible();
  await expect(page.getByTestId("review-refusals")).toContainText("package.json 不是问题、回答、评审或投票文件。");
  expect(await page.getByRole("listbox").getByRole("option").count()).toBeLessThan(60);
  await page.getByRole("listbox").press("End");
  await expect(page.getByTestId("question")).toContainText("问题 9999");
  await expect(page.getByRole("listbox").getByRole("option", { selected: true })).toBeVisible();
  const table = "index\tquestion\tA\tB\timage\n7\t哪一个？\t红\t蓝\t" + redPng + "\n";
  await page.getByTestId("files-input").setInputFiles([{ name: "m.tsv", mimeType: "", buffer: Buffer.from(table) }]);
  await page.getByRole("button", { name: "关闭 many.jsonl" }).click();
  await expect(page.getByTestId("question").getByRole("img")).toHaveJSProperty("naturalWidth", 2);
  expect(await violations(page)).toEqual([]);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(over).toBe(0);
  await context.close();
});
