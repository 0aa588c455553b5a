// Opens a page that is no part of the app: one script, bundled in memory with everything it imports.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { build } from "vite";

/** Opens `<name>.html` on the app's origin, which runs the script `<name>.ts`; it is served as long as the page lives. */
export async function openBundled(page: Page, script: URL): Promise<void> {
  const file = fileURLToPath(script);
  const name = basename(file, ".ts");
  const { code, style } = await buildPage(file);
  await page.route(`**/${name}.js`, (route) => route.fulfill({ contentType: "text/javascript", body: code }));
  await page.route(`**/${name}.html`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><title>${name}</title><style>${style}</style><body></body><script type="module" src="${name}.js"></script>`,
    }),
  );
  await page.goto(`./${name}.html`);
}

/** The script with everything it imports, in one file. */
export async function bundle(entry: string): Promise<string> {
  return (await buildPage(entry)).code;
}

async function buildPage(entry: string): Promise<{ readonly code: string; readonly style: string }> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      cssCodeSplit: false,
      rolldownOptions: { input: entry, output: { codeSplitting: false } },
    },
  });
  const output = [built].flat().flatMap((bundled) => ("output" in bundled ? bundled.output : []));
  const file = output.find((part) => part.type === "chunk");
  if (!file) throw new Error(`${entry} was not built`);
  const styles = output.flatMap((part) =>
    part.type === "asset" && part.fileName.endsWith(".css") ? [part.source] : [],
  );
  return { code: file.code, style: styles.join("\n") };
}
