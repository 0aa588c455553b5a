// The app on a static host without headers, under a path of its own, and with the server gone. On WebGPU a small package stands in the place of
// the built-in model; what that one answers there is asked in chat/answers.spec.ts.
import { expect, test } from "@playwright/test";
import { startFakeServer } from "#testing/servers/fake-server.node.ts";
import { violations } from "../support/axe.ts";
import { askAbout, modelReady, openPage, truths } from "../support/ask.ts";
import { smallPackage } from "../support/small-package.ts";
import { serveStatic, type StaticServer } from "../support/static-server.ts";

let server: StaticServer;
const serve = async (instead: Readonly<Record<string, string>> = {}): Promise<void> => {
  server = await serveStatic({ folder: process.env["E2E_DIST"] ?? "dist-test", instead, prefix: "/some/where/" });
};
test.afterEach(() => server.stop());

for (const device of ["wasm", "webgpu"] as const) {
  test(`after one visit on ${device} the server may be gone: a reload opens and answers`, async ({ page }) => {
    const small = device === "webgpu" ? await smallPackage() : undefined;
    await serve(small?.instead);
    // The software adapter is slow, and the small package's answers are as long as they may be.
    await openPage(page, `${server.url}?device=${device}`, small ? 3 : 16);
    await modelReady(page);
    await expect(page.getByTestId("model-status")).toContainText(device === "wasm" ? "WASM" : "WebGPU");
    // The host sends no headers, so the service worker has added them and the page has reloaded once.
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await expect(page.getByTestId("offline")).toBeVisible();
    const { file, question, words } = truths[0];
    const online = await askAbout(page, file, question);
    expect(online).toMatch(small ? /\S/ : words);

    await server.stop();
    await small?.remove();
    await page.reload();
    await modelReady(page);
    await expect(page.getByTestId("offline")).toBeVisible();
    await page.getByRole("button", { name: "New chat" }).click();
    expect(await askAbout(page, file, question)).toBe(online);
    if (device === "webgpu") return;
    // The benchmark is not kept, and says so; any other page that is not kept leads to the app.
    await page.goto(`${server.url}bench/`);
    await expect(page.getByRole("heading", { name: "The benchmark needs a network connection" })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => getComputedStyle(document.body).display)).toBe("grid");
    // The pages beside the chat are.
    await page.goto(`${server.url}review/`);
    await expect(page.getByTestId("review-empty")).toBeVisible();
    await page.goto(`${server.url}elsewhere/`);
    // The conversation that was open last adds its own address behind it.
    await expect(page).toHaveURL((url) => url.href.startsWith(server.url) && !url.pathname.includes("elsewhere"));
    await expect(page.getByTestId("conversation").or(page.getByTestId("empty-state"))).toBeVisible();
  });
}

test("a whole session asks no other host for anything", async ({ page, context }) => {
  await serve();
  const asked: string[] = [];
  context.on("request", (request) => asked.push(request.url()));
  await openPage(page, server.url);
  await modelReady(page);
  await askAbout(page, truths[0].file, truths[0].question);
  const foreign = (): string[] => asked.filter((url) => !url.startsWith(server.url) && !/^(blob|data):/.test(url));
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Export and import" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await (await download).delete();
  await page.keyboard.press("Escape");
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Manage models" }).click();
  await expect(page.getByTestId("stored-model")).toHaveCount(1);
  await page.keyboard.press("Escape");
  expect(foreign()).toEqual([]);

  // Only an address that somebody types is asked too.
  const typed = await startFakeServer({ models: ["llava-13b"] });
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await page.getByRole("button", { name: "Connect a server" }).click();
  await page.getByRole("textbox", { name: "Address" }).fill(typed.url);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page).toHaveTitle(/llava-13b/);
  await askAbout(page, undefined, "And now?");
  await page.reload();
  await expect(page.getByTestId("model-status")).toHaveAttribute("data-state", "ready");
  await typed.stop();
  expect(foreign().length).toBeGreaterThan(0);
  expect(new Set(foreign().map((url) => new URL(url).origin))).toEqual(new Set([new URL(typed.url).origin]));
  expect(asked.length).toBeGreaterThan(5);
});

test("the policy that the service worker adds refuses inline scripts, and other hosts' pictures and plain http", async ({
  page,
}) => {
  await serve();
  await openPage(page, server.url);
  await modelReady(page);
  const refused = await page.evaluate(async () => {
    const directives: string[] = [];
    document.addEventListener("securitypolicyviolation", (event) => directives.push(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "globalThis.inlineScriptRan = true";
    document.head.append(script);
    new Image().src = "https://example.com/picture.png";
    await fetch("http://example.com/").catch(() => undefined);
    // The events of a policy come in tasks of their own.
    while (directives.length < 3) await new Promise((resolve) => setTimeout(resolve));
    return { ran: "inlineScriptRan" in globalThis, directives: directives.sort() };
  });
  expect(refused).toEqual({ ran: false, directives: ["connect-src", "img-src", "script-src-elem"] });
});
