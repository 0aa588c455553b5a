// From one visit to the next: addresses of conversations, questions that are not sent yet, and a conversation that ended its page.
import { expect, test, type Page } from "@playwright/test";
import { openPage } from "../support/ask.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";

test.use({ serviceWorkers: "block", viewport: { width: 1200, height: 800 } });

const box = (page: Page) => page.getByRole("textbox", { name: "Ask about the picture" });
const newChat = (page: Page) => page.getByRole("button", { name: "New chat", exact: true }).first();

test("Back, a bookmark, a reload and a crash: every conversation and every unsent question stays within reach", async ({
  page,
}) => {
  await page.route("**/models/**", () => undefined);
  await openPage(page, "./");
  await openSavedChat(page, answeredTurns, { p1: redPng });
  await expect(page).toHaveURL(/#\/c\/saved$/);

  await box(page).fill("half a thought");
  const red = { name: "red.png", mimeType: "image/png", buffer: Buffer.from(redPng, "base64") };
  await page.getByTestId("file-input").setInputFiles(red);
  await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
  await newChat(page).click();
  await expect(page).toHaveURL(/\/$/);
  await expect(box(page)).toHaveValue("");
  await box(page).fill("another thought");
  await page.goBack();
  await expect(page.getByTestId("question-turn")).toContainText("What is this?");
  await expect(box(page)).toHaveValue("half a thought");
  await page.reload();
  await expect(box(page)).toHaveValue("half a thought");
  await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
  await page.goForward();
  await expect(box(page)).toHaveValue("another thought");
  await page.goto("./#/c/nowhere");
  await expect(page.getByTestId("undo")).toHaveAttribute("data-what", "missing");

  // The page dies while it shows the conversation: the next one doesn't open it by itself.
  await page.goto("./#/c/saved");
  await page.getByTestId("conversation").waitFor();
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  await Promise.race([session.send("Page.crash"), crashed]);
  const next = await page.context().newPage();
  await next.route("**/models/**", () => undefined);
  await next.goto("./");
  await expect(next.getByTestId("undo")).toContainText("closed unexpectedly while showing “What is this?”");
  await expect(next.getByTestId("empty-state")).toBeVisible();
  await next.getByTestId("undo").getByRole("button", { name: "Open it" }).click();
  await expect(next.getByTestId("answer")).toContainText("It is a red picture.");
  // Drawn well, it is no suspect any more.
  await next.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("llava-web-drawing:")));
  await next.reload();
  await expect(next.getByTestId("answer")).toContainText("It is a red picture.");
});
