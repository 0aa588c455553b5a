// Conversations out of the page and back in: LLaVA's training data, Markdown, backup; and files that are wrong.
import { readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { violations } from "../support/axe.ts";
import { alone } from "../support/alone.ts";
import { longestTask, watchLongTasks } from "../support/long-tasks.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";

test.use({ serviceWorkers: "block" });

const red = Buffer.from(redPng, "base64");
const dialog = (page: Page) => page.getByRole("dialog", { name: "Export and import" });

async function openDialog(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Export and import" }).click();
  await expect(dialog(page)).toBeVisible();
}

/** Exports what the dialog is set to, and reads the file. */
async function exported(page: Page, format: string): Promise<{ name: string; bytes: Uint8Array }> {
  await dialog(page).getByText(format, { exact: true }).click();
  const download = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: "Export", exact: true }).click();
  const file = await download;
  await expect(page.getByTestId("export-outcome")).toContainText("downloads");
  return { name: file.suggestedFilename(), bytes: new Uint8Array(await readFile(await file.path())) };
}

async function give(page: Page, name: string, content: string | Uint8Array): Promise<void> {
  const buffer = Buffer.from(typeof content === "string" ? strToU8(content) : content);
  await page.getByTestId("import-input").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
}

async function drop(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const sent = Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")] as const);
  await page.evaluate((given) => {
    const dataTransfer = new DataTransfer();
    for (const [name, base64] of given)
      dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
  }, sent);
}

test.beforeEach(async ({ page }) => {
  await page.route("**/models/**", () => undefined);
  await page.goto("./");
});

test("a conversation goes out in three forms, and its backup comes back on another device", async ({
  page,
  browser,
  baseURL,
}) => {
  await openSavedChat(page, answeredTurns, { p1: redPng });
  await openDialog(page);
  expect(await violations(page)).toEqual([]);

  const llava = await exported(page, "LLaVA data");
  expect(llava.name).toBe("what-is-this-llava.zip");
  const files = unzipSync(llava.bytes);
  const samples: unknown = JSON.parse(strFromU8(files["llava.json"] ?? new Uint8Array()));
  expect(samples).toMatchObject([
    { conversations: [{ from: "human", value: "<image>\nWhat is this?" }, { from: "gpt" }] },
  ]);
  const image = Object.keys(files).find((path) => path.startsWith("images/"));
  expect(Buffer.from(files[image ?? ""] ?? [])).toEqual(red);

  const markdown = unzipSync((await exported(page, "Markdown")).bytes);
  expect(strFromU8(markdown["what-is-this.md"] ?? new Uint8Array())).toContain("It is a **red** picture.");

  const backup = await exported(page, "Backup");
  const other = await browser.newPage({ ...(baseURL === undefined ? {} : { baseURL }), serviceWorkers: "block" });
  await other.route("**/models/**", () => undefined);
  await other.goto("./");
  await openDialog(other);
  await give(other, backup.name, backup.bytes);
  await expect(other.getByTestId("import-outcome")).toContainText("1 conversation opened.");
  await other.getByRole("button", { name: "Close" }).click();
  for (let visit = 0; visit < 2; visit++) {
    await expect(other.getByTestId("answer")).toContainText("It is a red picture.");
    const picture = other.getByTestId("question-turn").getByRole("img");
    await expect
      .poll(() => picture.evaluate((element) => (element instanceof HTMLImageElement ? element.naturalWidth : 0)))
      .toBe(2);
    await other.reload();
  }
  await other.close();
});

test("LLaVA data dropped on the page with its picture opens as a conversation", async ({ page }) => {
  const data = [
    {
      id: "1",
      image: "coco/red.png",
      conversations: [
        { from: "human", value: "<image>\nWhich color?" },
        { from: "gpt", value: "Red." },
      ],
    },
  ];
  await drop(page, { "data.json": strToU8(JSON.stringify(data)), "red.png": red });
  await expect(page.getByTestId("import-outcome")).toContainText("1 conversation opened.");
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.getByTestId("question-turn")).toContainText("Which color?");
  await expect(page.getByTestId("question-turn").getByRole("img")).toBeVisible();
  await expect(page.getByTestId("answer")).toHaveText("Red.");
});

test("every wrong thing in a file is told in a sentence, and nothing of it runs", async ({ page }) => {
  const value = "<img src=x onerror='globalThis.hacked=1'>";
  const good = [
    { from: "human", value },
    { from: "gpt", value },
  ];
  const list = [
    { conversations: good, image: "https://evil.example/pixel.png" },
    { conversations: good, image: "vector.svg" },
    { conversations: [...good, { from: "gpt", value: "again" }] },
    { nothing: true },
  ];
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await openDialog(page);
  await give(
    page,
    "hostile.zip",
    zipSync({
      "a.json": strToU8(JSON.stringify(list)),
      "vector.svg": strToU8("<svg xmlns='http://www.w3.org/2000/svg' onload='globalThis.hacked=2'/>"),
    }),
  );
  await expect(page.getByTestId("import-outcome")).toContainText("2 conversations opened.");
  await expect(page.getByTestId("import-problem")).toHaveText([
    /“pixel\.png” is stored elsewhere/,
    /“vector\.svg” isn't a picture/,
    /Conversation 3 of “hostile\.zip” was left out: its speakers don't take turns/,
    /Conversation 4 of “hostile\.zip” was left out: it isn't a conversation/,
  ]);
  expect(await violations(page)).toEqual([]);
  await give(page, "broken.json", "[{");
  await expect(page.getByTestId("import-problem")).toHaveText(/“broken\.json” isn't valid JSON/);
  await give(page, "cut.zip", zipSync({ "a.json": strToU8("[]") }).slice(0, 30));
  await expect(page.getByTestId("import-problem")).toHaveText(/“cut\.zip” is damaged/);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.getByTestId("answer")).toHaveText(value);
  expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
  expect(requests.filter((url) => url.includes("evil"))).toEqual([]);
});

test(
  "a file built to hang its reader leaves the page at work, ends within seconds, and can be stopped",
  alone,
  async ({ page }) => {
    await watchLongTasks(page);
    await page.reload();
    await openDialog(page);
    /** Files of many megabytes, made in the page. */
    const drop = (kind: "lines" | "numbers" | "pictures" | "long") =>
      page.evaluate((what) => {
        const turns = [{ from: "human", value: "<image>\nHi" }];
        const make = {
          lines: () => ["[]\n".repeat(5e6)],
          numbers: () => [`[[${"7,".repeat(5e6)}7]]`],
          pictures: () => [
            JSON.stringify(
              Array.from({ length: 300 }, (_, i) => ({
                image: Array.from({ length: 1000 }, (_, j) => `${i}-${j}.png`),
                conversations: turns,
              })),
            ),
          ],
          long: () => Array.from({ length: 2000 }, () => `${JSON.stringify({ text: "word ".repeat(1500) })}\n`),
        };
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(make[what](), `${what}.jsonl`));
        // What making them cost is not the import's.
        setTimeout(() => {
          (Reflect.get(globalThis, "llavaLongTasks") as number[]).length = 0;
          document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
        }, 200);
      }, kind);
    const longest: number[] = [];
    for (const kind of ["lines", "numbers", "pictures"] as const) {
      await drop(kind);
      await expect(page.getByTestId("import-problem").first()).toContainText(`${kind}.jsonl`, { timeout: 20_000 });
      longest.push(await longestTask(page));
    }
    await drop("long");
    await dialog(page).getByRole("button", { name: "Stop" }).click();
    await expect(page.getByTestId("import-outcome")).toContainText("You stopped the import.");
    console.log(`longest tasks of the main thread while importing: ${longest.join(", ")} ms`);
    expect(Math.max(...longest)).toBeLessThan(1000);
  },
);
