// The models on this device as people handle them: looked at, added beside the chat, paused, mended, deleted, saved, imported.
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test, type BrowserContext, type Locator, type Page } from "@playwright/test";
import * as v from "valibot";
import { shardsOf, startPackageServer, type PackageServer } from "#testing/servers/package-server.node.ts";
import { askAbout, modelReady, openPage } from "../support/ask.ts";
import { violations } from "../support/axe.ts";
import { storedKeys } from "../support/stored-keys.ts";

// A page without its service worker asks the network for everything, where a test can hold it back.
test.use({ serviceWorkers: "block" });

const url = "./?device=wasm";
const folder = "public/models/pocket-llava";
const name = "Second LLaVA";
const largest = "onnx/vision_encoder_quantized.onnx_data";
const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range",
  "access-control-expose-headers": "etag, content-range",
  "cross-origin-resource-policy": "cross-origin",
};

type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** The built-in model under another name, in shards of this length. */
async function secondPackage(shardBytes: number): Promise<{ manifest: unknown; files: Files }> {
  const raw = v.parse(
    v.looseObject({ model: v.looseObject({}), files: v.array(v.looseObject({ path: v.string() })) }),
    JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")),
  );
  const files: Files = new Map();
  for (const { path } of raw.files) files.set(path, new Uint8Array(await readFile(join(folder, path))));
  const manifest = {
    ...raw,
    model: { ...raw.model, id: "second-llava", name, license: "Apache-2.0" },
    files: [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, shards: shardsOf(bytes, shardBytes) })),
  };
  return { manifest, files };
}

let server: PackageServer;

async function serve(shardBytes = 2 ** 19): Promise<void> {
  server = await startPackageServer(await secondPackage(shardBytes));
  server.headers = cors;
}
test.afterEach(async () => {
  await server.stop();
});

/** The page with a built-in model that never comes: these tests ask nothing. */
async function openWithoutModel(page: Page): Promise<void> {
  await page.route("**/models/pocket-llava/**", (route) => route.fulfill({ status: 404 }));
  await openPage(page, url);
  await expect(page.getByTestId("model-failure")).toBeVisible();
}

async function openStorage(page: Page): Promise<Locator> {
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Manage models" }).click();
  const dialog = page.getByRole("dialog", { name: "Models" });
  await expect(dialog.getByTestId("storage-used")).toContainText("MB");
  return dialog;
}

async function startDownload(page: Page): Promise<void> {
  const dialog = await openStorage(page);
  await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(server.baseUrl);
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  await dialog
    .getByTestId("model-offer")
    .getByRole("button", { name: /^Download / })
    .click();
  await expect(dialog).toBeHidden();
}

const second = (dialog: Locator): Locator => dialog.getByTestId("stored-model").filter({ hasText: name });
const note = (page: Page): Locator => page.getByTestId("download");

/** Keys of whole shards of the second package, as `<path>#<index>`. */
async function storedShards(page: Page): Promise<string[]> {
  const keys = await storedKeys(page);
  return keys.map((key) => /^http[^/]*\/(.+#\d+):[0-9a-f]{64}$/.exec(key)?.[1]).filter((shard) => shard !== undefined);
}

/** Flips a byte of one stored shard of the second package. */
async function damageShard(page: Page, shard: string): Promise<void> {
  await page.evaluate(
    (shard) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("llava-weights");
        const fail = (): void => reject(new Error("the shard could not be damaged"));
        opening.onerror = fail;
        opening.onsuccess = () => {
          const shards = () => opening.result.transaction("shards", "readwrite").objectStore("shards");
          const listing = shards().getAllKeys();
          listing.onsuccess = () => {
            const key = listing.result.find(
              (key) => typeof key === "string" && key.startsWith("http") && key.includes(`/${shard}:`),
            );
            if (key === undefined) return fail();
            const getting = shards().get(key) as IDBRequest<{ readonly blob: Blob }>;
            getting.onsuccess = () => {
              const { result } = getting;
              void result.blob.arrayBuffer().then((buffer) => {
                const bytes = new Uint8Array(buffer);
                bytes[1000] = (bytes[1000] ?? 0) ^ 255;
                shards().put({ ...result, blob: new Blob([bytes]) }, key).onsuccess = () => resolve();
              });
            };
          };
        };
      }),
    shard,
  );
}

/** The shards that were asked for, as `<path>#<index>`. */
const askedShards = (shardBytes: number): string[] =>
  server.asked
    .filter(({ path }) => path !== "manifest.json")
    .map(({ path, start }) => `${path}#${Math.floor(start / shardBytes)}`);

test("a model is added by its address: what it costs and whether it fits first, the chat goes on meanwhile, and then with it", async ({
  page,
}) => {
  await serve();
  await openPage(page, url);
  await modelReady(page);
  const dialog = await openStorage(page);
  await expect(dialog.getByTestId("stored-model")).toHaveCount(1);
  await expect(dialog.getByTestId("stored-model")).toContainText(/\d+\.\d MB/);
  await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(`${server.baseUrl}manifest.json`);
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  const offer = dialog.getByTestId("model-offer");
  await expect(offer).toHaveAttribute("data-fit", "fits");
  await expect(offer).toContainText("Apache-2.0");
  expect(server.asked.map(({ path }) => path)).toEqual(["manifest.json"]);
  server.bytesPerSecond = 300_000;
  await offer.getByRole("button", { name: /^Download · \d+\.\d MB$/ }).click();
  await expect(note(page)).toHaveAttribute("data-phase", "running");
  await expect(note(page)).toContainText(/MB of \d+\.\d MB · [\d.]+ MB\/s · \d+ s left/);
  // The rest waits until the model beside it has answered.
  server.isHeld = () => true;
  expect((await askAbout(page, "pets.png", "How many cats are there?")).length).toBeGreaterThan(0);
  await expect(page.getByTestId("model-status")).toHaveAttribute("data-state", "ready");
  await expect(note(page)).toHaveAttribute("data-phase", "running");
  server.bytesPerSecond = Infinity;
  server.isHeld = () => false;
  server.gate.allow(Infinity);
  await expect(page.getByTestId("model-picker")).toContainText(name, { timeout: 60_000 });
  await expect(note(page)).toHaveCount(0);
  await modelReady(page);
  expect((await askAbout(page, undefined, "And how many dogs?")).length).toBeGreaterThan(0);
  // One worker brings weights for all; both models stay loaded, and the list says so.
  expect([workersOf(page, "weights-worker-"), workersOf(page, "worker-")]).toEqual([1, 2]);
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await expect(page.getByTestId("model-loaded")).toHaveCount(2);
  // The next visit begins with it, and fetches none of it.
  server.asked.length = 0;
  await page.reload();
  await modelReady(page);
  await expect(page.getByTestId("model-picker")).toContainText(name);
  expect(askedShards(2 ** 19)).toEqual([]);
  // A worker that ends without a word is told of at once.
  await page
    .workers()
    .find((worker) => worker.url().includes("/worker-"))
    ?.evaluate(() => self.close());
  await expect(page.getByTestId("model-failure")).toHaveAttribute("data-code", "worker-dead", { timeout: 5_000 });
  await page.getByTestId("model-failure").getByRole("button").click();
  await modelReady(page);
  // A deleted model leaves the memory, too, and the built-in one goes on.
  const models = await openStorage(page);
  await models.getByRole("button", { name: `Delete ${name}` }).click();
  await models.getByRole("group").getByRole("button", { name: "Delete" }).click();
  await expect(models.getByTestId("storage-outcome")).toHaveText(`${name} was deleted.`);
  await expect(page.getByTestId("model-picker")).not.toContainText(name);
  await modelReady(page);
  await expect.poll(() => workersOf(page, "worker-")).toBe(1);
});

/** Workers of the page whose script's name begins so. */
function workersOf(page: Page, script: string): number {
  return page.workers().filter((worker) => worker.url().includes(`/${script}`)).length;
}

test("a download is paused, goes on where it was, and is cancelled without a trace", async ({ page }) => {
  await serve();
  // As much as a third of it comes before the pause, and as much after it.
  server.isHeld = ({ path }) => path !== "manifest.json";
  server.gate.allow(6 * 2 ** 19);
  await openWithoutModel(page);
  await startDownload(page);
  await expect.poll(async () => (await storedShards(page)).length).toBeGreaterThan(1);
  await expect.poll(() => server.gate.allowed()).toBe(0);
  await note(page).getByRole("button", { name: "Pause" }).click();
  await expect(note(page)).toHaveAttribute("data-phase", "paused");
  const held = await storedShards(page);
  server.asked.length = 0;
  // Nothing is asked for while it is paused, whatever else is done meanwhile.
  await openStorage(page);
  await page.keyboard.press("Escape");
  expect(server.asked).toEqual([]);
  await note(page).getByRole("button", { name: "Resume" }).click();
  server.gate.allow(6 * 2 ** 19);
  await expect.poll(async () => (await storedShards(page)).length).toBeGreaterThan(held.length);
  expect(askedShards(2 ** 19).filter((shard) => held.includes(shard))).toEqual([]);
  await note(page).getByRole("button", { name: "Cancel" }).click();
  await expect(note(page)).toHaveCount(0);
  await expect.poll(() => storedShards(page)).toEqual([]);
  await expect((await openStorage(page)).getByTestId("stored-model")).toHaveCount(0);
});

test("a page closed in the middle of a download goes on within the shard when it is opened again", async ({
  context,
}) => {
  const whole = 2 ** 23;
  await serve(whole); // Larger than any file: one shard each.
  let page = await context.newPage();
  await openWithoutModel(page);
  server.misbehave = ({ path }) => (path === largest ? { kind: "hang", afterBytes: 5_000_000 } : undefined);
  await startDownload(page);
  // The shards of the other files, and a piece of the one that hangs.
  const isPiece = (key: string): boolean => key.includes(`${largest}#`) && key.includes("~");
  await expect.poll(async () => (await storedKeys(page)).filter(isPiece)).toHaveLength(1);
  await expect.poll(async () => (await storedShards(page)).length).toBeGreaterThan(0);
  const held = await storedShards(page);
  await page.close();
  server.misbehave = () => undefined;
  server.asked.length = 0;
  page = await context.newPage();
  await openWithoutModel(page);
  await expect(note(page)).toHaveAttribute("data-phase", "done");
  // Every 4 MiB are kept of an unfinished shard.
  expect(server.asked.find(({ path }) => path === largest)?.start).toBeGreaterThanOrEqual(2 ** 22);
  expect(askedShards(whole).filter((shard) => held.includes(shard))).toEqual([]);
  await note(page)
    .getByRole("button", { name: `Use ${name}` })
    .click();
  await modelReady(page);
});

test("two tabs at once download it once", async ({ context }) => {
  await serve();
  server.bytesPerSecond = 500_000;
  const one = await context.newPage();
  const two = await context.newPage();
  await openWithoutModel(one);
  await openWithoutModel(two);
  await startDownload(one);
  await startDownload(two);
  await expect.poll(async () => (await storedShards(one)).length).toBeGreaterThan(1);
  server.bytesPerSecond = Infinity;
  for (const page of [one, two]) await expect(note(page)).toHaveCount(0, { timeout: 60_000 });
  const asked = askedShards(2 ** 19);
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked).toHaveLength((await storedShards(one)).length);
  expect(await two.evaluate(() => localStorage.getItem("llava-web-downloads"))).not.toContain("second-llava");
});

test("a damaged shard is found, fetched again alone, and the model can be deleted", async ({ page }) => {
  await serve();
  await openWithoutModel(page);
  await startDownload(page);
  await expect(page.getByTestId("model-picker")).toContainText(name, { timeout: 60_000 });
  await damageShard(page, `${largest}#3`);
  server.asked.length = 0;
  const dialog = await openStorage(page);
  await expect(second(dialog)).toContainText(/\d+\.\d MB.*Apache-2\.0.*last used/);
  await dialog.getByRole("button", { name: `Verify ${name}` }).click();
  await expect(second(dialog).getByTestId("storage-outcome")).toContainText("Damaged parts found: 1");
  await expect(dialog.getByTestId("download")).toHaveAttribute("data-phase", "done");
  expect(askedShards(2 ** 19)).toEqual([`${largest}#3`]);
  await dialog.getByRole("button", { name: `Verify ${name}` }).click();
  await expect(second(dialog).getByTestId("storage-outcome")).toHaveText("Verified.");
  await dialog.getByRole("button", { name: `Delete ${name}` }).click();
  await dialog.getByRole("group").getByRole("button", { name: "Delete" }).click();
  await expect(dialog.getByTestId("storage-outcome")).toHaveText(`${name} was deleted.`);
  await expect(dialog.getByTestId("stored-model")).toHaveCount(0);
  expect(await storedShards(page)).toEqual([]);
});

/** Drops a file or a folder from the disk, as a person would. */
async function dropFromDisk(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, x: 200, y: 300, data });
}

async function fresh(context: BrowserContext): Promise<Page> {
  const browser = context.browser();
  if (browser === null) throw new Error("no browser");
  const other = await browser.newContext({ serviceWorkers: "block", baseURL: test.info().project.use.baseURL ?? "" });
  const page = await other.newPage();
  await openWithoutModel(page);
  return page;
}

test("a model saved as a file is imported in another browser; a folder, picked or dropped, and a dropped zip too", async ({
  context,
}) => {
  await serve();
  const packed = await secondPackage(2 ** 19);
  const place = await mkdtemp(join(tmpdir(), "llava-package-"));
  try {
    const root = join(place, "my model");
    for (const [path, bytes] of [...packed.files, ["manifest.json", JSON.stringify(packed.manifest)] as const]) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
    }
    expect(await readdir(root)).toContain("onnx");

    const one = await fresh(context);
    let dialog = await openStorage(one);
    await dialog.getByTestId("folder-input").setInputFiles(root);
    await expect(dialog.getByTestId("storage-outcome")).toHaveText(`${name} was imported and verified.`);
    const downloading = one.waitForEvent("download");
    await dialog.getByRole("button", { name: `Save as file: ${name}` }).click();
    const file = join(place, "saved.zip");
    await (await downloading).saveAs(file);
    await one.context().close();

    const two = await fresh(context);
    dialog = await openStorage(two);
    await dialog.getByTestId("package-input").setInputFiles(file);
    await expect(dialog.getByTestId("storage-outcome")).toHaveText(`${name} was imported and verified.`);
    await dialog.getByRole("button", { name: `Verify ${name}` }).click();
    await expect(second(dialog).getByTestId("storage-outcome")).toHaveText("Verified.");
    await second(dialog).getByRole("button", { name: "Use" }).click();
    await modelReady(two);
    await two.context().close();

    for (const dropped of [file, root]) {
      const three = await fresh(context);
      await dropFromDisk(three, dropped);
      dialog = three.getByRole("dialog", { name: "Models" });
      await expect(dialog.getByTestId("storage-outcome")).toHaveText(`${name} was imported and verified.`);
      await expect(second(dialog)).toBeVisible();
      await three.context().close();
    }
    expect(server.asked).toEqual([]);
  } finally {
    await rm(place, { recursive: true });
  }
});

test("what is no package, or damaged, is refused with a sentence and leaves nothing", async ({ page }) => {
  await serve();
  await openWithoutModel(page);
  const dialog = await openStorage(page);
  const input = dialog.getByTestId("package-input");
  await input.setInputFiles({ name: "a.zip", mimeType: "application/zip", buffer: Buffer.from("no zip") });
  await expect(dialog.getByTestId("storage-outcome")).toContainText("This isn't a model package");
  await dialog.getByLabel("owner/name on Hugging Face, or an address").fill("not an address");
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  await expect(dialog.getByRole("alert").filter({ hasText: "This isn't an address" })).toBeVisible();
  await expect(dialog.getByTestId("stored-model")).toHaveCount(0);
});

test("without room the page offers to delete others or to use the model from memory", async ({ page }) => {
  await serve();
  await openWithoutModel(page);
  const session = await page.context().newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 4 * 2 ** 20 });
  let dialog = await openStorage(page);
  await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(server.baseUrl);
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  // Browsers keep to themselves how much room there is: the first write tells.
  await dialog
    .getByTestId("model-offer")
    .getByRole("button", { name: /^Download / })
    .click();
  await expect(note(page)).toHaveAttribute("data-phase", "no-room");
  await note(page).getByRole("button", { name: "Delete other models" }).click();
  dialog = page.getByRole("dialog", { name: "Models" });
  await expect(dialog.getByTestId("download")).toHaveAttribute("data-phase", "no-room");
  await dialog.getByRole("button", { name: "Use without storing" }).click();
  await modelReady(page);
  await expect(page.getByTestId("model-picker")).toContainText(name);
  await page.getByTestId("model-status").click();
  await expect(page.getByText("The model couldn't be stored")).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const)
  test(`${colorScheme}: a download and the models on this device are accessible, wide and at 360 px`, async ({
    page,
  }) => {
    await serve();
    server.misbehave = ({ path }) => (path === largest ? { kind: "hang", afterBytes: 100_000 } : undefined);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await openWithoutModel(page);
    await startDownload(page);
    await note(page).getByRole("button", { name: "Pause" }).click();
    for (const width of [1100, 360]) {
      await page.setViewportSize({ width, height: 760 });
      expect(await violations(page)).toEqual([]);
    }
    const dialog = await openStorage(page);
    await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(server.baseUrl);
    await dialog.getByRole("button", { name: "Check", exact: true }).click();
    await expect(dialog.getByTestId("model-offer")).toBeVisible();
    for (const width of [1100, 360]) {
      await page.setViewportSize({ width, height: 760 });
      expect(await violations(page)).toEqual([]);
      expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    }
  });
