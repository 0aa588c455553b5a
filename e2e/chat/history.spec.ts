// Conversations that are kept: the list, other answers and other questions, pictures in history, two tabs, memory, keys.
import { expect, test, type Page } from "@playwright/test";
import { askAbout, modelReady, openPage } from "../support/ask.ts";
import { violations } from "../support/axe.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";
import { serveStatic } from "../support/static-server.ts";

const red = { name: "red.png", mimeType: "image/png", buffer: Buffer.from(redPng, "base64") };
const entries = (page: Page) => page.getByTestId("conversation-entry");
const questions = (page: Page) => page.getByTestId("question-turn");
const answers = (page: Page) => page.getByTestId("answer-turn");
const box = (page: Page) => page.getByRole("textbox", { name: "Ask about the picture" });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

async function ask(page: Page, question: string): Promise<void> {
  await box(page).fill(question);
  await box(page).press("Enter");
}

/** Asks and waits for the answer's end. */
async function asked(page: Page, question: string): Promise<string> {
  return askAbout(page, undefined, question);
}

test.describe("without a model", () => {
  test.use({ serviceWorkers: "block", viewport: { width: 1200, height: 800 } });
  test.beforeEach(async ({ page }) => {
    await page.route("**/models/**", () => undefined);
    await openPage(page, "./");
  });

  test("the one conversation that older versions kept is in the list, with its picture, and New chat leaves it there", async ({
    page,
  }) => {
    await openSavedChat(page, answeredTurns, { p1: redPng });
    await button(page, "Show conversations").click();
    await expect(entries(page)).toHaveCount(1);
    await expect(entries(page)).toContainText("What is this?");
    await expect(
      page.getByRole("region", { name: "Today" }).getByTestId("conversation-picture").locator("img"),
    ).toBeVisible();
    await button(page, "New chat").click();
    await expect(page.getByTestId("empty-state")).toBeVisible();
    await page.reload();
    // The list was open, so it is open again.
    await expect(entries(page)).toHaveCount(1);
    await expect(page.getByTestId("empty-state")).toBeVisible();
    await entries(page).getByRole("button").first().click();
    await expect(answers(page)).toHaveCount(1);
    const picture = questions(page).getByRole("img");
    await expect
      .poll(() => picture.evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)))
      .toBe(2);
  });

  test("conversations are searched by any word, renamed, deleted and brought back", async ({ page }) => {
    await openSavedChat(page, answeredTurns, { p1: redPng });
    await button(page, "New chat").click();
    // The model never comes, so this one waits; it is kept all the same.
    await ask(page, "Where is the lighthouse?");
    await button(page, "Show conversations").click();
    await expect(entries(page)).toHaveCount(2);

    const search = page.getByRole("searchbox", { name: "Search conversations" });
    await search.fill("RED plain");
    await expect(entries(page)).toHaveCount(1);
    await expect(entries(page)).toContainText("What is this?");
    await search.fill("zeppelin");
    await expect(page.getByText("No conversation contains “zeppelin”.")).toBeVisible();
    await search.fill("");

    const old = entries(page).filter({ hasText: "What is this?" });
    await old.hover();
    await old.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Conversation name" }).fill("A red thing");
    await page.keyboard.press("Enter");
    const renamed = entries(page).filter({ hasText: "A red thing" });
    await expect(renamed).toHaveCount(1);

    await renamed.hover();
    await renamed.getByRole("button", { name: "Delete" }).click();
    await expect(entries(page)).toHaveCount(1);
    await button(page, "Undo").click();
    await expect(entries(page)).toHaveCount(2);
    await page.reload();
    await expect(entries(page).filter({ hasText: "A red thing" })).toHaveCount(1);
    await expect(questions(page)).toContainText("Where is the lighthouse?");
    expect(await violations(page)).toEqual([]);
  });

  test("a question and its answer are deleted, brought back, and gone after a reload if they stay deleted", async ({
    page,
  }) => {
    const more = answeredTurns.map((turn) => ({
      ...turn,
      id: `${turn.id}-2`,
      pictures: [],
      text: `${turn.text} again`,
    }));
    const second = more.map(({ pictures, ...turn }) => (turn.role === "user" ? { ...turn, pictures } : turn));
    await openSavedChat(page, [...answeredTurns, ...second], { p1: redPng });
    await questions(page).first().hover();
    await questions(page).first().getByRole("button", { name: "Delete question and answer" }).click();
    await expect(questions(page)).toHaveCount(1);
    await button(page, "Undo").click();
    await expect(questions(page)).toHaveCount(2);
    await questions(page).first().hover();
    await questions(page).first().getByRole("button", { name: "Delete question and answer" }).click();
    await page.reload();
    await expect(questions(page)).toHaveCount(1);
    await expect(questions(page)).toContainText("again");
  });

  test("what was done in the last moment before the page went is done: deleted, brought back, asked, shown", async ({
    page,
  }) => {
    const notes = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("unfinished")));
    /** Clicks the elements and leaves in one task: no transaction can have ended by then. */
    const clickAndGo = (...names: string[]) =>
      Promise.all([
        page.waitForEvent("load"),
        page.evaluate((labels) => {
          for (const label of labels) {
            const found = [...document.querySelectorAll<HTMLElement>("button")].find(
              (candidate) => (candidate.getAttribute("aria-label") ?? candidate.textContent.trim()) === label,
            );
            if (found === undefined) throw new Error(`there is no button "${label}"`);
            found.click();
          }
          location.reload();
        }, names),
      ]);
    const second = answeredTurns.map((turn) => ({ ...turn, id: `${turn.id}-2`, text: `${turn.text} again` }));
    await openSavedChat(page, [...answeredTurns, ...second], { p1: redPng });
    await clickAndGo("Delete question and answer");
    await expect(questions(page)).toHaveCount(1);
    await expect(questions(page)).toContainText("again");
    await expect(questions(page).getByRole("img")).toBeVisible();
    expect(await notes()).toEqual([]);

    // Its last question gone, the conversation is gone.
    await clickAndGo("Delete question and answer");
    await expect(page.getByTestId("empty-state")).toBeVisible();
    await button(page, "Show conversations").click();
    await expect(entries(page)).toHaveCount(0);

    await ask(page, "Is anybody there?");
    await expect(entries(page)).toHaveCount(1);
    await clickAndGo("New chat");
    await expect(entries(page)).toHaveCount(1);
    await expect(page.getByTestId("empty-state")).toBeVisible();
    expect(await notes()).toEqual([]);
  });

  test("what a page noted when it went is joined with what another tab has kept since", async ({ page }) => {
    await openSavedChat(page, answeredTurns, { p1: redPng });
    await page.evaluate(() => {
      const turns = [
        { role: "user", id: "q9", text: "And this?", pictures: [{ id: "p1", name: "red.png", key: "unknown" }], at: 9 },
      ];
      const value = { version: 2, id: "saved", revision: "r9", updatedAt: 9, turns, branches: [] };
      const steps = [{ op: "save", id: "saved", before: "r7", own: ["r8", "r9"], value }];
      localStorage.setItem("llava-web-chat:unfinished:another", JSON.stringify(steps));
      localStorage.setItem("llava-web-chat:unfinished:broken", "{");
    });
    await page.reload();
    await expect(questions(page)).toContainText("And this?");
    // Noted before the key of its picture was known, which had been kept meanwhile.
    await expect(questions(page).getByRole("img")).toBeVisible();
    await questions(page).getByRole("button", { name: "Previous version" }).click();
    await expect(questions(page)).toContainText("What is this?");
    await expect(questions(page).getByRole("img")).toBeVisible();
  });

  test("a question whose picture did not make it in a page's last moment is kept and not answered", async ({
    page,
  }) => {
    await openSavedChat(page, answeredTurns, { p1: redPng });
    await page.evaluate(() => {
      const question = {
        role: "user",
        id: "q9",
        text: "Is it red?",
        pictures: [{ id: "p9", name: "9.png", key: "p9" }],
      };
      const turns = [question, { role: "assistant", id: "a9", text: "", status: "queued" }];
      const value = { version: 2, id: "new", revision: "r9", updatedAt: 9, turns, branches: [] };
      const steps = [
        { op: "save", id: "new", own: ["r9"], value },
        { op: "last", id: "new" },
      ];
      localStorage.setItem("llava-web-chat:unfinished:another", JSON.stringify(steps));
    });
    // Without the address of the conversation that is shown here.
    await page.goto("./");
    await expect(questions(page)).toContainText("Is it red?");
    await expect(answers(page)).toContainText("Stopped.");
  });

  test("pictures open large and zoom by button, key and wheel; before they are sent they can be cropped", async ({
    page,
  }) => {
    await page.getByTestId("file-input").setInputFiles([red, { ...red, name: "second.png" }]);
    await button(page, "Enlarge red.png").click();
    const viewer = page.getByTestId("lightbox");
    await expect(viewer.getByRole("img")).toBeVisible();
    await viewer.getByRole("button", { name: "Zoom in" }).click();
    await expect(viewer.getByRole("button", { name: "Fit to screen" })).toContainText("150%");
    await page.keyboard.press("0");
    await expect(viewer.getByRole("button", { name: "Fit to screen" })).toContainText("100%");
    await page.mouse.move(600, 300);
    await page.mouse.wheel(0, -400);
    await expect(viewer.getByRole("button", { name: "Fit to screen" })).not.toContainText("100%");
    await page.keyboard.press("0");
    await page.keyboard.press("ArrowRight");
    await expect(viewer.getByRole("img", { name: "Picture 2: second.png" })).toBeVisible();
    expect(await violations(page)).toEqual([]);

    await viewer.getByRole("button", { name: "Crop" }).click();
    const dialog = page.getByRole("dialog", { name: "Crop the picture" });
    await dialog.getByRole("slider", { name: "Right edge" }).fill("50");
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Use this part" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
    const cropped = page.getByRole("img", { name: "Picture 2: second.png" });
    await expect
      .poll(() => cropped.evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)))
      .toBe(1);
  });

  test("an address that can't be fetched gets a sentence with the next step", async ({ page }) => {
    await button(page, "Camera or web address").click();
    const address = page.getByRole("textbox", { name: "Picture address" });
    await address.fill("ftp://example.com/a.png");
    await address.press("Enter");
    await expect(page.getByTestId("picture-problem")).toContainText("couldn't be downloaded");
    await expect(page.getByTestId("conversation")).toHaveCount(0);
  });

  test("a picture is fetched from an address whose server allows it", async ({ page }) => {
    const server = await serveStatic({ folder: "public/examples", headers: { "access-control-allow-origin": "*" } });
    try {
      await button(page, "Camera or web address").click();
      await page.getByRole("textbox", { name: "Picture address" }).fill(`${server.url}pets.png`);
      await button(page, "Add").click();
      await expect(button(page, "Remove pets.png")).toBeVisible();
    } finally {
      await server.stop();
    }
  });

  test("keys open the help sheet, the search and a new chat, and Escape closes what is open", async ({ page }) => {
    await openSavedChat(page, answeredTurns, { p1: redPng });
    await page.keyboard.press("Control+/");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect(sheet).toContainText("New chat");
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await expect(sheet).toHaveCount(0);
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("searchbox", { name: "Search conversations" })).toBeFocused();
    await page.keyboard.press("Shift+Escape");
    await expect(box(page)).toBeFocused();
    await page.keyboard.press("ArrowUp");
    await expect(page.getByRole("textbox", { name: "Edit your question" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("question-editor")).toHaveCount(0);
    await page.keyboard.press("Control+Shift+O");
    await expect(page.getByTestId("empty-state")).toBeVisible();
    // A question mark is a character where one types.
    await box(page).pressSequentially("Why?");
    await expect(sheet).toHaveCount(0);
    await expect(box(page)).toHaveValue("Why?");
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`on a phone the list is a drawer that closes when something is chosen, ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 740 });
      await openSavedChat(page, answeredTurns, { p1: redPng });
      await button(page, "Edit the question").click();
      await expect(page.getByTestId("question-editor")).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await button(page, "Cancel").click();
      await button(page, "New chat").click();
      await button(page, "Show conversations").click();
      await expect(page.getByRole("dialog", { name: "Conversations" })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await entries(page).getByRole("button").first().click();
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await expect(answers(page)).toHaveCount(1);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
    });
  }
});

test.describe("with the model", () => {
  test.beforeEach(async ({ page }) => {
    await openPage(page, "./?device=wasm");
    await modelReady(page);
  });

  test("an answer given anew and a question in other words stand beside the old ones, also after a reload", async ({
    page,
  }) => {
    await askAbout(page, "pets.png", "How many cats are there?");
    await button(page, "Regenerate").click();
    await expect(answers(page)).toHaveAttribute("data-status", "done");
    await expect(answers(page).getByTestId("pager")).toContainText("2/2");
    await button(page, "Previous version").click();
    await expect(answers(page).getByTestId("pager")).toContainText("1/2");
    await asked(page, "Is there a dog?");

    await questions(page).first().hover();
    await questions(page).first().getByRole("button", { name: "Edit the question" }).click();
    await page.getByRole("textbox", { name: "Edit your question" }).fill("How many dogs are there?");
    await page.getByTestId("question-editor").getByRole("button", { name: "Send" }).click();
    await expect(questions(page)).toHaveCount(1);
    await expect(answers(page)).toHaveAttribute("data-status", "done");
    await expect(questions(page).getByTestId("pager")).toContainText("2/2");
    await page.reload();
    await expect(questions(page)).toContainText("How many dogs are there?");
    await questions(page).getByRole("button", { name: "Previous version" }).click();
    await expect(questions(page)).toHaveCount(2);
    await expect(questions(page).first()).toContainText("How many cats are there?");
  });

  test("a picture in history is replaced by another, several pictures stand in later turns, and the answer is given anew", async ({
    page,
  }) => {
    await askAbout(page, "pets.png", "What is this?");
    await questions(page).hover();
    await button(page, "Edit the question").click();
    const editor = page.getByTestId("question-editor");
    await editor.getByRole("button", { name: "Remove pets.png" }).click();
    await page.getByTestId("editor-file-input").setInputFiles([red, { ...red, name: "second.png" }]);
    await expect(editor.getByRole("img")).toHaveCount(2);
    await page.getByTestId("question-editor").getByRole("button", { name: "Send" }).click();
    await expect(answers(page)).toHaveAttribute("data-status", "done");
    await expect(questions(page).getByRole("img")).toHaveCount(2);
    await page.getByTestId("file-input").setInputFiles(red);
    await expect(button(page, "Remove red.png")).toBeVisible();
    await asked(page, "And this?");
    await expect(questions(page).last().getByRole("img")).toHaveCount(1);
    // Three times the same bytes are kept once.
    const kept = await page.evaluate(
      () =>
        new Promise<number>((resolve, reject) => {
          const opening = indexedDB.open("llava-web-chat");
          opening.onerror = () => reject(new Error("no database"));
          opening.onsuccess = () => {
            const count = opening.result
              .transaction("kv")
              .objectStore("kv")
              .count(IDBKeyRange.bound("picture:", "picture;"));
            count.onsuccess = () => resolve(count.result);
          };
        }),
    );
    expect(kept).toBe(2);
  });

  test("two tabs on one conversation: each shows what the other asked, and nothing is lost when both ask at once", async ({
    page,
    context,
  }) => {
    await asked(page, "First of all?");
    const other = await context.newPage();
    await openPage(other, "./?device=wasm");
    await expect(questions(other)).toHaveCount(1);
    await asked(page, "From the first tab?");
    await expect(questions(other)).toHaveCount(2);
    await modelReady(other);

    await Promise.all([box(page).fill("At once, here?"), box(other).fill("At once, there?")]);
    await Promise.all([page, other].map((tab) => box(tab).press("Enter")));
    for (const [tab, question] of [
      [page, "At once, here?"],
      [other, "At once, there?"],
    ] as const) {
      await expect(tab.getByText(question)).toBeVisible();
      await expect(answers(tab).last()).toHaveAttribute("data-status", /done|stopped/, { timeout: 60_000 });
    }
    const fresh = await context.newPage();
    await openPage(fresh, "./?device=wasm");
    // Two versions of one question; where the second tab heard of the first one's before its own went out, one after the other.
    await expect(async () => {
      const third = questions(fresh).nth(2);
      const after = (await questions(fresh).count()) === 4;
      if (!after) await expect(third.getByTestId("pager")).toContainText("/2", { timeout: 1 });
      await expect(questions(fresh)).toHaveCount(after ? 4 : 3, { timeout: 1 });
      await expect(questions(fresh).last()).toContainText("At once, ", { timeout: 1 });
    }).toPass({ timeout: 30_000 });
  });
});

test.describe("with the model and long conversations", () => {
  /** A conversation whose last answer says how much of the memory it took. */
  const long = (promptTokens: number, count: number) =>
    Array.from({ length: count }, (_, index) =>
      answeredTurns.map((turn) => ({
        ...turn,
        id: `${turn.id}-${index}`,
        text: turn.role === "user" ? `Question ${index}?` : "Yes. ".repeat(12),
        ...(turn.role === "user"
          ? { pictures: [] }
          : { usage: { promptTokens, cachedTokens: 0, imageTokens: 0, newTokens: 10 } }),
      })),
    ).flat();

  test("before the memory overflows it is said; then the oldest turns can be left out, or the chat started anew", async ({
    page,
  }) => {
    await openPage(page, "./?device=wasm");
    await openSavedChat(page, long(100_000, 4));
    await modelReady(page);
    await expect(page.getByTestId("budget")).toHaveAttribute("data-state", "full");
    await box(page).fill("One more?");
    expect(await violations(page)).toEqual([]);
    await button(page, "Send without the oldest messages").click();
    await expect(answers(page)).toHaveCount(5);
    await expect(answers(page).last()).toHaveAttribute("data-status", "done");
    await expect(page.getByText("The model no longer sees messages above this line.")).toBeVisible();
    // It stays so after a reload.
    await page.reload();
    await expect(page.getByText("The model no longer sees messages above this line.")).toBeVisible();
    await expect(questions(page)).toHaveCount(5);
  });

  test("an answer that was cut off goes on", async ({ page }) => {
    await openPage(page, "./?device=wasm");
    const turns = answeredTurns.map((turn) =>
      turn.role === "user" ? { ...turn, pictures: [] } : { ...turn, text: "There are", reason: "length" },
    );
    await openSavedChat(page, turns);
    await modelReady(page);
    await button(page, "Continue").click();
    await expect(answers(page)).toHaveAttribute("data-status", "done");
    await expect(answers(page)).toHaveCount(1);
    await expect(page.getByTestId("answer")).toContainText(/^There are/);
  });
});
