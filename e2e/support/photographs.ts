// Asks a model about pictures of one's own, through the page as a visitor would: `npm run photographs -- <folder of pictures> [--to <folder>]
// [--package <folder>] [--adapter <folder>] [--question <question>]… [--device webgpu]`. The model is the built-in one unless --package names
// another; --adapter is imported in the models view and chosen. Writes two screenshots of each picture and a table of the answers as they
// came, photographs/answers.md. Asserts nothing.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join, parse } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type Page } from "@playwright/test";
import { securityHeaders } from "#sw/security-headers.ts";
import { serveStatic } from "./static-server.ts";

const usual = ["What is this?", "Describe the picture.", "Is this a photo?", "Is there a dog?"];
const builtIn = "public/models/pocket-llava";
const kinds = new Set([".jpg", ".jpeg", ".png", ".webp"]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    to: { type: "string", default: "photographs" },
    package: { type: "string", default: builtIn },
    adapter: { type: "string" },
    question: { type: "string", multiple: true, default: usual },
    device: { type: "string", default: "wasm" },
  },
});
const [app = "dist-screenshots", from] = positionals;
if (from === undefined) throw new Error("name the folder of the pictures: npm run photographs -- <folder>");
const pictures = (await readdir(from)).filter((name) => kinds.has(extname(name).toLowerCase())).sort();
const { to, question: questions } = values;
await mkdir(to, { recursive: true });

const site = await serveStatic({
  folder: app,
  headers: securityHeaders,
  instead: { "models/pocket-llava": values.package },
});
const executablePath = process.env["CHROMIUM_PATH"];
const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
const browser = await chromium.launch({ args, ...(executablePath ? { executablePath } : {}) });
const context = await browser.newContext({ locale: "en", viewport: { width: 1100, height: 1000 } });
const page = await context.newPage();
await page.goto(`${site.url}?device=${values.device}`);
await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();

if (values.adapter !== undefined) await useAdapter(values.adapter);

/** Imports the adapter's folder in the models view and chooses it. */
async function useAdapter(folder: string): Promise<void> {
  const { model } = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as { model: { name: string } };
  const picker = page.getByTestId("model-picker");
  await picker.getByRole("button").first().click();
  await page.getByRole("button", { name: "Manage models" }).click();
  const dialog = page.getByRole("dialog", { name: "Models" });
  await dialog.getByTestId("folder-input").setInputFiles(folder);
  await dialog.getByTestId("storage-outcome").filter({ hasText: "imported and verified" }).waitFor();
  await page.keyboard.press("Escape");
  await picker.getByRole("button").first().click();
  await page
    .getByTestId("model-choice")
    .filter({ hasText: `+ ${model.name}` })
    .click();
  await picker.filter({ hasText: model.name }).waitFor();
  await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();
}

/** Drops it, and asks every question in one conversation. */
async function askAbout(page: Page, picture: string): Promise<string[]> {
  const name = parse(picture).name;
  await page.getByTestId("file-input").setInputFiles(join(from ?? "", picture));
  await page.locator(".thumbnail img").waitFor();
  const offered = values.package === builtIn && (await isOffered(page));
  await page.screenshot({ path: join(to, `${name}-dropped.png`), animations: "disabled" });
  const answers: string[] = [];
  for (const question of questions) {
    await page.getByRole("textbox").fill(question);
    await page.keyboard.press("Enter");
    const answer = page.getByTestId("answer-turn").nth(answers.length);
    await answer.waitFor();
    await page.locator(`[data-testid="answer-turn"]:not([data-status="queued"], [data-status="running"])`).nth(answers.length).waitFor(); // prettier-ignore
    answers.push((await answer.getByTestId("answer").innerText()).trim());
  }
  await page.screenshot({ path: join(to, `${name}.png`), animations: "disabled" });
  await page.getByRole("button", { name: "New chat" }).first().click();
  return [offered ? "yes" : "no", ...answers];
}

/** Whether the page offers a model for photographs; it offers none for a drawing. */
function isOffered(page: Page): Promise<boolean> {
  return page
    .getByTestId("photo-offer")
    .waitFor({ timeout: 20_000 })
    .then(
      () => true,
      () => false,
    );
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ");
const rows: string[] = [];
for (const picture of pictures) {
  const cells = await askAbout(page, picture);
  console.log([picture, ...cells].join(" | "));
  rows.push(`| ${[picture, ...cells].map(cell).join(" | ")} |`);
}
const head = ["picture", "looks like a photo", ...questions];
const table = [head, head.map(() => "---")].map((line) => `| ${line.join(" | ")} |`);
await writeFile(join(to, "answers.md"), `${[...table, ...rows].join("\n")}\n`);
await browser.close();
await site.stop();
console.log(`Answers and screenshots are in ${to}/.`);
