// The tiny SmolVLM of the fixtures as a package at tiny-smolvlm/, beside the page's own files.
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { memoryPackage } from "#testing/fixtures.ts";

/** Converts it and serves it to the page. */
export async function serveTinySmolvlm(page: Page): Promise<void> {
  const checkpoint = fileURLToPath(new URL("../../training/fixtures/families/smolvlm", import.meta.url));
  const made = memoryPackage();
  await convert(checkpointFolder(checkpoint), made, { bits: { vision: 8, embed: 8, decoder: 4 } });
  await page.route("**/tiny-smolvlm/**", (route) => {
    const path = new URL(route.request().url()).pathname.replace(/^.*\/tiny-smolvlm\//, "");
    const bytes = made.written.get(path);
    return bytes ? route.fulfill({ body: Buffer.from(bytes) }) : route.fulfill({ status: 404 });
  });
}
