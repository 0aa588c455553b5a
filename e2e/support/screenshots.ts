// Pictures of every view, to be looked at: `npm run screenshots [-- <folder>]` builds the page and writes them to screenshots/.
// Wide and light in English, wide and dark in Chinese, and both languages on a phone. Asserts nothing.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Page } from "@playwright/test";
import { startFakeServer } from "#testing/fake-server.node.ts";
import { securityHeaders } from "#sw/security-headers.ts";
import { languages } from "#ui/texts/texts.ts";
import { serveStatic } from "./static-server.ts";

const [app = "dist-test", to = "screenshots"] = process.argv.slice(2);
const forms = [
  { name: "wide", language: "en", colorScheme: "light", width: 1100, height: 800 },
  { name: "wide-dark-zh", language: "zh", colorScheme: "dark", width: 1100, height: 800 },
  { name: "phone-dark", language: "en", colorScheme: "dark", width: 360, height: 740 },
  { name: "phone-zh", language: "zh", colorScheme: "light", width: 360, height: 740 },
] as const;

const site = await serveStatic({ folder: app, headers: securityHeaders });
const server = await startFakeServer({ models: ["llava-13b"] });
const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({ args: ["--no-sandbox"], ...(executablePath ? { executablePath } : {}) });
await mkdir(to, { recursive: true });

for (const { name, language, colorScheme, width, height } of forms) {
  const t = languages[language];
  const context = await browser.newContext({ colorScheme, locale: t.tag, viewport: { width, height } });
  const page = await context.newPage();
  const shot = async (view: string): Promise<void> => {
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(to, `${name}-${view}.png`) });
  };
  const button = (label: string) => page.getByRole("button", { name: label, exact: true });
  const close = (): Promise<void> => page.keyboard.press("Escape");
  const pickerButton = async (label: string): Promise<void> => {
    await page.getByTestId("model-picker").getByRole("button").first().click();
    await button(label).click();
  };
  await page.goto(`${site.url}?device=wasm`);
  await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();
  await page.getByTestId("photo-offer").waitFor();
  await shot("empty");
  await page.getByTestId("example").first().getByRole("button").first().click();
  await page.locator('[data-testid="answer-turn"][data-status="done"]').waitFor();
  await shot("answer");
  await page.getByTestId("answer-figures").getByRole("button").click();
  await shot("figures");
  await close();
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await shot("models");
  await close();
  await page.getByTestId("model-status").getByRole("button").click();
  await shot("model-panel");
  await close();
  await button(t.settings).click();
  await shot("settings");
  await page.getByText(t.sampling.more).click();
  await shot("settings-more");
  await button(t.about).click();
  await shot("about");
  await close();
  await close();
  await page.keyboard.press("Control+/");
  await shot("shortcuts");
  await close();
  await pickerButton(t.storage.open);
  await shot("storage");
  await close();
  await pickerButton(t.remote.connect);
  await shot("server");
  await page.getByRole("textbox", { name: t.remote.address }).fill(server.url);
  await page.keyboard.press("Enter");
  await page.getByTestId("leaves-device").waitFor();
  await shot("on-server");
  await pickerButton(t.compare.open);
  await shot("compare");
  await button(t.compare.ask).click();
  await page.getByRole("button", { name: t.compare.adopt }).first().waitFor();
  await shot("compared");
  await close();
  await page.locator("#toggle-sidebar").click();
  await shot("conversations");
  await page.getByRole("button", { name: t.transfer.title }).click();
  await shot("export");
  await close();
  await viewPicture(page, shot);
  await context.close();
}
await browser.close();
await server.stop();
await site.stop();
console.log(`The pictures are in ${to}/.`);

async function viewPicture(page: Page, shot: (view: string) => Promise<void>): Promise<void> {
  const picture = page.getByTestId("question-turn").locator("img").first();
  await picture.scrollIntoViewIfNeeded();
  await picture.click();
  await shot("lightbox");
  await page.keyboard.press("Escape");
}
