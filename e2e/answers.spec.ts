// True answers in the built page: on WASM, and on WebGPU through Chromium's software adapter (slow, so a few tokens).
import { expect, test } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { askAbout, examplePicture, modelReady, openPage, truths } from "./ask.ts";

for (const device of ["wasm", "webgpu"] as const) {
  test(`a picture and a question get a true answer on ${device}`, async ({ page }) => {
    test.setTimeout(300_000);
    await openPage(page, `./?device=${device}`);
    await modelReady(page, 120_000);
    // A device that failed its self-test would have handed over to WASM.
    await expect(page.getByTestId("model-status")).toContainText(device === "wasm" ? "WASM" : "WebGPU");
    const [first, second] = truths;
    expect(await askAbout(page, first.file, first.question, 120_000)).toMatch(first.words);
    if (device === "wasm") {
      await page.getByRole("button", { name: "New chat" }).click();
      expect(await askAbout(page, second.file, second.question)).toMatch(second.words);
    }
    await expect(page.getByTestId("answer-figures").last()).toContainText("tokens/s");
  });
}

test("a picture dropped on the page is asked about, and the next question is about the same picture", async ({
  page,
}) => {
  await openPage(page, "./?device=wasm");
  await modelReady(page);
  await askAbout(page, "pets.png", "How many cats are there?");
  const follow = await askAbout(page, undefined, "Is there a rocket?");
  expect(follow).toMatch(/^(yes|no)/i);
});

test("the command line gives the page's answer", async ({ page }) => {
  const { file, question } = truths[0];
  const args = ["scripts/run.mjs", "src/cli/main.ts", "chat", "--image", examplePicture(file), question];
  const told = execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
  await openPage(page, "./?device=wasm");
  expect(await askAbout(page, file, question)).toBe(told);
});
