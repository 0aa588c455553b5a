// A tiny random LLaVA on disk, which a test serves in the place of the built-in model where it is not about what that one answers: on
// WebGPU's software adapter the built-in model's own answers take most of a minute.
import { existsSync } from "node:fs";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Page } from "@playwright/test";
import { tinyPackage } from "#testing/tiny-package.node.ts";

/** Where the built-in model is, below the page's folder. */
const builtIn = "models/pocket-llava";

export interface SmallPackage {
  /** For `serveStatic`: the package's folder in the place of the built-in one. */
  readonly instead: Readonly<Record<string, string>>;
  /** For a page that has no service worker: its requests for the built-in package get this one. */
  route(page: Page): Promise<void>;
  remove(): Promise<void>;
}

/** Answers are the same at every call, of printable characters, and as long as the question allows; it is called Pocket LLaVA. */
export async function smallPackage(): Promise<SmallPackage> {
  const { info, files } = await tinyPackage({ id: "pocket-llava", name: "Pocket LLaVA" });
  const root = await mkdtemp(join(tmpdir(), "llava-e2e-small-"));
  // The service worker keeps the package's card as well as its manifest.
  await writeFile(join(root, "README.md"), "A tiny random model for tests.\n");
  for (const path of ["manifest.json", ...info.files.map((file) => file.path)]) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, new Uint8Array(await (await files.blob(path)).arrayBuffer()));
  }
  return {
    instead: { [builtIn]: root },
    async route(page) {
      await page.route(`**/${builtIn}/**`, (route) => {
        const path = new URL(route.request().url()).pathname.replace(new RegExp(`^.*/${builtIn}/`), "");
        const file = join(root, path);
        return route.fulfill(existsSync(file) ? { path: file } : { status: 404 });
      });
    },
    remove: () => rm(root, { recursive: true }),
  };
}
