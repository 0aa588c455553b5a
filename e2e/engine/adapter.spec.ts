// A LoRA adapter beside a stored model, as people handle it: added from a file, chosen, left, and found again at the next visit, while
// nothing of its base is fetched or loaded again.
import { fileURLToPath } from "node:url";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { zipSync } from "fflate";
import { convertAdapter } from "#convert/adapter.ts";
import { randomAdapter } from "#testing/adapter-fixture.ts";
import { convert } from "#convert/convert.ts";
import { memoryCheckpoint, memoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { startPackageServer, type PackageServer } from "#testing/servers/package-server.node.ts";
import { askAbout, modelReady, openPage } from "../support/ask.ts";

// A page without its service worker asks the network for everything, where a test can count it.
test.use({ serviceWorkers: "block" });

const base = "Tiny base";
const style = "Tiny style";
let server: PackageServer;
let adapterZip: Buffer;

test.beforeAll(async () => {
  const tiny = checkpointFolder(fileURLToPath(new URL("../../training/fixtures/tiny-llava", import.meta.url)));
  const to = memoryPackage();
  const bits = { vision: 8, embed: 8, decoder: 4 } as const;
  const manifest = await convert(tiny, to, { bits, adaptable: true, id: "tiny-base", name: base, template: "plain" });
  const { folder } = await randomAdapter(tiny);
  const out = memoryPackage();
  const options = { id: "tiny-style", name: style, template: "plain" };
  await convertAdapter(folder, memoryCheckpoint("base", to.written), out, options);
  adapterZip = Buffer.from(zipSync(Object.fromEntries(out.written), { level: 0 }));
  server = await startPackageServer({ manifest, files: to.written });
  server.headers = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "range",
    "access-control-expose-headers": "etag, content-range",
    "cross-origin-resource-policy": "cross-origin",
  };
});
test.afterAll(() => server.stop());

async function openStorage(page: Page): Promise<Locator> {
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Manage models" }).click();
  return page.getByRole("dialog", { name: "Models" });
}
async function choose(page: Page, name: string): Promise<void> {
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByTestId("model-choice").getByText(name, { exact: true }).click();
  await expect(page.getByTestId("model-picker").getByRole("button").first()).toContainText(name);
  await modelReady(page);
}
async function askAnew(page: Page): Promise<string> {
  if ((await page.getByTestId("answer-turn").count()) > 0) await page.getByRole("button", { name: "New chat" }).click();
  return askAbout(page, "pets.png", "What is this?");
}

test("an adapter is added, chosen and left again beside its base, which is fetched and loaded once", async ({
  page,
}) => {
  const engines: string[] = [];
  page.on("worker", (worker) => engines.push(worker.url()));
  const started = (): number => engines.filter((address) => /\/worker-[^/]*\.js/.test(address)).length;
  await page.route("**/models/pocket-llava/**", (route) => route.fulfill({ status: 404 }));
  await openPage(page, "./?device=wasm");
  await expect(page.getByTestId("model-failure")).toBeVisible();

  // The adapter first: without its base it can't be used, and says what it needs.
  let dialog = await openStorage(page);
  await dialog
    .getByTestId("package-input")
    .setInputFiles({ name: "style.zip", mimeType: "application/zip", buffer: adapterZip });
  await expect(dialog.getByTestId("storage-outcome")).toHaveText(`${style} was imported and verified.`);
  const stored = dialog.getByTestId("stored-model").filter({ hasText: style });
  await expect(stored).toContainText(`adapter; needs the model “${base}”`);
  await expect(stored.getByRole("button", { name: "Use" })).toHaveCount(0);
  await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(server.baseUrl);
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  await dialog
    .getByTestId("model-offer")
    .getByRole("button", { name: /^Download / })
    .click();
  await expect(page.getByTestId("model-picker")).toContainText(base);
  await modelReady(page);
  const own = await askAnew(page);

  const [asked, engineCount] = [server.asked.length, started()];
  expect(engineCount).toBeGreaterThan(0);
  await choose(page, `${base} + ${style}`);
  const adapted = await askAnew(page);
  expect(adapted).not.toBe(own);
  await choose(page, base);
  expect(await askAnew(page)).toBe(own);
  await choose(page, `${base} + ${style}`);
  expect(server.asked).toHaveLength(asked);
  expect(started()).toBe(engineCount);

  // The next visit begins with the adapter, from what is stored.
  const before = server.asked.filter(({ path }) => path !== "manifest.json").length;
  await page.reload();
  await modelReady(page);
  await expect(page.getByTestId("model-picker")).toContainText(`${base} + ${style}`);
  expect(await askAnew(page)).toBe(adapted);
  await choose(page, base);
  expect(server.asked.filter(({ path }) => path !== "manifest.json")).toHaveLength(before);

  dialog = await openStorage(page);
  await expect(dialog.getByTestId("stored-model").filter({ hasText: style })).toContainText(`adapter for ${base}`);
});
