// Opening the page and asking it about a picture, as a user does; for tests that need an answer.
import { expect, type Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** A picture that comes with the page. */
export const examplePicture = (name: string): string =>
  fileURLToPath(new URL(`../../public/examples/${name}`, import.meta.url));

/** What the example pictures show, as the built-in model must tell it; short answers, because software WebGPU is slow. */
export const truths = [
  { file: "pets.png", question: "How many cats are there?", words: /^three\.?$/i },
  { file: "sign.png", question: "What color is the star?", words: /^yellow\.?$/i },
] as const;

/** What the example photograph shows. */
export const photographTruth = {
  file: "coffee.jpg",
  question: "What is this?",
  words: /espresso|coffee|cup/i,
} as const;

/** Opens the page with greedy answers of so many tokens at most; `url` is relative to the base URL, or absolute. */
export async function openPage(page: Page, url: string, maxNewTokens = 16): Promise<void> {
  await page.addInitScript((maxNewTokens) => {
    const settings = { greedy: true, temperature: 0.2, topP: 0.7, maxNewTokens };
    if (localStorage.getItem("llava-web-preferences") === null)
      localStorage.setItem("llava-web-preferences", JSON.stringify({ version: 1, theme: "system", settings }));
  }, maxNewTokens);
  await page.goto(url);
}

/** Drops the picture's bytes on the page, as a file from a folder would be. */
async function dropPicture(page: Page, name: string): Promise<void> {
  const base64 = (await readFile(examplePicture(name))).toString("base64");
  await page.evaluate(
    ([name, base64, type]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name, { type }));
      document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
    },
    [name, base64, name.endsWith(".jpg") ? "image/jpeg" : "image/png"] as const,
  );
}

/** Waits until the model in the header is ready. */
export async function modelReady(page: Page, timeout = 60_000): Promise<void> {
  const status = page.getByTestId("model-status");
  await expect(status)
    .toHaveAttribute("data-state", "ready", { timeout })
    .catch(async (error: unknown) => {
      const failure = page.getByTestId("model-failure");
      const told =
        (await failure.count()) > 0 ? await failure.first().evaluate((element) => element.outerHTML) : "no failure";
      throw new Error(`${String(error)}\nThe page says: ${told}`);
    });
}

/** Drops the picture, asks, and returns the finished answer's words. */
export async function askAbout(
  page: Page,
  picture: string | undefined,
  question: string,
  timeout = 60_000,
): Promise<string> {
  if (picture !== undefined) {
    await dropPicture(page, picture);
    await expect(page.getByRole("button", { name: `Remove ${picture}` })).toBeVisible();
  }
  const before = await page.getByTestId("answer-turn").count();
  const box = page.getByRole("textbox", { name: "Ask about the picture" });
  await box.fill(question);
  await box.press("Enter");
  await expect(page.getByTestId("answer-turn")).toHaveCount(before + 1);
  await expect(page.getByTestId("answer-turn").last()).toHaveAttribute("data-status", "done", { timeout });
  return shownAnswer(page);
}

/** The words of the last answer, once all of them are shown. */
export async function shownAnswer(page: Page): Promise<string> {
  const answer = page.getByTestId("answer").last();
  await expect(answer).toHaveAttribute("aria-busy", "false");
  return (await answer.innerText()).trim();
}
