// A checkpoint, one click away: it is converted in the page while it is downloaded, and answers as the shipped package does. The hub is a
// local server that answers as the real one does; the weights behind the names are Pocket LLaVA's checkpoint.
import { readdir, readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { answersOf } from "#testing/answer.node.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { publishOnHub, testCommit } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage, type PackageServer } from "#testing/servers/package-server.node.ts";
import { askAbout, examplePicture, modelReady, openPage } from "../support/ask.ts";
import { violations } from "../support/axe.ts";
import { storedKeys } from "../support/stored-keys.ts";

const repository = "llava-hf/llava-1.5-7b-hf";
const name = "LLaVA 1.5 7B";
const question = "How many cats are there?";
const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range, authorization",
  "access-control-expose-headers": "etag, content-range",
};

let server: PackageServer;
let files: Map<string, Uint8Array>;

test.beforeAll(async () => {
  files = new Map();
  for (const path of await readdir("training/checkpoint"))
    files.set(path, new Uint8Array(await readFile(`training/checkpoint/${path}`)));
});
test.beforeEach(async () => {
  server = await startPackageServer(testPackage());
  server.headers = cors;
  server.files = new Map();
  publishOnHub(server, repository, files, { license: "llama2", modelType: "llava" });
});
test.afterEach(() => server.stop());

const hub = (): string => new URL("/", server.baseUrl).href;
const dialogOf = (page: Page) => page.getByRole("dialog", { name: "Models" });

async function openModels(page: Page) {
  await openPage(page, `./?device=wasm&hub=${encodeURIComponent(hub())}`);
  await modelReady(page);
  await page.getByTestId("photo-offer").getByRole("button", { name: "Other models" }).click();
  return dialogOf(page);
}

test("the model that is offered beside the built-in one is one click away, in this engine", async ({ page }) => {
  publishOnHub(server, "HuggingFaceTB/SmolVLM-256M-Instruct", files, { modelType: "llava" });
  await openPage(page, `./?device=wasm&hub=${encodeURIComponent(hub())}`);
  await modelReady(page);
  const offer = page.getByTestId("photo-offer");
  await expect(offer).toContainText("513 MB");
  await expect(offer).toContainText("Apache-2.0");
  expect(server.asked).toEqual([]);
  await offer.getByRole("button", { name: "Get SmolVLM 256M" }).click();
  await expect(page).toHaveTitle(/SmolVLM/);
  await modelReady(page);
  expect(await askAbout(page, "pets.png", question)).toBe("Three.");
});

test("one click on a card of the zoo takes GGUF files: converted, answering as the same weights in safetensors, offline too", async ({
  page,
  context,
}) => {
  // The same random weights, which the files hold exactly.
  const own = memoryPackage();
  const info = await convert(checkpointFolder("training/fixtures/families/llava-1.5"), own, {
    bits: { vision: 8, embed: 4, decoder: 4 },
    template: "llava_v1",
  });
  const picture = new Blob([new Uint8Array(await readFile(examplePicture("pets.png")))]);
  const [expected = ""] = await answersOf(own, info, [{ picture, text: question }], { decodeImage, tokens: 16 });
  const fixture = async (file: string) => new Uint8Array(await readFile(`training/fixtures/gguf/${file}`));
  publishOnHub(
    server,
    "second-state/Llava-v1.5-7B-GGUF",
    new Map([
      ["config.json", new TextEncoder().encode('{"model_type":"llava"}')],
      ["llava-v1.5-7b-Q4_0.gguf", await fixture("llava-1.5.gguf")],
      ["llava-v1.5-7b-Q8_0.gguf", await fixture("llava-1.5.gguf")],
      ["llava-v1.5-7b-mmproj-model-f16.gguf", await fixture("llava-1.5.mmproj.gguf")],
    ]),
    { license: "llama2" },
  );
  const dialog = await openModels(page);
  await dialog.getByRole("searchbox").fill("llava-1.5-7b-hf");
  const card = dialog.locator('[data-testid="zoo-model"][data-id="llava-1.5-7b"]');
  await expect(card).toContainText("runs in this page's own engine");
  await expect(card).toContainText("not yet run on its real weights");
  expect(server.asked).toEqual([]);
  await card.getByRole("button", { name: "Download · 4.5 GB" }).click();
  await expect(page).toHaveTitle(new RegExp(name));
  await modelReady(page);
  expect(lettersOf(await askAbout(page, "pets.png", question))).toBe(lettersOf(expected));
  expect(lettersOf(expected).length).toBeGreaterThan(8);
  // Every request for weights is of the listed commit, and of the record's files.
  const asked = server.asked.filter(({ path }) => path.endsWith(".gguf"));
  expect(asked.some(({ path }) => path.includes("Q8_0"))).toBe(false);
  expect(asked.length).toBeGreaterThan(1);
  expect(asked.every(({ path }) => path.includes(testCommit))).toBe(true);

  await server.stop();
  await context.setOffline(true);
  await page.goto("./?device=wasm&model=llava-1.5-7b");
  await expect(page).toHaveTitle(new RegExp(name));
  await modelReady(page);
  // Its answer depends on the one before.
  expect(lettersOf(await askAbout(page, "pets.png", question))).not.toBe("");
});

/** What Markdown leaves of a text whatever it makes of it. */
const lettersOf = (text: string): string => text.replace(/[\s!-/:-@[-`{-~]+/g, "");

test("the original weights on a card of the zoo: downloaded, converted, and the chat goes on with it, offline too", async ({
  page,
  context,
}) => {
  const dialog = await openModels(page);
  await dialog.getByRole("searchbox").fill("llava-1.5-7b-hf");
  const card = dialog.locator('[data-testid="zoo-model"][data-id="llava-1.5-7b"]');
  await expect(card).toContainText("runs in this page's own engine");
  await expect(card).toContainText("not yet run on its real weights");
  expect(server.asked).toEqual([]);
  // A part of the weights comes, and the rest when the conversion has been paused and resumed.
  server.isHeld = ({ path, start, end }) => path.endsWith(".safetensors") && end - start > 1_000_000;
  server.gate.allow(3_000_000);
  await card.getByText("Details", { exact: true }).click();
  await card.getByRole("button", { name: `Download ${name} from original weights, 14.1 GB` }).click();
  const note = page.getByTestId("download");
  await expect.poll(() => server.gate.allowed()).toBe(0);
  await note.getByRole("button", { name: "Pause" }).click();
  await expect(note).toHaveAttribute("data-phase", "paused");
  // Listed once: as what is on its way, not as an incomplete model, too.
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Manage models" }).click();
  const view = dialogOf(page);
  await expect(view.getByTestId("download")).toHaveCount(1);
  await expect(view.getByTestId("stored-model").filter({ hasText: "Pocket LLaVA" })).toHaveCount(1);
  await expect(view.getByTestId("stored-model").filter({ hasText: name })).toHaveCount(0);
  await page.keyboard.press("Escape");
  server.isHeld = () => false;
  await note.getByRole("button", { name: "Resume" }).click();
  await expect(page).toHaveTitle(new RegExp(name));
  await modelReady(page);
  const answer = await askAbout(page, "pets.png", question);
  expect(answer).toBe("Three.");
  // Every request for weights is of the listed commit.
  const asked = server.asked.filter(({ path }) => path.endsWith(".safetensors"));
  expect(asked.every(({ path, ranged }) => ranged && path.includes(testCommit))).toBe(true);

  await server.stop();
  await context.setOffline(true);
  await page.goto("./?device=wasm&model=llava-1.5-7b");
  await expect(page).toHaveTitle(new RegExp(name));
  await modelReady(page);
  expect(await askAbout(page, "pets.png", "Is there a rocket?")).toMatch(/^No/);
});

test("before the first byte the page tells what a checkpoint costs; a gated one asks for a token, and one that can't be read is a sentence", async ({
  page,
}) => {
  let gated = true;
  server.misbehave = () => (gated ? { kind: "status", status: 401 } : undefined);
  const dialog = await openModels(page);
  const address = dialog.getByLabel("owner/name on Hugging Face, or an address");
  await address.fill(repository);
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  await expect(dialog.getByTestId("gated")).toHaveAttribute("data-status", "401");
  await dialog.getByLabel("Access token").fill("two words");
  await dialog.getByRole("button", { name: "Use token" }).click();
  await expect(dialog.getByTestId("gated").getByRole("alert")).toContainText("isn't a token");
  gated = false;
  await dialog.getByLabel("Access token").fill("hf_example123");
  await dialog.getByRole("button", { name: "Use token" }).click();
  const offer = dialog.getByTestId("model-offer");
  await expect(offer).toHaveAttribute("data-fit", "fits");
  await expect(offer).toContainText(/Downloads [\d.]+ MB, stores [\d.]+ MB/);
  await expect(offer).toContainText("SHA-256");
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate(() => localStorage.getItem("llava-web-hub-tokens"))).toContain("hf_example123");

  publishOnHub(
    server,
    "someone/several",
    new Map(["a-Q4_K_M.gguf", "a-Q8_0.gguf", "mmproj-a-f16.gguf"].map((path) => [path, new Uint8Array(1000)])),
  );
  await address.fill("someone/several");
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  const models = dialog.getByTestId("gguf-model");
  await expect(models).toHaveCount(2);
  await expect(models.filter({ hasText: "Recommended" })).toHaveCount(1);
  await expect(models.first()).toContainText("Q4_K_M");
  expect(await violations(page)).toEqual([]);
  await models.first().getByRole("button", { name: "Choose" }).click();
  await expect(dialog.getByRole("alert")).toContainText("a-Q4_K_M.gguf");

  publishOnHub(server, "someone/else", new Map([["config.json", new TextEncoder().encode('{"model_type":"bert"}')]]));
  await address.fill("someone/else");
  await dialog.getByRole("button", { name: "Check", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("This model can't be converted here.");
});

test("a checkpoint's folder is converted from this device", async ({ page }) => {
  const dialog = await openModels(page);
  await dialog.getByTestId("folder-input").setInputFiles("training/checkpoint");
  const offer = dialog.getByTestId("model-offer");
  await expect(offer).toContainText("checkpoint");
  await offer.getByRole("button", { name: /^Download and convert/ }).click();
  await expect(page).toHaveTitle(/checkpoint/);
  await modelReady(page);
  expect(await askAbout(page, "pets.png", question)).toBe("Three.");
  expect(server.asked).toEqual([]);
  // It was run once it was finished: every later load compares its device with these numbers.
  expect((await storedKeys(page)).filter((key) => key.startsWith("checkpoint/onnx/self_test.json#0:"))).toHaveLength(1);
});
