// SmolVLM's class on the software adapter beside WASM: a picture in squares, and a quick look at it.
import { expect, test } from "@playwright/test";
import { runtimePath } from "#sw/runtime-cache.ts";
import { openBundled } from "../support/bundle.ts";
import { serveTinySmolvlm } from "./tiny-smolvlm.ts";

test("WebGPU and WASM give the same answers about a picture, in every detail and at a quick look", async ({ page }) => {
  await serveTinySmolvlm(page);
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
