// The view of a chat: what is pasted and dropped, pictures that stay in view, parts of them, suggested questions, languages.
import { expect, test, type Page } from "@playwright/test";
import { createServer } from "node:http";
import { askAbout, modelReady, openPage, shownAnswer } from "../support/ask.ts";
import { violations } from "../support/axe.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";

const red = { name: "red.png", mimeType: "image/png", buffer: Buffer.from(redPng, "base64") };
const box = (page: Page) => page.getByRole("textbox", { name: "Ask about the picture" });
const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" });
const attached = (page: Page) => page.getByRole("group", { name: "Pictures to send" }).getByRole("img");

interface Given {
  readonly files?: readonly string[];
  readonly kinds?: Readonly<Record<string, string>>;
}

/** Dispatches what the browser dispatches at the element in focus; whether the page took it. */
function give(page: Page, how: "paste" | "drop", given: Given): Promise<boolean> {
  return page.evaluate(
    ([how, { files = [], kinds = {} }, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const data = new DataTransfer();
      for (const name of files) data.items.add(new File([bytes], name, { type: "image/png" }));
      for (const [kind, value] of Object.entries(kinds)) data.setData(kind, value);
      const init = { bubbles: true, cancelable: true };
      const event =
        how === "drop"
          ? new DragEvent("drop", { ...init, dataTransfer: data })
          : new ClipboardEvent("paste", { ...init, clipboardData: data });
      (document.activeElement ?? document.body).dispatchEvent(event);
      return event.defaultPrevented;
    },
    [how, given, redPng] as const,
  );
}

/** Serves the picture at every path but /gone, for pages of every origin. */
async function servePicture(): Promise<{ url: string; stop(): void }> {
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.writeHead(request.url === "/gone.png" ? 404 : 200, { "content-type": "image/png" });
    response.end(red.buffer);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://localhost:${address.port}`, stop: () => server.close() };
}

test.describe("without a model", () => {
  test.use({ serviceWorkers: "block" });
  test.beforeEach(async ({ page }) => {
    await page.route("**/models/**", (route) => route.abort());
    await openPage(page, "./?device=wasm");
    await page.getByTestId("empty-state").waitFor();
  });

  test("words win over a bitmap of them, other fields keep their pastes, and no picture locks Send", async ({
    page,
  }) => {
    const cells = { "text/plain": "apples\t3\npears\t5\n", "text/html": "<table><tr><td>apples<td>3</table>" };
    await box(page).focus();
    expect(await give(page, "paste", { files: ["image.png"], kinds: cells })).toBe(false);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    expect(await give(page, "paste", { files: ["image.png"], kinds: cells })).toBe(true);
    await expect(box(page)).toHaveValue("apples\t3\npears\t5");
    await expect(attached(page)).toHaveCount(0);
    await box(page).fill("");
    const copied = { "text/html": "<meta charset='utf-8'><img src='https://a.example/cat.png' alt='A cat'>" };
    expect(await give(page, "paste", { files: ["image.png"], kinds: copied })).toBe(true);
    await expect(attached(page)).toHaveCount(1);
    await button(page, "Remove image.png").click();

    await button(page, "Camera or web address").click();
    await page.getByRole("textbox", { name: "Picture address" }).focus();
    expect(await give(page, "paste", { files: ["image.png"] })).toBe(false);
    await page.keyboard.press("Escape");
    await expect(attached(page)).toHaveCount(0);

    const server = await servePicture();
    try {
      const paths = ["cats%20and%20dogs.png", "100%25.png", "50%.png", "sale-20%off.png", "%FF.png", "%C3%28.png"];
      for (const path of paths)
        await give(page, "drop", {
          kinds: { "text/html": `<img src="${server.url}/${path}">`, "text/uri-list": server.url },
        });
      await give(page, "drop", { kinds: { "text/uri-list": `${server.url}/gone.png` } });
      await expect(attached(page)).toHaveCount(paths.length);
      for (const name of ["cats and dogs.png", "100%.png", "50%.png", "sale-20%off.png", "%FF.png", "%C3%28.png"])
        await expect(button(page, `Remove ${name}`)).toBeVisible();
      await expect(page.getByTestId("picture-problem")).toContainText("“gone.png” couldn't be downloaded");
      await button(page, "Try again: gone.png").click();
      await expect(page.getByTestId("picture-problem")).toContainText("“gone.png” couldn't be downloaded");
      await expect(button(page, "Send")).toBeEnabled();
      await button(page, "Remove gone.png").click();
      await expect(page.getByTestId("picture-problem")).toHaveCount(0);
    } finally {
      server.stop();
    }
  });

  test("a picture that is still being opened can be given up, and Send pressed meanwhile waits for it", async ({
    page,
  }) => {
    await page.evaluate(() => {
      const open = createImageBitmap;
      // A decoder that takes its time.
      Object.assign(globalThis, {
        createImageBitmap: async (blob: Blob) => {
          await new Promise((resolve) => setTimeout(resolve, blob.size > 1000 ? 1e9 : 500));
          return open(blob);
        },
      });
    });
    const endless = { ...red, name: "endless.png", buffer: Buffer.concat([red.buffer, Buffer.alloc(2000)]) };
    await page.getByTestId("file-input").setInputFiles([red, endless]);
    await box(page).fill("What is it?");
    await box(page).press("Enter");
    await button(page, "Don't open endless.png").click();
    await expect(page.getByTestId("question-turn").getByRole("img")).toHaveCount(1);
    await expect(page.getByTestId("question-turn")).toContainText("What is it?");
  });

  test("the pictures stay in view with their numbers, and a part of one goes with the next question", async ({
    page,
  }) => {
    await page.setViewportSize({ width: 1280, height: 720 });
    const [question, answer] = answeredTurns;
    if (question === undefined || answer === undefined) throw new Error("no turns");
    const more = Array.from({ length: 6 }, (_, i) => [
      { ...question, id: `q${i}-more`, pictures: i === 2 ? [{ id: "p2", name: "second.png" }] : [] },
      { ...answer, id: `a${i}-more` },
    ]);
    await openSavedChat(page, [question, answer, ...more.flat()], { p1: redPng, p2: redPng });
    const beside = page.getByTestId("pictures-beside");
    await expect(beside).toHaveAttribute("data-form", "panel");
    await expect(beside.getByRole("img", { name: "Picture 2: second.png" })).toBeInViewport();
    await beside.getByRole("button", { name: "Show picture 1: red.png" }).click();
    await expect(beside.getByRole("img", { name: "Picture 1: red.png" })).toBeInViewport();
    // Earlier answers show their tools when they are pointed at, the last one always.
    await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
    const tools = (index: number) => page.locator(".answer-tools").nth(index);
    await expect(tools(1)).toHaveCSS("opacity", "0");
    await page.getByTestId("answer").nth(1).hover();
    await expect(tools(1)).toHaveCSS("opacity", "1");
    await button(page, "Go to the end").click();
    await expect(page.getByTestId("answer").last()).toBeInViewport();
    await expect(button(page, "Go to the end")).toHaveCount(0);
    await expect(tools(6)).toHaveCSS("opacity", "1");
    expect(await violations(page)).toEqual([]);

    await beside.getByRole("button", { name: "Ask about a part" }).click();
    const dialog = page.getByRole("dialog", { name: "Ask about a part of the picture" });
    await dialog.getByRole("slider", { name: "Right edge" }).fill("50");
    await dialog.getByRole("slider", { name: "Left edge" }).fill("0");
    await dialog.getByRole("button", { name: "Use this part" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(box(page)).toBeFocused();
    const part = page.getByRole("img", { name: "Picture 3: red.png" });
    await expect.poll(() => part.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(1);
    await expect(page.getByTestId("suggestions")).toBeVisible();

    await page.setViewportSize({ width: 390, height: 760 });
    await expect(beside).toHaveAttribute("data-form", "strip");
    await page.evaluate(() => scrollTo({ top: document.body.scrollHeight / 2, behavior: "instant" }));
    await expect(beside.getByRole("img", { name: "Picture 1: red.png" })).toBeInViewport();
    await beside.getByRole("button", { name: "Enlarge second.png" }).click();
    await page.getByTestId("lightbox").getByRole("button", { name: "Ask about a part" }).click();
    await expect(dialog).toBeVisible();
    await page.keyboard.press("Escape");
    expect(await violations(page)).toEqual([]);
  });

  test("the shortcuts have a button", async ({ page }) => {
    await button(page, "Keyboard shortcuts").click();
    await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toContainText("Send");
  });
});

test.describe("in Chinese, without a model", () => {
  test.use({ serviceWorkers: "block", locale: "zh-CN" });

  test("it is said before sending that the model reads English only, and who reads Chinese", async ({ page }) => {
    await page.route("**/models/**", (route) => route.abort());
    await openPage(page, "./?device=wasm");
    await expect(page.getByTestId("reads-only")).toContainText("请用英语提问");
    await expect(page.getByRole("heading", { name: "用英语提问" })).toBeVisible();
    await page.getByTestId("file-input").setInputFiles(red);
    await expect(page.getByTestId("suggestions")).toContainText("用英语提问");
    const question = page.locator("#question");
    await question.fill("How many cats?");
    await expect(page.getByTestId("language-note")).toHaveCount(0);
    await question.fill("图里有几只猫？");
    await expect(page.getByTestId("language-note")).toContainText("只懂英语");
    await expect(page.getByTestId("language-note")).toContainText("LLaVA-OneVision 0.5B");
    expect(await violations(page)).toEqual([]);
    // Without words, the picture is asked for in the language that the model reads.
    await question.fill("");
    await question.press("Enter");
    await expect(page.getByTestId("question-turn")).toContainText("Describe this picture.");
  });
});

test.describe("with the model", () => {
  test("the welcome stays where it is when all has come, and Regenerate gives another answer", async ({ page }) => {
    let send = (): void => undefined;
    const held = new Promise<void>((resolve) => (send = resolve));
    await page.route("**/examples/examples.json", async (route) => {
      await held;
      await route.continue();
    });
    await openPage(page, "./?device=wasm");
    await page.locator(".example-waiting").last().waitFor();
    const place = async (): Promise<number[]> =>
      page.evaluate(() =>
        ["h1", ".choose", ".examples", ".promises"].map(
          (part) => document.querySelector(part)?.getBoundingClientRect().top ?? -1,
        ),
      );
    const before = await place();
    send();
    await page.getByTestId("example").last().waitFor();
    await modelReady(page);
    await page.getByTestId("photo-offer").waitFor();
    expect(await place()).toEqual(before);

    // Greedy, as the settings are; what the model is sure of, it says again only where it has nothing else to say.
    const first = await askAbout(page, "sign.png", "What is in this picture?");
    await button(page, "Regenerate").click();
    const answer = page.getByTestId("answer-turn").last();
    await expect(answer.getByTestId("pager")).toContainText("2/2");
    await expect(answer).toHaveAttribute("data-status", "done");
    expect(await shownAnswer(page)).not.toBe(first);
    await button(page, "Previous version").click();
    await expect(page.getByTestId("answer").last()).toHaveText(first);
  });
});
