// Steps that the GPU does again as they were recorded, on the software adapter, beside WASM.
import { expect, test } from "@playwright/test";
import { runtimePath } from "#sw/runtime-cache.ts";
import { openBundled } from "../support/bundle.ts";
import { smallPackage } from "../support/small-package.ts";

test("recorded steps give the answer of WASM and make next to no buffers, also after the cache has grown", async ({
  page,
}) => {
  const small = await smallPackage();
  await small.route(page);
  await openBundled(page, new URL("./replay-page.ts", import.meta.url));
  await expect(page.locator("body")).toHaveText("ready");
  // The cache has room for 256 rows at first and grows in the middle of this answer.
  const question = `${"word ".repeat(12)}Describe the picture.`;
  const ask = (device: "webgpu" | "wasm") =>
    page.evaluate(
      ([url, device, question]) => window.answer(new URL(url, document.baseURI).href, device, question, 6),
      [runtimePath, device, question] as const,
    );
  const recorded = await ask("webgpu");
  expect(recorded.promptTokens).toBe(254);
  expect(recorded.text).toBe((await ask("wasm")).text);
  expect(recorded.leaked).toBe(0);
  // A step is recorded with buffers of its own, once per cache: by the first token, and where the cache has grown.
  const made = recorded.buffers.map((count) => (count > 20 ? "recorded" : String(count))).join(", ");
  expect(made).toMatch(/^recorded(, 1)+, recorded(, 1)+$/);
  await small.remove();
});
