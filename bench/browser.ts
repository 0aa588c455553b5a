// npm run bench -- browser [--device webgpu] [--pairs 3] [--contexts 256,1024] [--tokens 48] [--model <package folder>] [--json <file>] [--picture <file>]: the built page /bench in headless Chromium,
// both systems in turns. WebGPU is the software adapter where there is no GPU: give it small counts.
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { securityHeaders } from "#sw/security-headers.ts";
import { serveBench } from "./serve.ts";

const { values } = parseArgs({
  options: {
    dist: { type: "string", default: "dist-test" },
    device: { type: "string", default: "wasm" },
    pairs: { type: "string", default: "3" },
    contexts: { type: "string", default: "256,1024" },
    tokens: { type: "string", default: "48" },
    model: { type: "string" },
    json: { type: "string" },
    picture: { type: "string" },
  },
});
const { model } = values;
const server = await serveBench({ dist: values.dist, headers: securityHeaders, model });
const executablePath = process.env["CHROMIUM_PATH"];
const gpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
const browser = await chromium.launch({
  args: ["--no-sandbox", "--disable-background-networking", ...(values.device === "webgpu" ? gpu : [])],
  ...(executablePath === undefined ? {} : { executablePath }),
});
try {
  const page = await browser.newPage({ locale: "en-US" });
  const { device, pairs, contexts, tokens } = values;
  await page.goto(
    `${server.url}bench/?beside&${new URLSearchParams({ device, pairs, contexts, tokens, ...(model === undefined ? {} : { package: "package/" }) }).toString()}`,
  );
  await page.getByRole("button", { name: "Run benchmark" }).click();
  const status = page.locator(".bench-status[data-state=done], .bench-status[data-state=failed]");
  await status.waitFor({ timeout: 30 * 60_000 });
  if ((await status.getAttribute("data-state")) === "failed") throw new Error((await status.textContent()) ?? "");
  console.log(await page.locator("h2").textContent());
  for (const row of await page.locator("tr").all()) {
    console.log(`| ${(await row.locator("th, td").allTextContents()).join(" | ")} |`);
  }
  for (const line of await page.locator("section > p").allTextContents()) console.log(line);
  const save = async (name: string, path: string): Promise<void> => {
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name }).click();
    await (await coming).saveAs(path);
  };
  if (values.json !== undefined) await save("Save as JSON", values.json);
  if (values.picture !== undefined) await save("Save as a picture", values.picture);
} finally {
  await browser.close();
  await server.stop();
}
