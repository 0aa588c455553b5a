// Collecting what a model is to learn: cards and pictures, bad files, reloads, files of lessons, and corrections of a chat's answers. Needs no
// model.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";
import { drawPictures } from "./drawn-pictures.ts";

test.use({ serviceWorkers: "block" });

test.beforeEach(async ({ page }) => {
  // The model never arrives.
  await page.route("**/models/**", (route) => route.fulfill({ status: 404 }));
});

const card = (page: Page, name: string): Locator => page.getByRole("region", { name, exact: true });
const addTo = async (where: Locator, files: Parameters<Locator["setInputFiles"]>[0]): Promise<void> =>
  where.getByTestId("files-input").setInputFiles(files);

/** Begins a lesson of two named things. */
async function beginLesson(page: Page): Promise<void> {
  await page.goto("./#/teach");
  await page.getByRole("button", { name: /Things and their names/ }).click();
  const names = page.getByTestId("lesson-card").getByLabel("Name");
  await names.nth(0).fill("blip");
  await names.nth(1).fill("zorp");
}

/** All lessons as they are stored, as one text. */
function storedLessons(page: Page): Promise<string> {
  return page.evaluate(
    () =>
      new Promise<string>((resolve, reject) => {
        const opened = indexedDB.open("llava-web-lessons");
        opened.onerror = () => reject(new Error("the lessons' database can't be opened"));
        opened.onsuccess = () => {
          const [name = ""] = opened.result.objectStoreNames;
          const all = opened.result.transaction(name).objectStore(name).getAll();
          all.onsuccess = () => {
            opened.result.close();
            resolve(JSON.stringify(all.result));
          };
        };
      }),
  );
}

test("a lesson is collected, keeps through a reload, is moved, removed, undone, and saved as a file that opens again", async ({
  page,
}) => {
  await page.goto("./");
  await page.getByRole("button", { name: "Show conversations" }).click();
  await page.getByRole("button", { name: "Teach", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Teach", level: 1 })).toBeVisible();
  await expect(page).toHaveURL(/#\/teach$/);
  await beginLesson(page);
  await expect(page).toHaveURL(/#\/teach\/[0-9a-f]{32}$/);
  await expect(page.getByTestId("lesson-problem")).toHaveAttribute("data-kind", "empty");

  const [blips, zorps] = [await drawPictures(page, "blip", [1, 2, 3, 4]), await drawPictures(page, "zorp", [1, 2, 3])];
  await addTo(card(page, "blip"), [
    ...blips,
    { name: "torn.png", mimeType: "image/png", buffer: (blips[0]?.buffer ?? Buffer.alloc(0)).subarray(0, 60) },
    { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("not a picture") },
  ]);
  const pictures = (name: string): Locator => card(page, name).getByTestId("card-picture");
  await expect(pictures("blip")).toHaveCount(4);
  const troubles = page.getByTestId("given-trouble");
  await expect(troubles).toHaveText([/“torn.png” is damaged/, /“notes.txt” isn't a picture/]);
  await addTo(card(page, "zorp"), [...zorps, ...blips.slice(0, 1)]);
  await expect(troubles).toHaveText([/1 picture is already on the card “blip”/]);
  await addTo(card(page, "zorp"), zorps.slice(0, 2));
  await expect(troubles).toHaveText([/2 pictures were already on this card/]);
  await expect(page.getByTestId("lesson-problem")).toHaveAttribute("data-kind", "few");

  await page.getByLabel("Move blip-4.png to another card").selectOption("zorp");
  await expect(pictures("zorp")).toHaveCount(4);
  await expect(pictures("blip")).toHaveCount(3);
  await page.getByRole("button", { name: "Remove zorp-1.png" }).click();
  await expect(pictures("zorp")).toHaveCount(3);
  await expect(page.getByTestId("lesson-problem")).toHaveAttribute("data-kind", "few");
  await page.getByTestId("lesson-undo").getByRole("button", { name: "Undo" }).click();
  await expect(pictures("zorp")).toHaveCount(4);
  await expect.poll(() => storedLessons(page)).toContain("zorp-1.png");

  await page.reload();
  await expect(pictures("zorp")).toHaveCount(4);
  await expect(pictures("blip")).toHaveCount(3);
  expect(await violations(page)).toEqual([]);

  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as a file" }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe("blip-zorp.zip");
  const zip = await readFile(await download.path());
  await page.getByRole("button", { name: "Delete lesson" }).click();
  await expect(page).toHaveURL(/#\/teach$/);
  await expect(page.getByTestId("lesson-entry")).toHaveCount(0);
  await page.getByTestId("lesson-undo").getByRole("button", { name: "Undo" }).click();
  await expect(page.getByTestId("lesson-entry")).toHaveText([/blip, zorp.*2 answers · 7 pictures · not taught yet/]);

  await page.getByTestId("lesson-input").setInputFiles({ name: "mine.zip", mimeType: "application/zip", buffer: zip });
  await expect(page.getByTestId("lesson-import")).toHaveText(/7 pictures opened/);
  await expect(pictures("zorp")).toHaveCount(4);
  await expect(page.getByLabel("Lesson name")).toHaveValue("mine");
  await page.goBack();
  await expect(page.getByTestId("lesson-entry")).toHaveCount(2);
  await page
    .getByTestId("lesson-input")
    .setInputFiles({ name: "x.zip", mimeType: "application/zip", buffer: Buffer.from("PK no") });
  await expect(page.getByTestId("lesson-import")).toHaveText(/hold no lesson/);
});

test("a change in the moment of a reload is kept", async ({ page }) => {
  await beginLesson(page);
  await addTo(card(page, "blip"), await drawPictures(page, "blip", [1]));
  await expect(page.getByTestId("card-picture")).toHaveCount(1);
  await expect.poll(() => storedLessons(page)).toContain("blip-1.png");
  const reloaded = page.waitForEvent("load");
  await page.getByLabel("Lesson name").evaluate((field: HTMLInputElement) => {
    field.value = "Shapes";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    location.reload();
  });
  await reloaded;
  await expect(page.getByLabel("Lesson name")).toHaveValue("Shapes");
  await expect(page.getByTestId("card-picture").getByRole("img")).toHaveCount(1);
  expect(await storedLessons(page)).toContain("Shapes");
  expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("lessons")))).toEqual([]);
});

test("folders that are dropped or picked become cards or fill one", async ({ page }, testInfo) => {
  await page.goto("./#/teach");
  await page.getByRole("button", { name: /Things and their names/ }).click();
  for (const kind of ["blip", "zorp"] as const) {
    const folder = testInfo.outputPath("shapes", `my_${kind}`);
    await mkdir(folder, { recursive: true });
    for (const { name, buffer } of await drawPictures(page, kind, [1, 2, 3]))
      await writeFile(`${folder}/${name}`, buffer);
    await writeFile(`${folder}/notes.txt`, "not a picture");
  }
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [testInfo.outputPath("shapes")], dragOperationsMask: 1 };
  // Beside the cards: on a card, all of it would belong to that one.
  const { x, y } = (await page.getByRole("heading", { name: "What it learns" }).boundingBox()) ?? { x: 0, y: 0 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, x: x + 2, y: y + 2, data });
  for (const kind of ["my blip", "my zorp"]) await expect(card(page, kind).getByTestId("card-picture")).toHaveCount(3);
  await expect(page.getByTestId("lesson-card")).toHaveCount(2);
  await card(page, "my zorp").getByTestId("folder-input").setInputFiles(testInfo.outputPath("shapes", "my_zorp"));
  await expect(page.getByTestId("given-trouble")).toHaveText([/3 pictures were already on this card/]);
});

test("a picture dragged out of another page is fetched, or it is said that it can't be", async ({ page }) => {
  await beginLesson(page);
  const drop = (address: string): Promise<void> =>
    page
      .getByTestId("lesson-card")
      .nth(1)
      .evaluate((element, address) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.setData("text/uri-list", address);
        dataTransfer.setData("text/html", `<img src="${address}">`);
        element.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
      }, address);
  await drop(`data:image/png;base64,${redPng}`);
  await expect(card(page, "zorp").getByTestId("card-picture")).toHaveCount(1);
  await drop(new URL("gone.png", page.url()).href);
  await expect(page.getByTestId("given-trouble")).toHaveText([/gone\.png/]);
  await expect(page.getByTestId("card-picture")).toHaveCount(1);
});

test("a lesson of classes needs two, pictures are pasted on a card, and another tab sees it all", async ({
  page,
  context,
}) => {
  await page.goto("./#/teach");
  await page.getByRole("button", { name: /Sort into classes/ }).click();
  await expect(page.getByLabel("Question", { exact: true })).toHaveValue("Is there a defect?");
  const [first] = await drawPictures(page, "blip", [1]);
  await card(page, "Defect")
    .getByTestId("files-input")
    .setInputFiles(await drawPictures(page, "blip", [1, 2, 3]));
  await expect(card(page, "Defect").getByTestId("card-picture")).toHaveCount(3);
  await expect(page.getByTestId("lesson-problem")).toHaveCount(1);
  await expect(page.getByTestId("lesson-problem")).toHaveAttribute("data-kind", "one-class");
  // A paste belongs to the card that has the keyboard.
  await card(page, "No defect").getByRole("button", { name: "Add pictures" }).focus();
  await page.evaluate((base64) => {
    const clipboardData = new DataTransfer();
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
    document.activeElement?.dispatchEvent(
      new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }),
    );
  }, redPng);
  await expect(card(page, "No defect").getByTestId("card-picture")).toHaveCount(1);
  await expect(page.getByTestId("lesson-problem")).toHaveAttribute("data-kind", "too-few");
  expect(first).toBeDefined();

  const other = await context.newPage();
  await other.route("**/models/**", (route) => route.fulfill({ status: 404 }));
  await other.goto(page.url());
  await expect(other.getByTestId("card-picture")).toHaveCount(4);
  await other.getByLabel("Lesson name").fill("Line 3");
  await card(other, "No defect")
    .getByTestId("files-input")
    .setInputFiles(await drawPictures(other, "zorp", [1, 2]));
  await expect(page.getByTestId("card-picture")).toHaveCount(6);
  await expect(page.getByLabel("Lesson name")).toHaveValue("Line 3");
  await other.close();
});

test("pictures are taken from the chat", async ({ page }) => {
  await page.goto("./");
  await openSavedChat(page, answeredTurns, { p1: redPng });
  await page.evaluate(() => (location.hash = "#/teach"));
  await page.getByRole("button", { name: /Things and their names/ }).click();
  const first = page.getByTestId("lesson-card").first();
  await first.getByRole("button", { name: "From this chat" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Add 0 pictures" })).toBeDisabled();
  await dialog.locator(".picture-choice").click();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Add 1 picture" }).click();
  await expect(first.getByTestId("card-picture")).toHaveCount(1);
  await page.reload();
  await expect(page.getByTestId("card-picture").getByRole("img")).toHaveCount(1);
});

test("an answer that is corrected becomes an example with its picture and question, and can be taken back", async ({
  page,
}) => {
  await page.goto("./");
  await openSavedChat(page, answeredTurns, { p1: redPng });
  await page.getByRole("button", { name: "Bad answer" }).click();
  await page.getByRole("button", { name: "What should it have said?" }).click();
  const form = page.getByTestId("correction");
  await expect(form.getByLabel("To the question")).toHaveValue("What is this?");
  await form.getByLabel("What should it have said?").fill("My notebook");
  expect(await violations(page)).toEqual([]);
  await form.getByRole("button", { name: "Keep for teaching" }).click();
  await expect(page.getByTestId("correction-kept")).toContainText("Kept for teaching: “My notebook”");
  await page.reload();
  const kept = page.getByTestId("correction-kept");
  await kept.getByRole("button", { name: "Show in Teach" }).click();
  await expect(page).toHaveURL(/#\/teach\/corrections$/);
  await expect(page.getByTestId("lesson-card").getByLabel("Question")).toHaveValue("What is this?");
  await expect(page.getByTestId("lesson-card").getByLabel("Answer")).toHaveValue("My notebook");
  await expect(page.getByTestId("card-picture")).toHaveCount(1);
  await page.goBack();
  await kept.getByRole("button", { name: "Undo" }).click();
  await expect(kept).toHaveCount(0);
  await expect(page.getByRole("button", { name: "What should it have said?" })).toBeVisible();
});

for (const [locale, colorScheme, width] of [
  ["en-US", "dark", 360],
  ["zh-CN", "light", 360],
] as const)
  test.describe(`${locale}, ${colorScheme}, ${width} px`, () => {
    test.use({ locale, colorScheme, viewport: { width, height: 760 }, reducedMotion: "reduce" });

    test("the lessons have no violation that axe can find, and nothing is wider than the page", async ({ page }) => {
      await page.goto("./#/teach");
      const check = async (): Promise<void> => {
        expect(await violations(page)).toEqual([]);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(over).toBe(0);
      };
      await expect(page.locator(".lesson-kind")).toHaveCount(3);
      await check();
      await page.locator(".lesson-kind").nth(2).click();
      await page.getByTestId("files-input").setInputFiles(await drawPictures(page, "zorp", [1, 2]));
      await expect(page.getByTestId("card-picture")).toHaveCount(2);
      await check();
    });
  });

test("pictures that find no room stay on the page, which says so, and the others are kept", async ({
  page,
  baseURL,
}) => {
  // First, because the browser remembers for a while how much room there was.
  const session = await page.context().newCDPSession(page);
  const origin = new URL(baseURL ?? "").origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 3 * 2 ** 20 });
  await beginLesson(page);
  // Noise, which nothing compresses.
  const noise = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1100, 1100);
    const context = canvas.getContext("2d");
    const pixels = new ImageData(1100, 1100);
    for (let at = 0; at < pixels.data.length; at += 65_536)
      crypto.getRandomValues(pixels.data.subarray(at, at + 65_536));
    context?.putImageData(pixels, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  });
  await addTo(card(page, "blip"), [
    { name: "noise.png", mimeType: "image/png", buffer: Buffer.from(noise, "base64") },
    ...(await drawPictures(page, "blip", [1, 2])),
  ]);
  await expect(page.getByTestId("card-picture")).toHaveCount(3);
  await expect(page.getByTestId("lesson-unsaved")).toContainText("storage is full: 1 picture will be lost");
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  await page.reload();
  // The place of the lost one stays, so that it can be given again.
  const lost = page.locator('[data-testid="card-picture"][data-lost]');
  await expect(lost).toHaveText("noise.png wasn't kept. Add it again.");
  await expect(page.getByTestId("card-picture")).toHaveCount(3);
  await addTo(card(page, "blip"), [{ name: "noise.png", mimeType: "image/png", buffer: Buffer.from(noise, "base64") }]);
  await expect(lost).toHaveCount(0);
  await page.reload();
  await expect(page.getByTestId("card-picture").getByRole("img")).toHaveCount(3);
});
