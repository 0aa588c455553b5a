// Teaching the built-in model in the built page, with its real worker: the plan, a few steps, a chat meanwhile, Stop and keep, the test pictures
// before and after, and the result used and deleted.
import { expect, test, type Page } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { modelReady, openPage } from "../support/ask.ts";
import { drawPictures } from "./drawn-pictures.ts";

/** Begins a lesson of two drawn things and asks for the plan. */
async function planLesson(page: Page): Promise<void> {
  await openPage(page, "./?device=wasm");
  await modelReady(page);
  await page.goto("./?device=wasm#/teach");
  await page.getByRole("button", { name: /Things and their names/ }).click();
  for (const [index, kind] of (["blip", "zorp"] as const).entries()) {
    const card = page.getByTestId("lesson-card").nth(index);
    await card.getByLabel("Name").fill(kind);
    await card.getByTestId("files-input").setInputFiles(await drawPictures(page, kind, [1, 2, 3, 4]));
    await expect(card.getByTestId("card-picture")).toHaveCount(4);
  }
  await page.getByTestId("course").getByRole("button", { name: "Check and estimate" }).click();
  await expect(page.getByTestId("course-plan")).toContainText(/6 pictures to learn from, 2 set aside/, {
    timeout: 60_000,
  });
}

test("a worker that dies while it teaches is told of, and teaching begins again with one click", async ({ page }) => {
  await planLesson(page);
  await page.getByTestId("course").getByRole("button", { name: "Start teaching" }).click();
  await expect(page.getByTestId("course-stage")).toHaveText(/Learning: step/, { timeout: 60_000 });
  const worker = page.workers().find((one) => /\/teach-worker-/.test(one.url()));
  expect(worker).toBeDefined();
  await worker?.evaluate(() => self.close());
  const failure = page.getByTestId("course-failure");
  await expect(failure).toHaveAttribute("data-code", "worker-dead");
  await expect(page.getByTestId("lesson-card")).toHaveCount(2);
  expect(await violations(page)).toEqual([]);
  await failure.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByTestId("course-stage")).toHaveText(/Learning: step/, { timeout: 60_000 });
  await page.getByTestId("course").getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByTestId("course")).toHaveAttribute("data-phase", "stopped", { timeout: 60_000 });
});

test("a few steps are taught while the chat is shown, stopped and kept, used and deleted", async ({ page }) => {
  await planLesson(page);
  const course = page.getByTestId("course");
  await expect(page.locator('[data-testid="card-picture"][data-role="test"]')).toHaveCount(2);
  await course.getByRole("button", { name: "Start teaching" }).click();
  await page.getByRole("button", { name: "Show conversations" }).click();
  await page.getByRole("button", { name: "New chat" }).click();
  const note = page.getByTestId("teaching-note");
  await expect(note).toHaveAttribute("data-phase", "running");
  await note.getByRole("button", { name: "Show" }).click();
  const stage = page.getByTestId("course-stage");
  await expect(stage).toHaveText(/Learning: step [3-9]/, { timeout: 60_000 });
  await course.getByRole("button", { name: "Stop" }).click();
  expect(await violations(page)).toEqual([]);
  await course.getByRole("button", { name: "Keep what was learned so far" }).click();
  const result = page.getByTestId("lesson-result");
  await expect(result).toBeVisible({ timeout: 60_000 });
  await expect(result).toContainText("Stopped early");
  await expect(result).toContainText("The test pictures also told when to stop");
  await expect(result.getByTestId("test-row")).toHaveCount(2);
  expect(await violations(page)).toEqual([]);

  await result.getByRole("button", { name: "Use it" }).click();
  await expect(result.getByRole("button", { name: "In use" })).toBeDisabled();
  await modelReady(page);
  await expect(page.getByTestId("model-picker")).toContainText("blip, zorp");
  await page.reload();
  await expect(result).toContainText("Stopped early");
  await result.getByRole("button", { name: "Delete" }).click();
  await result.getByRole("button", { name: "Delete" }).click();
  await expect(result).toHaveCount(0);
  await expect(page.getByTestId("lesson-card")).toHaveCount(2);
  await expect(page.getByTestId("model-picker")).not.toContainText("blip, zorp");
});
