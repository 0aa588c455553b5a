// A model that transformers.js runs, one click away, and what the zoo tells. The hub is a local server that answers as the real one does; the
// model behind the name is Pocket LLaVA in the hub's file layout, run by the hub's library, so that its answers can be checked.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { publishOnHub, testCommit } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage, type PackageServer } from "#testing/servers/package-server.node.ts";
import { askAbout, modelReady, openPage } from "../support/ask.ts";
import { violations } from "../support/axe.ts";
import { zooModels } from "#zoo/zoo.ts";

const repository = "onnx-community/nanoLLaVA-1.5";
const name = "nanoLLaVA 1.5";
const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range",
  "access-control-expose-headers": "etag, content-range",
};

let server: PackageServer;
let files: Map<string, Uint8Array>;

test.beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "llava-e2e-hub-"));
  const to = await packageFolder(join(root, "p"), { force: true });
  const bits = { vision: 32, embed: 32, decoder: 4 } as const;
  const manifest = await convert(checkpointFolder("training/checkpoint"), to, { bits });
  files = new Map();
  for (const { path } of manifest.files) files.set(path, new Uint8Array(await readFile(join(root, "p", path))));
  await rm(root, { recursive: true });
});
test.beforeEach(async () => {
  server = await startPackageServer(testPackage());
  server.headers = cors;
  server.files = new Map();
  publishOnHub(server, repository, files, { modelType: "llava" });
});
test.afterEach(() => server.stop());

const hub = (): string => new URL("/", server.baseUrl).href;
const offer = (page: Page) => page.getByTestId("photo-offer");
const hubFiles = () => server.asked.filter(({ path }) => path.startsWith(`/${repository}/resolve/`));

test("one click in the zoo gets a model that transformers.js runs, and the chat goes on with it, offline too", async ({
  page,
  context,
}) => {
  const hosts = new Set<string>();
  context.on("request", (request) => hosts.add(new URL(request.url()).host));
  await openPage(page, `./?device=wasm&hub=${encodeURIComponent(hub())}`);
  await modelReady(page);
  await offer(page).getByRole("button", { name: "Other models" }).click();
  const card = page.locator('[data-testid="zoo-model"][data-id="nanollava-1.5"]');
  await expect(card).toContainText("runs in transformers.js");
  await expect(card).toContainText("Apache-2.0");
  await expect(card).toContainText("810 MB or more");
  // Nothing is asked of the hub before the click.
  expect(server.asked).toEqual([]);
  await card.getByRole("button", { name: "Download", exact: true }).click();
  await expect(page).toHaveTitle(/nanoLLaVA/);
  await modelReady(page);
  const answer = await askAbout(page, "pets.png", "How many cats are there?");
  expect(answer).toBe("Three.");
  // Every file once, at the commit that the hashes are of.
  const paths = hubFiles().flatMap(({ path }) => (path.endsWith("/manifest.json") ? [] : [path]));
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths.every((path) => path.includes(testCommit))).toBe(true);
  const own = [new URL(page.url()).host, ""]; // blob: addresses have no host
  expect([...hosts].filter((host) => !own.includes(host))).toEqual([new URL(hub()).host]);

  await expect(page.getByTestId("offline")).toBeVisible();
  await server.stop();
  await context.setOffline(true);
  // By its id in the zoo, too.
  await page.goto("./?device=wasm&model=nanollava-1.5");
  await expect(page).toHaveTitle(/nanoLLaVA/);
  await modelReady(page);
  expect(await askAbout(page, "pets.png", "Is there a rocket?")).toMatch(/^No/);
});

test("the zoo tells what each model costs before anything is fetched, can be searched, and a hub that is gone is a sentence", async ({
  page,
}) => {
  // Where data costs money a click only tells.
  await page.addInitScript(() => Object.defineProperty(navigator, "connection", { value: { saveData: true } }));
  await openPage(page, `./?device=wasm&hub=${encodeURIComponent(hub())}`);
  await modelReady(page);
  await offer(page).getByRole("button", { name: "Other models" }).click();
  const dialog = page.getByRole("dialog", { name: "Models" });
  const cards = dialog.getByTestId("zoo-model");
  const card = (id: string) => dialog.locator(`[data-testid="zoo-model"][data-id="${id}"]`);
  await expect(cards.first()).toContainText("SmolVLM 256M");
  await expect(cards.first()).toContainText("Best for this device");
  await dialog.getByRole("checkbox", { name: "Fits this device" }).uncheck();
  await expect(cards).toHaveCount(zooModels.length);
  for (const { id } of zooModels)
    await expect(card(id).getByRole("button").first()).toHaveText(/^Download( · [\d.]+ [MG]B)?$/);
  await expect(card("llava-1.5-7b")).toContainText("4.5 GB");
  expect(await violations(page)).toEqual([]);

  const search = dialog.getByRole("searchbox", { name: "Search models" });
  await search.fill("fastvlm");
  await expect(cards).toHaveCount(1);
  await expect(card("fastvlm-0.5b")).toContainText("research use only");
  await search.fill("nothing has this name");
  await expect(dialog.getByTestId("zoo-count")).toContainText("No model matches.");
  await dialog.getByRole("button", { name: "Clear search and filters" }).click();
  await dialog.getByRole("combobox", { name: "Family" }).selectOption({ label: "Adapters and other parts" });
  await expect(dialog.getByTestId("zoo-part").first()).toContainText("hf download liuhaotian/");
  await dialog.getByRole("combobox", { name: "Family" }).selectOption("All");

  await card("nanollava-1.5").getByRole("button", { name: "Download", exact: true }).click();
  await expect(dialog.getByTestId("model-offer")).toHaveAttribute("data-fit", "fits");
  await expect(dialog.getByTestId("model-offer")).toContainText("apache-2.0");
  await expect(dialog.getByTestId("model-offer")).toContainText(/about [\d,.]+ tokens\/s here/);
  expect(hubFiles().filter(({ path }) => !path.endsWith("manifest.json"))).toEqual([]);
  await server.stop();
  const gone = card("fastvlm-0.5b");
  await gone.getByRole("button").first().click();
  await expect(gone.getByRole("alert")).toHaveText(`Couldn't reach ${new URL(hub()).host}.`);
  await expect(gone.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("a model that the page's address asks for is offered with its size, and so it is by the built-in model's answer to a photograph", async ({
  page,
}) => {
  await openPage(page, `./?device=wasm&model=nanollava-1.5&hub=${encodeURIComponent(hub())}`);
  await modelReady(page);
  expect(await askAbout(page, "coffee.jpg", "Is this a photo?")).toContain("photograph");
  await expect(offer(page).getByRole("button", { name: "Get SmolVLM 256M" })).toBeVisible();
  const note = page.getByTestId("unknown-model");
  await expect(note).toContainText(`This link asks for “${name}”, which isn't on this device.`);
  expect(hubFiles()).toEqual([]);
  await note.getByRole("button", { name: "Download · 810 MB or more" }).click();
  await expect(page).toHaveTitle(/nanoLLaVA/);
  await modelReady(page);
  await page.getByTestId("ask-again").click();
  await expect(page.getByTestId("pager").last()).toContainText("2");
  await expect(page.getByTestId("answer-turn").last()).toHaveAttribute("data-status", "done");
});
