// The page with models on a server: a real one for tests (src/testing/servers/fake-server.node.ts), no model in it. Every request of the
// session is recorded: nothing goes anywhere but to the app's own host and to the address that was typed in.
import { readFile } from "node:fs/promises";
import { expect, test, type Locator, type Page } from "@playwright/test";
import sharp from "sharp";
import * as v from "valibot";
import { chunkJson } from "#testing/servers/fake-quirks.node.ts";
import { startFakeServer, type FakeServer, type FakeServerOptions } from "#testing/servers/fake-server.node.ts";
import { violations } from "../support/axe.ts";
import { answeredTurns, openSavedChat, redPng } from "../support/saved-chat.ts";

const red = { name: "red.png", mimeType: "image/png", buffer: Buffer.from(redPng, "base64") };
const answerTurn = (page: Page): Locator => page.getByTestId("answer-turn").last();

let servers: FakeServer[] = [];
test.afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});
async function start(options: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer(options);
  servers.push(server);
  return server;
}

/** The page without its own model, which these tests don't need. */
async function openPage(page: Page, url = "./"): Promise<void> {
  await page.route("**/models/pocket-llava/**", (route) => route.abort());
  await page.goto(url);
  await expect(page.getByTestId("model-picker")).toBeVisible();
}

async function fillIn(page: Page, server: { readonly url: string }, key = ""): Promise<void> {
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Connect a server" }).click();
  await page.getByRole("textbox", { name: "Address" }).fill(server.url.replace("/v1", "").replace("http://", ""));
  await page.getByRole("textbox", { name: "Key" }).fill(key);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
}

async function connect(page: Page, server: FakeServer, key = ""): Promise<void> {
  await fillIn(page, server, key);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByTestId("model-status")).toHaveAttribute("data-state", "ready");
}

async function ask(page: Page, question: string, files: readonly (typeof red)[] = []): Promise<void> {
  if (files.length > 0) await page.getByTestId("file-input").setInputFiles([...files]);
  for (const file of files) await expect(page.getByRole("button", { name: `Remove ${file.name}` })).toBeVisible();
  const box = page.getByRole("textbox", { name: "Ask about the picture" });
  await box.fill(question);
  await box.press("Enter");
}

const ChatBody = v.object({
  messages: v.array(
    v.object({
      content: v.union([v.string(), v.array(v.object({ image_url: v.optional(v.object({ url: v.string() })) }))]),
    }),
  ),
});

/** Pictures of a request for an answer, per message. */
function sentPictures(body: unknown): Buffer[][] {
  return v
    .parse(ChatBody, body)
    .messages.map(({ content }) =>
      (typeof content === "string" ? [] : content).flatMap((part) =>
        part.image_url === undefined ? [] : [Buffer.from(part.image_url.url.replace(/^.*,/, ""), "base64")],
      ),
    );
}

test("a server's model streams its answer about pictures, and nothing goes anywhere else", async ({
  page,
  context,
}) => {
  const server = await start({ key: "sk-secret", paceMs: 30 });
  const requests: { readonly origin: string; readonly path: string; readonly key: boolean }[] = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    const told = JSON.stringify([request.url(), request.postData() ?? "", { ...request.headers(), authorization: "" }]);
    expect(told).not.toContain("sk-secret");
    if (url.protocol.startsWith("http"))
      requests.push({ origin: url.origin, path: url.pathname, key: "authorization" in request.headers() });
  });
  const logged: string[] = [];
  page.on("console", (message) => logged.push(message.text()));
  await openPage(page);
  await connect(page, server, "sk-secret");
  const host = new URL(server.url).host;
  await expect(page.getByTestId("leaves-device")).toContainText(host);
  await expect(page.getByTestId("empty-state")).not.toContainText("Nothing leaves this device");

  const photograph = await sharp({ create: { width: 3000, height: 20, channels: 3, background: "blue" } })
    .withExif({ IFD0: { Make: "Camera of mine" }, IFD3: { GPSLatitude: "48/1 12/1 0/1" } })
    .jpeg()
    .toBuffer();
  expect((await sharp(photograph).metadata()).exif).toBeDefined();
  await ask(page, "Which one is blue?", [red, { name: "photo.jpg", mimeType: "image/jpeg", buffer: photograph }]);
  await expect(answerTurn(page)).toHaveAttribute("data-status", "running");
  await expect(page.getByTestId("answer").last()).toContainText("You asked");
  await expect(answerTurn(page)).toHaveAttribute("data-status", "done");
  await expect(page.getByTestId("answer").last()).toContainText("“Which one is blue?” with 2 pictures");
  await expect(page.getByTestId("answer-model")).toHaveText(`llava-hf/llava-1.5-13b-hf on ${host}`);
  await expect(page.getByTestId("answer-figures")).toContainText("tokens/s");

  const [pictures] = sentPictures(server.requests.at(-1)?.body);
  const sent = await Promise.all((pictures ?? []).map((picture) => sharp(picture).metadata()));
  expect(sent).toMatchObject([
    { format: "png", width: 2 },
    { format: "jpeg", width: 2048 },
  ]);
  // Where and with what it was taken stays here.
  for (const metadata of sent) expect(metadata.exif).toBeUndefined();

  await ask(page, "And the other?");
  await expect(page.getByTestId("answer").last()).toContainText("“And the other?” with 2 pictures");
  await expect(answerTurn(page)).toHaveAttribute("data-status", "done");

  const app = new URL(page.url()).origin;
  const api = new URL(server.url).origin;
  expect(new Set(requests.map(({ origin }) => origin))).toEqual(new Set([app, api]));
  expect(new Set(requests.filter(({ origin }) => origin === api).map(({ path }) => path))).toEqual(
    new Set(["/v1/models", "/v1/chat/completions"]),
  );
  expect(requests.some(({ origin, key }) => origin === app && key)).toBe(false);
  expect(logged.join("\n")).not.toContain("sk-secret");
});

test("the server, the choice and who answered are there on the next visit; the built-in model is one click away", async ({
  page,
}) => {
  const server = await start({ models: ["llava-13b", "llava-34b"] });
  await openPage(page);
  await connect(page, server);
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByTestId("model-choice").filter({ hasText: "llava-34b" }).click();
  await ask(page, "Hello?");
  await expect(page.getByTestId("answer-model")).toContainText("llava-34b on localhost");
  await expect(answerTurn(page)).toHaveAttribute("data-status", "done");
  await page.reload();
  await expect(page.getByTestId("answer-model")).toContainText("llava-34b on localhost");
  await expect(page.getByTestId("model-status")).toContainText("localhost");
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await expect(page.getByTestId("model-choice").filter({ hasText: "llava-34b" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await page.getByTestId("model-choice").filter({ hasText: "Pocket LLaVA" }).click();
  await expect(page.getByTestId("leaves-device")).toHaveCount(0);

  await page.goto("./?model=llava-13b");
  await expect(page.getByTestId("model-picker")).toContainText("llava-13b");
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: /^Remove localhost/ }).click();
  await expect(page.getByTestId("model-picker")).toContainText("Pocket LLaVA");
  expect(await page.evaluate(() => localStorage.getItem("llava-web-servers"))).not.toContain("localhost");
});

test("another model goes on with a conversation that this device began", async ({ page }) => {
  const server = await start();
  await openPage(page);
  await openSavedChat(page, answeredTurns, { p1: redPng });
  await connect(page, server);
  await ask(page, "Are you sure?");
  await expect(page.getByTestId("answer").last()).toContainText("“Are you sure?” with 1 pictures");
  expect(sentPictures(server.requests.at(-1)?.body).map((pictures) => pictures.length)).toEqual([1, 0, 0]);
  await expect(page.getByTestId("answer-model")).toHaveCount(1);
});

test("Escape stops the answer, as does the Stop beside a server's silence, and the server is hung up on", async ({
  page,
}) => {
  const server = await start({ paceMs: 100 });
  await openPage(page);
  await connect(page, server);
  await ask(page, "A long one?");
  await expect(page.getByTestId("answer").last()).toContainText("You");
  await page.keyboard.press("Escape");
  await expect(answerTurn(page)).toHaveAttribute("data-status", "stopped");
  await expect.poll(() => server.hungUp()).toBe(1);

  server.fail({ type: "raw", pieces: [`data: ${chunkJson({ content: "Three" })}\n\n`], staysOpen: true });
  await page.clock.install();
  await ask(page, "And now?");
  await expect(page.getByTestId("answer").last()).toContainText("Three");
  await page.clock.runFor(12_500);
  await expect(page.getByTestId("server-silent")).toContainText(/silent for 1\d s/);
  await page.getByTestId("server-silent").getByRole("button", { name: "Stop" }).click();
  await expect(answerTurn(page)).toHaveAttribute("data-status", "stopped");
  await expect(page.getByTestId("answer").last()).toContainText("Three");
  await expect.poll(() => server.hungUp()).toBe(2);
});

test("what can't be connected says why, and stays to be corrected", async ({ page }) => {
  const locked = await start({ key: "sk-secret" });
  await openPage(page);
  const problem = page.getByTestId("connect-problem");
  const retry = async (address: string, key = ""): Promise<void> => {
    await page.getByRole("textbox", { name: "Address" }).fill(address);
    await page.getByRole("textbox", { name: "Key" }).fill(key);
    await page.getByRole("button", { name: "Connect", exact: true }).click();
  };
  await fillIn(page, locked, "sk-wrong");
  await expect(problem).toHaveAttribute("data-code", "server-key");
  await expect(problem).not.toContainText("sk-wrong");
  await retry("http://192.168.0.7:8000");
  await expect(problem).toHaveAttribute("data-code", "server-insecure");
  await retry("ftp://somewhere");
  await expect(problem).toHaveAttribute("data-code", "server-address");
  await retry(locked.url, "“sk-secret”");
  await expect(problem).toHaveAttribute("data-code", "server-key-characters");
  await expect(problem).toContainText("U+201C");
  // Wherever a server sends the page, with or without leave to answer it, nobody is asked there.
  const elsewhere = await start();
  for (const cors of [true, false]) {
    const redirecting = await start({ cors, redirectsTo: `${elsewhere.url}/models` });
    await retry(redirecting.url);
    await expect(problem).toHaveAttribute("data-code", cors ? "server-redirect" : "server-unreachable");
    expect(redirecting.requests.length).toBeGreaterThan(0);
  }
  expect(elsewhere.requests).toEqual([]);
  const closed = await start({ cors: false });
  await retry(closed.url);
  await expect(problem).toHaveAttribute("data-code", /server-(cors|unreachable)/);
  await page.getByText("Allow this page (CORS)", { exact: true }).click();
  await expect(page.getByText(`OLLAMA_ORIGINS=${new URL(page.url()).origin}`)).toBeVisible();
  // A server without a list takes the name of a model instead; what it does not know is left out.
  const listless = await start({
    list: { status: 404, body: '{"detail":"Not Found"}' },
    models: ["my-llava"],
    refuses: (body) =>
      "stream_options" in body ? { status: 422, body: '{"detail":"stream_options is not supported"}' } : undefined,
  });
  await expect(page.getByRole("textbox", { name: "Model name" })).toHaveCount(0);
  await retry(listless.url);
  await expect(problem).toHaveAttribute("data-code", "server-not-found");
  await expect(problem).toContainText("Not Found");
  await page.getByRole("textbox", { name: "Model name" }).fill("my-llava");
  await problem.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await ask(page, "Hello?");
  await expect(page.getByTestId("answer").last()).toContainText("“Hello?”");
  await expect(page.getByTestId("leaves-device")).toContainText(/stays on your device.*localhost:\d+.*tunnel/);
});

test("an answer that breaks off, and a server that is gone, each say the next step; trying again works", async ({
  page,
}) => {
  const server = await start();
  await openPage(page);
  await connect(page, server);
  server.fail({ type: "cut", afterBytes: 400 });
  await ask(page, "Broken?");
  await expect(page.getByTestId("answer-failure")).toHaveAttribute("data-code", "server-broken-stream");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(answerTurn(page)).toHaveAttribute("data-status", "done");
  server.fail({ type: "status", status: 422, body: '{"error":{"message":"max_tokens is too large"}}' });
  await ask(page, "Too much?");
  await expect(page.getByTestId("answer-failure")).toContainText("max_tokens is too large");
  await server.stop();
  servers = [];
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByTestId("answer-failure")).toHaveAttribute("data-code", "server-unreachable");
});

test("two models answer the same question side by side, and the vote is kept and can be downloaded", async ({
  page,
}) => {
  const server = await start({ models: ["llava-13b", "llava-34b"], paceMs: 10 });
  await openPage(page);
  await connect(page, server);
  await page.getByTestId("file-input").setInputFiles([red]);
  await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Compare models" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("checkbox", { name: "Pocket LLaVA" }).uncheck();
  await dialog.getByRole("checkbox", { name: "llava-34b" }).check();
  await dialog.getByRole("textbox", { name: "Question" }).fill("Which color?");
  await dialog.getByRole("button", { name: "Ask all" }).click();
  const columns = page.getByTestId("compare-column");
  await expect(columns).toHaveCount(2);
  for (const column of await columns.all()) {
    await expect(column).toHaveAttribute("data-status", "done");
    await expect(column).toContainText("“Which color?” with 1 pictures");
  }
  // Nobody knows which model is which before the vote.
  await expect(columns.nth(0)).toContainText("Model A");
  for (const column of await columns.all()) await expect(column).not.toContainText("llava-");
  await page.getByRole("region", { name: "Answers" }).press("2");
  await expect(columns.nth(1)).toContainText("Your choice");
  const winner = (await columns.nth(1).getAttribute("aria-label")) ?? "";
  expect(winner).toMatch(/^llava-(13b|34b)$/);
  const download = page.waitForEvent("download");
  await page.getByTestId("compare-votes").getByRole("link", { name: "Download votes" }).click();
  const exported: unknown = JSON.parse(await readFile(await (await download).path(), "utf8"));
  expect(exported).toMatchObject({
    votes: [{ question: "Which color?", pictures: 1, verdict: 1, answers: [{}, { model: winner }] }],
  });
  await page.keyboard.press("Escape");
  // What was compared is no part of the conversation, and the draft still waits.
  await expect(page.getByTestId("answer-turn")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Remove red.png" })).toBeVisible();

  // Unless one of the answers is to be gone on with: then its model goes on too.
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Compare models" }).click();
  await dialog.getByRole("checkbox", { name: "Pocket LLaVA" }).uncheck();
  await dialog.getByRole("checkbox", { name: "llava-34b" }).check();
  await dialog.getByRole("switch", { name: "Blind" }).uncheck();
  await dialog.getByRole("textbox", { name: "Question" }).fill("And now?");
  await dialog.getByRole("button", { name: "Ask all" }).click();
  await expect(columns.nth(1)).toContainText("llava-34b");
  await columns.nth(1).getByRole("button", { name: "Continue with this one" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByTestId("answer")).toContainText("“And now?” with 1 pictures");
  await expect(page.getByTestId("answer-model")).toContainText("llava-34b");
  await expect(page).toHaveTitle(/llava-34b/);

  const thumb = page.getByRole("button", { name: "Good answer" });
  await thumb.click();
  await expect(thumb).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await expect(page.getByRole("button", { name: "Good answer" })).toHaveAttribute("aria-pressed", "true");
});

for (const [colorScheme, width] of [
  ["light", 1100],
  ["dark", 360],
] as const) {
  test.describe(`${colorScheme}, ${width} px`, () => {
    test.use({ colorScheme, viewport: { width, height: 760 }, reducedMotion: "reduce" });

    test("the list of models, connecting and side by side are accessible and not wider than the page", async ({
      page,
    }) => {
      const check = async (): Promise<void> => {
        expect(await violations(page)).toEqual([]);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        ).toBe(0);
      };
      const server = await start({ models: ["llava-hf/llava-1.5-13b-hf", "llava-hf/llava-v1.6-34b-hf"] });
      await openPage(page);
      await fillIn(page, { url: "http://192.168.0.7:8000" });
      await expect(page.getByTestId("connect-problem")).toBeVisible();
      await page.getByText("Allow this page (CORS)", { exact: true }).click();
      await check();
      await page.getByRole("textbox", { name: "Address" }).fill(server.url);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await page.getByTestId("model-picker").getByRole("button").first().click();
      await check();
      await page.getByRole("button", { name: "Compare models" }).click();
      await page.getByRole("dialog").getByRole("textbox", { name: "Question" }).fill("Which color?");
      await page.getByRole("checkbox", { name: "Pocket LLaVA" }).uncheck();
      await page.getByRole("checkbox", { name: "34b" }).check();
      server.fail({ type: "status", status: 500, body: "{}" });
      await page.getByRole("dialog").getByRole("button", { name: "Ask all" }).click();
      const columns = page.getByTestId("compare-column");
      await expect(columns).toHaveCount(2);
      // A model that failed can't win, and one answer is no contest.
      await expect(columns.filter({ hasText: "Failed" })).toHaveAttribute("data-status", "failed");
      await expect(columns.filter({ hasNotText: "Failed" })).toHaveAttribute("data-status", "done");
      await expect(page.getByText("There is nothing to vote on")).toBeVisible();
      await expect(page.getByRole("button", { name: "This is best" })).toHaveCount(0);
      await check();
      await page.keyboard.press("Escape");
      await ask(page, "Is it red?");
      await expect(answerTurn(page)).toHaveAttribute("data-status", "done");
      await check();
    });
  });
}
