// SmolVLM's class on the software adapter beside WASM: a picture in squares, and a quick look at it.
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { runtimePath } from "#sw/runtime-cache.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { openBundled } from "../support/bundle.ts";

test("WebGPU and WASM give the same answers about a picture, in every detail and at a quick look", async ({ page }) => {
  const checkpoint = fileURLToPath(new URL("../../training/fixtures/families/smolvlm", import.meta.url));
  const made = memoryPackage();
  await convert(checkpointFolder(checkpoint), made, { bits: { vision: 8, embed: 8, decoder: 4 } });
  await page.route("**/tiny-smolvlm/**", (route) => {
    const path = new URL(route.request().url()).pathname.replace(/^.*\/tiny-smolvlm\//, "");
    const bytes = made.written.get(path);
    return bytes ? route.fulfill({ body: Buffer.from(bytes) }) : route.fulfill({ status: 404 });
  });
  await openBundled(page, new URL("./smolvlm-page.ts", import.meta.url));
  await expect(page.locator("body")).toHaveText("ready");
  const urls = { packageUrl: "tiny-smolvlm/", picture: "examples/pets.png" };
  const see = (device: "webgpu" | "wasm", detail: "quick" | "every") =>
    page.evaluate(
      ([given, path, on, how]) => window.see({ ...given, runtimeUrl: new URL(path, document.baseURI).href }, on, how),
      [urls, runtimePath, device, detail] as const,
    );
  for (const [detail, least] of [
    ["quick", 4],
    ["every", 20],
  ] as const) {
    const gpu = await see("webgpu", detail);
    expect(gpu.imageTokens).toBeGreaterThanOrEqual(least);
    expect(gpu).toEqual(await see("wasm", detail));
    expect(gpu.leaked).toBe(0);
    expect(gpu.text).not.toBe("");
  }
});
