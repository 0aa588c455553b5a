// The page as an app: what it can be opened with, installed as, and how good its built form is for a visitor who is new.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect, test, type Page } from "@playwright/test";
import { securityHeaders } from "#sw/security-headers.ts";
import { modelReady } from "../support/ask.ts";
import { redPng } from "../support/saved-chat.ts";
import { serveStatic } from "../support/static-server.ts";

const box = (page: Page) => page.getByRole("textbox", { name: "Ask about the picture" });
/** The texts of questions that are not sent yet, as the page keeps them. */
const keptDrafts = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    Object.entries(localStorage)
      .filter(([key]) => key.startsWith("llava-web-draft:"))
      .map(([, value]) => (JSON.parse(String(value)) as { text: string }).text),
  );
const folder = process.env["E2E_FOLDER"] ?? "dist-test";

test("a question in the address waits in the box, once, and is not sent", async ({ page }) => {
  await page.goto("./?q=What%20is%20this%3F&device=wasm");
  await expect(box(page)).toHaveValue("What is this?");
  await expect(page).toHaveURL(/\?device=wasm$/);
  await expect(page.getByTestId("empty-state")).toBeVisible();
  // It is a draft like any other from now on: there after a reload, and gone once it was deleted.
  await expect.poll(() => keptDrafts(page)).toEqual(["What is this?"]);
  await page.reload();
  await expect(box(page)).toHaveValue("What is this?");
  await box(page).fill("");
  await expect.poll(() => keptDrafts(page)).toEqual([]);
  await page.reload();
  await modelReady(page);
  await expect(box(page)).toHaveValue("");
});

test("inside another page it leaves out what is around the chat", async ({ page }) => {
  await page.route("**/models/**", () => undefined);
  await page.goto("./?embed");
  await expect(box(page)).toBeVisible();
  await expect(page.locator(".brand")).toBeHidden();
  await page.goto("./");
  await expect(page.locator(".brand")).toBeVisible();

  // A page of the same origin may show it; one of another host may not, unless the build named that host.
  const app = page.url();
  const show = (url: string): Promise<void> =>
    page.evaluate((source) => {
      const frame = document.createElement("iframe");
      frame.src = source;
      document.body.append(frame);
    }, url);
  await show("./?embed");
  await expect(page.frameLocator("iframe").getByRole("textbox", { name: "Ask about the picture" })).toBeVisible();
  const other = await serveStatic({
    folder,
    onRequest: (_, __, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<title>Another page</title>");
      return true;
    },
  });
  const refused = page.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.goto(other.url);
  await show(`${app}?embed`);
  await refused;
  await expect(page.frameLocator("iframe").getByRole("textbox")).toHaveCount(0);
  await other.stop();
});

test("a picture shared to the app waits in the box with its words, once, and goes nowhere", async ({ page }) => {
  await page.goto("./");
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  const posts: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") posts.push(request.url());
  });
  const server: string[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("/share") && !response.fromServiceWorker()) server.push(response.url());
  });
  const landed = await page.evaluate(async (base64) => {
    const form = new FormData();
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    form.set("text", "What is this?");
    form.append("pictures", new File([bytes], "größe 1.png", { type: "image/png" }));
    return (await fetch("./share", { method: "POST", body: form })).url;
  }, redPng);
  expect(landed).toMatch(/\?shared$/);
  expect(server).toEqual([]);
  await page.goto(landed);
  await expect(page.getByRole("button", { name: "Remove größe 1.png" })).toBeVisible();
  await expect(box(page)).toHaveValue("What is this?");
  await expect(page).not.toHaveURL(/shared/);
  await expect.poll(() => keptDrafts(page)).toEqual(["What is this?"]);
  await page.reload();
  await expect(box(page)).toHaveValue("What is this?");
  await expect(page.getByRole("button", { name: /^Remove / })).toHaveCount(1);
  await page.getByRole("button", { name: /^Remove / }).click();
  await box(page).fill("");
  await expect.poll(() => keptDrafts(page)).toEqual([]);
  await page.reload();
  await modelReady(page);
  await expect(box(page)).toHaveValue("");
  await expect(page.getByRole("button", { name: /^Remove / })).toHaveCount(0);
});

test("a new version is offered while the page is open, never during an answer, and taken at a click", async ({
  page,
}) => {
  const script = await readFile(`${folder}/service-worker.js`, "utf8");
  let deployed = false;
  const server = await serveStatic({
    folder,
    headers: securityHeaders,
    onRequest(path, _request, response) {
      // The model never arrives, so that an answer waits for as long as the test wants.
      if (path.includes("/onnx/")) return true;
      if (!deployed || path !== "service-worker.js") return false;
      response.writeHead(200, { "content-type": "text/javascript", ...securityHeaders }).end(`${script}\n// new`);
      return true;
    },
  });
  try {
    await page.goto(server.url);
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await expect(page.getByTestId("model-status")).toHaveAttribute("data-state", "loading");
    await box(page).fill("Hello?");
    await box(page).press("Enter");
    await expect(page.getByTestId("answer-turn")).toHaveAttribute("data-status", "queued");
    deployed = true;
    const isWaiting = (): Promise<boolean> =>
      page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.waiting instanceof ServiceWorker);
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await expect.poll(isWaiting).toBe(true);
    await expect(page.getByTestId("update")).toHaveCount(0);
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("update")).toHaveAttribute("data-state", "ready");
    const other = await page.context().newPage();
    await other.goto(`${server.url}examples/examples.json`);
    await page.getByTestId("update").getByRole("button", { name: "Reload now" }).click();
    await expect(page.getByTestId("update")).toHaveAttribute("data-state", "other-tabs");
    await other.close();
    const loaded = page.waitForEvent("load");
    await page.getByTestId("update").getByRole("button", { name: "Reload now" }).click();
    await loaded;
    // The conversation is where it was, and the version that waited is the one that runs.
    await expect(page.getByTestId("question-turn")).toHaveText("Hello?");
    await expect.poll(isWaiting).toBe(false);
    await expect(page.getByTestId("update")).toHaveCount(0);
  } finally {
    await server.stop();
  }
});

test("the manifest makes it an app that takes pictures", async ({ page, request }) => {
  await page.goto("./");
  const href = await page.locator("link[rel=manifest]").getAttribute("href");
  const manifest: unknown = await (await request.get(href ?? "")).json();
  expect(manifest).toMatchObject({
    display: "standalone",
    start_url: "./",
    share_target: { action: "./share", method: "POST", enctype: "multipart/form-data" },
    file_handlers: [{ action: "./", accept: { "image/png": [".png"] } }],
  });
  const icons = JSON.stringify(manifest);
  for (const size of ["192x192", "512x512", "maskable"]) expect(icons).toContain(size);
});

test("the first screen is small, quiet and stable", async ({ page, baseURL }) => {
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  await page.addInitScript(() => {
    let shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        if ("value" in entry && typeof entry.value === "number") shift += entry.value;
      document.documentElement.dataset["shift"] = String(shift);
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.route("**/models/**", () => undefined);
  await page.goto("./");
  await expect(page.getByTestId("example").first()).toBeVisible();
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
    for (let frame = 0; frame < 10; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
  });
  const seen = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    description: document.querySelector("meta[name=description]")?.getAttribute("content") ?? "",
    viewport: document.querySelector("meta[name=viewport]")?.getAttribute("content") ?? "",
    headings: document.querySelectorAll("h1").length,
    doctype: document.doctype?.name,
    shift: Number(document.documentElement.dataset["shift"] ?? 0),
    unsized: [...document.images].filter(
      (image) => getComputedStyle(image).aspectRatio === "auto" && !image.hasAttribute("width"),
    ).length,
    // Fingers need room: 24 CSS pixels at least, as WCAG 2.2 asks.
    small: [...document.querySelectorAll("button, input:not([type=file]), a[href]:not(.skip-link)")]
      .map((element) => element.getBoundingClientRect())
      .filter(({ width, height }) => width > 0 && (width < 24 || height < 24)).length,
    scripts: performance
      .getEntriesByType("resource")
      .map(({ name }) => name)
      .filter((name) => /\/assets\/.*\.js$/.test(name) && !/worker/.test(name)),
  }));
  expect(seen).toMatchObject({ lang: "en", doctype: "html", headings: 1, small: 0 });
  expect(seen.title).not.toBe("");
  expect(seen.description.length).toBeGreaterThan(40);
  expect(seen.viewport).not.toMatch(/user-scalable|maximum-scale/);
  expect(seen.shift).toBeLessThan(0.1);
  let bytes = 0;
  for (const name of seen.scripts)
    bytes += gzipSync(await readFile(`${folder}/${name.slice((baseURL ?? "").length)}`)).length;
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(120_000);
  expect(problems).toEqual([]);
});

test("every setting of sampling is there, holds, and is kept", async ({ page }) => {
  await page.route("**/models/**", () => undefined);
  await page.goto("./");
  await page.getByRole("button", { name: "Settings" }).click();
  const settings = page.getByRole("dialog", { name: "Settings" });
  await settings.getByRole("switch", { name: "Deterministic" }).uncheck();
  await expect(settings.getByRole("slider", { name: "Temperature" })).toHaveValue("0.2");
  await expect(settings.getByRole("slider", { name: "Top-p" })).toHaveValue("0.7");
  await expect(settings.getByRole("slider", { name: "Maximum answer length" })).toHaveValue("512");
  await settings.getByText("Description", { exact: true }).click();
  await expect(settings.getByRole("slider", { name: "Maximum answer length" })).toHaveValue("1024");
  await settings.getByText("More settings").click();
  await settings.getByRole("slider", { name: "Top-k" }).fill("40");
  await settings.getByRole("textbox", { name: "Seed" }).fill("a7");
  await settings.getByText("Pad", { exact: true }).click();
  await settings.getByRole("textbox", { name: "System prompt" }).fill("Be brief.");
  await settings.getByRole("button", { name: "Close" }).click();
  await expect(box(page)).toHaveValue("Describe this picture in detail.");
  await page.reload();
  await page.getByRole("button", { name: "Settings" }).click();
  await settings.getByText("More settings").click();
  await expect(settings.getByRole("slider", { name: "Top-k" })).toHaveValue("40");
  await expect(settings.getByRole("textbox", { name: "Seed" })).toHaveValue("7");
  await expect(settings.getByRole("textbox", { name: "System prompt" })).toHaveValue("Be brief.");
  await settings.getByRole("button", { name: "Reset to defaults" }).click();
  await expect(settings.getByRole("textbox", { name: "Seed" })).toHaveValue("");
});
