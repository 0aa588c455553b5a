// Steps that the GPU does again as they were recorded, on the software adapter, beside steps that the runtime walks through.
import { expect, test } from "@playwright/test";
import { runtimePath } from "#sw/runtime-cache.ts";
import { openBundled } from "./bundle-page.ts";

test("recorded steps give the same answer and make next to no buffers, also after the cache has grown", async ({
  page,
}) => {
  await openBundled(page, "replay-page");
  await expect(page.locator("body")).toHaveText("ready");
  const ask = (proven: boolean) =>
    page.evaluate(
      ([url, proven, question]) => window.answer(new URL(url, document.baseURI).href, proven, question, 6),
      // The cache has room for 256 rows at first and grows in the middle of this answer.
      [runtimePath, proven, `${"word ".repeat(107)}Describe the picture in detail.`] as const,
    );
  const recorded = await ask(true);
  const walked = await ask(false);
  expect(recorded.promptTokens).toBe(254);
  expect(recorded.text).toBe(walked.text);
  expect([recorded.leaked, walked.leaked]).toEqual([0, 0]);
  // A step is recorded with buffers of its own, once per cache: by the first token, and where the cache has grown.
  expect(recorded.buffers.map((made) => (made > 20 ? "recorded" : made))).toEqual(["recorded", 1, "recorded", 1]);
});
