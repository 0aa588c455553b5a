// The page itself: giving it pictures, asking, stopping, settings, what survives a reload, and what happens when the model dies.
import { expect, test, type Locator, type Page } from "@playwright/test";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";
import { shownAnswer } from "../support/ask.ts";

const red = { name: "red.png", mimeType: "image/png", buffer: Buffer.from(redPng, "base64") };
const box = (page: Page) => page.getByRole("textbox", { name: "Ask about the picture" });
const answerTurn = (page: Page) => page.getByTestId("answer-turn").last();
const modelStatus = (page: Page) => page.getByTestId("model-status");

/** Short answers, so that a test does not wait for what it does not look at. */
async function openPage(page: Page, path = "./?device=wasm"): Promise<void> {
  await page.addInitScript(() => {
    const settings = { greedy: true, temperature: 0.2, topP: 0.7, maxNewTokens: 16 };
    if (localStorage.getItem("llava-web-preferences") === null)
      localStorage.setItem("llava-web-preferences", JSON.stringify({ version: 1, theme: "system", settings }));
  });
  await page.goto(path);
}

async function ask(page: Page, question: string): Promise<void> {
  await box(page).fill(question);
  await box(page).press("Enter");
}

/** Dispatches what the browser dispatches when a file is dropped or pasted. */
async function giveFile(page: Page, how: "drop" | "paste"): Promise<void> {
  await page.evaluate(
    ([how, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], `${how}.png`, { type: "image/png" }));
      const init = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        how === "drop"
          ? new DragEvent("drop", { ...init, dataTransfer: data })
          : new ClipboardEvent("paste", { ...init, clipboardData: data }),
      );
    },
    [how, redPng] as const,
  );
}

test.describe("without a model", () => {
  test.use({ serviceWorkers: "block" });
  test.beforeEach(async ({ page }) => {
    await page.route("**/models/**", (route) => route.abort());
    await openPage(page);
  });

  test("a newcomer reads what it is, that nothing leaves the device, and what it does not know", async ({ page }) => {
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText("Nothing leaves this device")).toBeVisible();
    await expect(page.getByText("often gets details wrong")).toBeVisible();
  });

  test("pictures can be picked, dropped and pasted, several at once, and taken away again", async ({ page }) => {
    await page.getByTestId("file-input").setInputFiles([red, { ...red, name: "second.png" }]);
    await giveFile(page, "drop");
    await giveFile(page, "paste");
    await expect(page.getByRole("img", { name: /^Picture \d/ })).toHaveCount(4);
    await page.getByRole("button", { name: "Remove second.png" }).click();
    await expect(page.getByRole("img", { name: /^Picture \d/ })).toHaveCount(3);
  });

  test("a file is judged by what is in it, not by its name", async ({ page }) => {
    await page.getByTestId("file-input").setInputFiles({ ...red, name: "notes.txt", mimeType: "text/plain" });
    await expect(page.getByRole("button", { name: "Remove notes.txt" })).toBeVisible();
    await page
      .getByTestId("file-input")
      .setInputFiles({ name: "a.png", mimeType: "image/png", buffer: Buffer.from("text") });
    await expect(page.getByTestId("picture-problem")).toContainText("“a.png” isn't a picture");
  });

  test("a broken picture and a HEIC each get a sentence with the next step", async ({ page }) => {
    const broken = { name: "broken.png", mimeType: "image/png", buffer: red.buffer.subarray(0, 40) };
    const heic = { name: "a.heic", mimeType: "", buffer: Buffer.from("\0\0\0\x20ftypheic\0\0\0\0mif1heic", "latin1") };
    await page.getByTestId("file-input").setInputFiles([broken, heic]);
    await expect(page.getByTestId("picture-problem")).toContainText("“broken.png” is damaged");
    await expect(page.getByTestId("picture-problem")).toContainText("Export it as JPEG");
    // What can't be used does not keep the rest from being sent, and stays told until it is taken away.
    await page.getByTestId("file-input").setInputFiles(red);
    await expect(page.getByRole("button", { name: "Send" })).toBeEnabled();
    await page.getByRole("button", { name: "Remove broken.png" }).click();
    await page.getByRole("button", { name: "Remove a.heic" }).click();
    await expect(page.getByTestId("picture-problem")).toHaveCount(0);
  });

  test("what the model says can't run, load or look like anything of the page's", async ({ page }) => {
    const hostile = [
      "<script>globalThis.hacked = true</script><img src=x onerror='globalThis.hacked = true'>",
      "![a picture](https://example.com/tracker.png) <style>body{display:none}</style><iframe src='https://example.com'></iframe>",
      "[click](javascript:globalThis.hacked=true) [data](data:text/html,x) [fine](https://example.com/)",
      "<form action='https://example.com'><input name=q><button>Send</button></form>",
      "<div class='drop-overlay'>over everything</div>",
      "```html\n<b onclick=x>code stays text</b>\n```",
    ].join("\n\n");
    await openSavedChat(
      page,
      answeredTurns.map((turn) => (turn.role === "assistant" ? { ...turn, text: hostile } : turn)),
    );
    const answer = page.getByTestId("answer");
    await expect(answer).toContainText("code stays text");
    await expect(answer.locator("script, img, style, iframe, form, input, [onerror], [onclick]")).toHaveCount(0);
    // The one button is the page's own, on the code.
    await expect(answer.locator("button")).toHaveCount(1);
    await expect(answer.getByRole("button", { name: "Copy code" })).toBeVisible();
    await expect(answer.locator(".drop-overlay")).toHaveCount(0);
    // An address in what is shown as text leads where it says, as one in any sentence does.
    await expect(answer.locator("a[href]")).toHaveText(["https://example.com", "fine", "https://example.com"]);
    for (const link of await answer.locator("a[href]").all()) {
      await expect(link).toHaveAttribute("href", "https://example.com/");
      await expect(link).toHaveAttribute("rel", /noopener/);
      await expect(link).toHaveAttribute("target", "_blank");
    }
    expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
  });

  test("a model that can't be fetched says so with one button, and a question waits meanwhile", async ({ page }) => {
    // Several tries come first.
    await expect(page.getByTestId("model-failure")).toHaveAttribute("data-code", "network", { timeout: 40_000 });
    await ask(page, "Is anyone there?");
    await expect(answerTurn(page)).toHaveAttribute("data-status", "queued");
    await page.unroute("**/models/**");
    await page.getByRole("button", { name: "Start again" }).click();
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
  });

  test("an answer can be copied as it was written", async ({ page, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await openSavedChat(page, answeredTurns);
    await page.getByRole("button", { name: "Copy answer" }).click();
    await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(answeredTurns[1]?.text);
  });

  test("theme and language are one choice each and stay chosen", async ({ page }) => {
    await page.getByRole("button", { name: "Switch to the dark theme" }).click();
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("中文").click();
    await expect(page.getByRole("dialog", { name: "设置" })).toBeVisible();
    await page.keyboard.press("Escape");
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await expect(page.getByRole("textbox", { name: "就图片提问" })).toBeVisible();
  });

  test("every dialog opens with the keyboard, and closing it gives the focus back", async ({ page }) => {
    const settings = page.getByRole("button", { name: "Settings" });
    const picker = page.getByTestId("model-picker").getByRole("button").first();
    const dialog = (name: string): Locator => page.getByRole("dialog", { name });
    const closedTo = async (key: "Escape" | "Enter", opener: Locator): Promise<void> => {
      if (key === "Enter") await page.getByRole("dialog").getByRole("button", { name: "Close" }).focus();
      await page.keyboard.press(key);
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await expect(opener).toBeFocused();
    };
    for (const key of ["Escape", "Enter"] as const) {
      await settings.focus();
      await page.keyboard.press("Enter");
      await expect(dialog("Settings")).toBeVisible();
      await closedTo(key, settings);
      for (const next of ["Export and import", "About and licenses"]) {
        await page.keyboard.press("Enter");
        await dialog("Settings").getByRole("button", { name: next }).focus();
        await page.keyboard.press("Enter");
        await expect(dialog(next)).toBeVisible();
        await closedTo(key, settings);
      }
      for (const [next, title] of [
        ["Manage models", "Models"],
        ["Connect a server", "Connect a server"],
      ] as const) {
        await picker.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: next }).focus();
        await page.keyboard.press("Enter");
        await expect(dialog(title)).toBeVisible();
        await closedTo(key, picker);
      }
      await box(page).focus();
      await page.keyboard.press("Control+/");
      await expect(dialog("Keyboard shortcuts")).toBeVisible();
      await closedTo(key, box(page));
    }
    // One key right after another: the dialog that closes doesn't take the next one with it.
    await settings.focus();
    await page.keyboard.press("Enter");
    await expect(dialog("Settings")).toBeVisible();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+/");
    await expect(dialog("Keyboard shortcuts")).toBeVisible();
    await expect(page.getByRole("dialog")).toHaveCount(1);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    // Nor does it take itself with it, opened again as soon as the focus is back.
    await settings.focus();
    await page.keyboard.press("Enter");
    await expect(dialog("Settings")).toBeVisible();
    await settings.evaluate((button: HTMLElement) => {
      button.addEventListener("focus", () => button.click(), { once: true });
    });
    await page.keyboard.press("Escape");
    await expect(settings).not.toBeFocused();
    await expect(dialog("Settings")).toBeVisible();
  });

  for (const width of [320, 390, 768, 1920]) {
    test(`nothing is wider than the page at ${width} px, whatever is said, and an answer stands with its question`, async ({
      page,
    }) => {
      await page.setViewportSize({ width, height: 700 });
      const nothingSticksOut = async (): Promise<void> => {
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBe(0);
        const send = await page.getByRole("button", { name: "Send" }).boundingBox();
        expect((send?.x ?? width) + (send?.width ?? 0)).toBeLessThan(width);
      };
      await nothingSticksOut();
      const unbroken = (length: number): string => "W".repeat(length);
      const table = `| ${"column | ".repeat(12)}\n| ${"--- | ".repeat(12)}\n\n${"long".repeat(80)}`;
      const [question, answer] = answeredTurns;
      if (question === undefined || answer === undefined) throw new Error("no turns");
      const model = { id: "m", name: unbroken(90), host: `${unbroken(60)}.example.com` };
      await openSavedChat(
        page,
        [
          { ...question, text: unbroken(64), pictures: [{ id: "p1", name: `${unbroken(200)}.png` }] },
          { ...answer, text: table, model },
          { ...question, id: "q2", text: `${unbroken(200)} https://example.com/${"path/".repeat(60)}`, pictures: [] },
          {
            ...answer,
            id: "a2",
            text: "",
            status: "failed",
            failure: { code: "server-failed", detail: unbroken(300) },
          },
        ],
        { p1: redPng },
      );
      await page.getByTestId("file-input").setInputFiles([
        { ...red, name: `${unbroken(120)}.png` },
        { ...red, name: `${unbroken(120)}.txt`, buffer: Buffer.from("no picture") },
      ]);
      await expect(page.getByTestId("picture-problem")).toBeVisible();
      await nothingSticksOut();
      const box = async (place: Locator): Promise<{ top: number; bottom: number }> =>
        place.evaluate((element) => element.getBoundingClientRect().toJSON() as { top: number; bottom: number });
      const [asked, next] = [await box(page.locator(".bubble").first()), await box(page.locator(".bubble").last())];
      const said = await box(page.locator(".answer-model").first());
      const words = await box(page.getByTestId("answer").first());
      expect(said.top - asked.bottom).toBeLessThan(20);
      expect(next.top - words.bottom).toBeGreaterThan(36);
    });
  }
});

test.describe("with the model", () => {
  test("one click on an example asks about it, and the question box is next", async ({ page }) => {
    await openPage(page);
    await page.getByTestId("example").first().getByRole("button").first().click();
    await expect(page.getByTestId("question-turn").getByRole("img")).toBeVisible();
    await expect(box(page)).toBeFocused();
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
  });

  test("a question asked while the model loads is answered when it is ready", async ({ page }) => {
    await openPage(page);
    await page.getByTestId("file-input").setInputFiles(red);
    await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
    await ask(page, "What color is it?");
    await expect(page.getByTestId("question-turn").getByRole("img")).toBeVisible();
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
    await expect(page.getByTestId("answer")).not.toBeEmpty();
    await expect(page.getByTestId("answer-figures")).toContainText("WASM");
    await expect(page.getByTestId("announcer")).toContainText("Answer:");
  });

  test("the chat with its picture survives a reload, and New chat empties it for good", async ({ page }) => {
    await openPage(page);
    await page.getByTestId("file-input").setInputFiles(red);
    await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
    await ask(page, "What color is it?");
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
    const words = await shownAnswer(page);
    await page.reload();
    await expect(page.getByTestId("answer")).toHaveText(words, { useInnerText: true });
    // What was read before is not read aloud again.
    await expect(page.getByTestId("announcer")).toBeEmpty();
    const picture = page.getByTestId("question-turn").getByRole("img");
    await expect
      .poll(() => picture.evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)))
      .toBe(2);
    await page.getByRole("button", { name: "New chat" }).click();
    await expect(page.getByTestId("empty-state")).toBeVisible();
    await page.reload();
    await expect(page.getByTestId("empty-state")).toBeVisible();
  });

  test("Escape stops an answer, and it can be asked for again", async ({ page }) => {
    await openPage(page);
    await expect(modelStatus(page)).toHaveAttribute("data-state", "ready", { timeout: 60_000 });
    await page.getByTestId("file-input").setInputFiles(red);
    await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
    await ask(page, "Describe it in detail.");
    await page.keyboard.press("Escape");
    await expect(answerTurn(page)).toHaveAttribute("data-status", "stopped");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
  });

  test("a worker that dies is told of, and one click starts it again with the conversation in place", async ({
    page,
  }) => {
    await openPage(page);
    await ask(page, "Hello?");
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
    const crash = async (): Promise<void> => {
      const inference = page.workers().find((worker) => /\/worker-/.test(worker.url()));
      await inference?.evaluate(
        () =>
          void setTimeout(() => {
            throw new Error("a crash made by a test");
          }, 100),
      );
    };
    await crash();
    await expect(page.getByTestId("model-failure")).toHaveAttribute("data-code", "worker-dead");
    await page.getByRole("button", { name: "Start again" }).click();
    await expect(modelStatus(page)).toHaveAttribute("data-state", "ready", { timeout: 60_000 });
    await expect(page.getByTestId("answer-turn")).toHaveCount(1);
    await ask(page, "And now?");
    await expect(answerTurn(page)).toHaveAttribute("data-status", "done", { timeout: 60_000 });
  });
});

test("an address that asks for a model nobody has says so, and the built-in one answers with the question from the address", async ({
  page,
}) => {
  await openPage(page, "./?device=wasm&model=llava-99b&q=What%20is%20this%3F");
  await expect(page.getByTestId("unknown-model")).toContainText("“llava-99b”");
  await expect(page.getByRole("textbox", { name: "Ask about the picture" })).toHaveValue("What is this?");
  await expect(modelStatus(page)).toHaveAttribute("data-state", "ready");
  await expect(page).toHaveTitle(/Pocket LLaVA/);
});
