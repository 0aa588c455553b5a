// A model for photographs is offered beside the picture, as soon as the built-in model's own vision encoder has looked at it. In the place of
// the built-in model stands a tiny random mixture of towers: it tells photographs from drawings, if only among pictures of noise.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Locator, type Page } from "@playwright/test";
import sharp from "sharp";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { securityHeaders } from "#sw/security-headers.ts";
import { startFakeServer } from "#testing/servers/fake-server.node.ts";
import { randomBytes } from "#testing/servers/package-server.node.ts";
import { modelReady, openPage } from "../support/ask.ts";
import { violations } from "../support/axe.ts";
import { serveStatic, type StaticServer } from "../support/static-server.ts";

let root: string;
let server: StaticServer;

test.beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "llava-e2e-photo-"));
  const to = await packageFolder(join(root, "mixture"), { force: true });
  const named = { id: "pocket-llava", name: "Pocket LLaVA", template: "vicuna_v1" };
  await convert(checkpointFolder("training/fixtures/mixture"), to, {
    ...named,
    bits: { vision: 8, embed: 8, decoder: 8 },
  });
  server = await serveStatic({
    folder: "dist-test",
    instead: { "models/pocket-llava": join(root, "mixture") },
    headers: securityHeaders,
    // The service worker would wait for the built-in package as it was built, and the page for the service worker.
    onRequest(path, _request, response) {
      if (path !== "service-worker.js") return false;
      response.writeHead(404).end();
      return true;
    },
  });
});
test.afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true });
});

interface Given {
  readonly name: string;
  readonly mimeType: "image/png";
  readonly buffer: Buffer;
}

/** Noise; which of it the tiny model takes for a photograph follows from the seed. */
async function noise(seed: number, name: string): Promise<Given> {
  const raw = { width: 8, height: 8, channels: 3 } as const;
  const picture = sharp(randomBytes(seed, 8 * 8 * 3), { raw })
    .resize(48, 48)
    .png();
  return { name, mimeType: "image/png", buffer: await picture.toBuffer() };
}
const drawing = await noise(5, "drawing.png");
const photo = await noise(3, "photo.png");
const other = await noise(4, "other.png");

const name = "SmolVLM 256M";
const offer = (page: Page): Locator => page.getByTestId("photo-offer");
const answer = (page: Page): Locator => page.getByTestId("answer-turn").last();

async function give(page: Page, ...pictures: readonly Given[]): Promise<void> {
  await page.getByTestId("file-input").setInputFiles([...pictures]);
  for (const { name } of pictures) await expect(page.getByRole("button", { name: `Remove ${name}` })).toBeVisible();
}

/** Asks about what was given, and stops the answer, which the random model would not end by itself. */
async function ask(page: Page, question: string): Promise<void> {
  const before = await page.getByTestId("answer-turn").count();
  const box = page.getByRole("textbox", { name: "Ask about the picture" });
  await box.fill(question);
  await box.press("Enter");
  await expect(page.getByTestId("answer-turn")).toHaveCount(before + 1);
  await expect(answer(page)).toHaveText(/\S/);
  await page.keyboard.press("Escape");
  await expect(answer(page)).toHaveAttribute("data-status", /^(?:done|stopped)$/);
}

test("a photograph is offered a model as soon as it is dropped, a drawing is not; a server that is chosen takes it back", async ({
  page,
}) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await openPage(page, `${server.url}?device=wasm`);
  await modelReady(page);
  await give(page, drawing, photo);
  await expect(offer(page)).toContainText(`Some of these look like photos. ${name} understands photos better.`);
  await expect(offer(page)).toContainText("513 MB");
  await expect(page.getByRole("status").filter({ hasText: "look like photos" })).toHaveCount(1);
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Remove photo.png" }).click();
  await expect(offer(page)).toHaveCount(0);
  await page.getByRole("button", { name: "Remove drawing.png" }).click();
  await give(page, photo);
  await expect(offer(page)).toContainText(`This looks like a photo. ${name} understands photos better.`);

  const elsewhere = await startFakeServer({ models: ["llava-13b"] });
  try {
    await page.getByTestId("model-picker").getByRole("button").first().click();
    await page.getByRole("button", { name: "Connect a server" }).click();
    await page.getByRole("textbox", { name: "Address" }).fill(elsewhere.url);
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await expect(page.getByTestId("leaves-device")).toBeVisible();
    await expect(offer(page)).toHaveCount(0);
    await page.getByTestId("model-picker").getByRole("button").first().click();
    await page.getByTestId("model-choice").filter({ hasText: "Pocket LLaVA" }).click();
    await expect(offer(page)).toBeVisible();
  } finally {
    await elsewhere.stop();
  }
  expect(asked.filter((url) => url.includes("huggingface"))).toEqual([]);
});

test("beside a later question it stands in the question box, in the page's language, also after a reload", async ({
  page,
}) => {
  await openPage(page, `${server.url}?device=wasm`);
  await modelReady(page);
  await give(page, drawing);
  await ask(page, "What is this?");
  await expect(offer(page)).toHaveCount(0);
  await give(page, photo);
  await expect(page.locator("form").getByTestId("photo-offer")).toContainText("This looks like a photo.");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByText("中文").click();
  await page.keyboard.press("Escape");
  await expect(offer(page)).toContainText(`这看起来是一张照片。${name} 看照片更在行。`);
  // The verdict was stored behind the picture's features.
  await page.reload();
  await modelReady(page);
  await expect(page.locator("form").getByTestId("photo-offer")).toContainText("这看起来是一张照片。");
  expect(await violations(page)).toEqual([]);
});

test("where nothing is prepared the answer brings it, and once dismissed it stays away", async ({ page }) => {
  await openPage(page, `${server.url}?device=wasm`);
  await modelReady(page);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("switch", { name: "Prepare while I type" }).setChecked(false);
  await page.keyboard.press("Escape");
  await give(page, photo);
  await ask(page, "What is this?");
  await expect(offer(page)).toBeVisible();
  await page.reload();
  await modelReady(page);
  await expect(offer(page)).toBeVisible();
  await offer(page).getByRole("button", { name: "Don't suggest this again" }).click();
  await expect(offer(page)).toHaveCount(0);
  await give(page, other);
  await ask(page, "And this?");
  await expect(offer(page)).toHaveCount(0);
});
