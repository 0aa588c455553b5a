// The page that asks a benchmark's questions, on the built-in model: answers stream in, a reload in the middle asks nothing twice, and the score is told.
import { expect, test } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { violations } from "../support/axe.ts";

test.use({ serviceWorkers: "block" });

const heldout = fileURLToPath(new URL("../../training/heldout/", import.meta.url));

test("a run goes on after a reload, asks nothing twice, and is scored and saved in LLaVA's lines", async ({ page }) => {
  const text = await readFile(`${heldout}questions.jsonl`, "utf8");
  const lines = text.split("\n").filter((line) => line.includes('"kind": "yesno"')).slice(0, 24); // prettier-ignore
  const images = [...new Set(lines.map((line) => (JSON.parse(line) as { image: string }).image))];
  await page.goto("eval/?device=wasm");
  expect(await violations(page)).toEqual([]);
  await page.getByTestId("files-input").setInputFiles([...images.map((name) => `${heldout}pictures/${name}`)]);
  await expect(page.getByTestId("eval-trouble")).toContainText("None of these files holds questions.");
  await page
    .getByTestId("files-input")
    .setInputFiles([{ name: "mine.jsonl", mimeType: "", buffer: Buffer.from(`${lines.join("\n")}\n`) }]);
  const run = page.getByTestId("eval-run");
  await expect(run).toContainText(`24 questions · ${images.length} pictures`);
  await page.getByRole("button", { name: "Start" }).click();
  await expect(run).toContainText(/[2-9] of 24 answered/);
  await page.reload();
  // It goes on by itself, with the pictures that it has kept.
  await expect(run).toHaveAttribute("data-phase", "done");
  await expect(run).toContainText("24 of 24 answered");
  await expect(page.getByTestId("eval-figures")).toContainText("accuracy");
  expect(await violations(page)).toEqual([]);

  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save answers" }).click();
  const saved = await readFile(await (await coming).path(), "utf8");
  const answers = saved.trim().split("\n").map((line) => JSON.parse(line) as { question_id: number; answer_id: string; text: string; model_id: string }); // prettier-ignore
  expect(answers.map(({ question_id }) => question_id)).toEqual(lines.map((line) => (JSON.parse(line) as { question_id: number }).question_id)); // prettier-ignore
  expect(new Set(answers.map(({ answer_id }) => answer_id)).size).toBe(24);
  for (const { text: said, model_id } of answers) expect([/^(yes|no)/i.test(said), model_id]).toEqual([true, "pocket-llava"]); // prettier-ignore
  await page.getByRole("button", { name: "Discard" }).click();
  await page.reload();
  await expect(page.getByText("Drop a question file and its pictures here")).toBeVisible();
});
