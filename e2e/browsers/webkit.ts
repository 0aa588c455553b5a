// WebKitGTK's MiniBrowser by WebKit's own WebDriver: the engine of Safari on Linux. Knows no page.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { Builder, Capabilities } from "selenium-webdriver";
import type { Browser } from "./browser.ts";

/** Starts WebKit's driver at `driver` (`webkit2gtk-driver` in Debian) and a browser; needs a display or a virtual one. */
export async function startWebkit(driver: string): Promise<Browser> {
  const port = await freePort();
  const process_ = spawn(driver, [`--port=${port}`], {
    stdio: "ignore",
    env: { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", LANG: "en_US.UTF-8" },
  });
  await answers(port);
  const capabilities = new Capabilities({ browserName: "MiniBrowser" });
  capabilities.set("webkitgtk:browserOptions", { args: ["--automation"] });
  const session = await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(capabilities).build();
  await session.manage().setTimeouts({ script: 300_000, pageLoad: 60_000 });
  const told = await session.getCapabilities();
  return {
    name: `WebKitGTK ${String(told.get("browserVersion"))}`,
    goto: (url) => session.get(url),
    run: async <Result>(body: string, argument?: unknown): Promise<Result> => {
      const answer: { value?: Result; error?: string } = await session.executeAsyncScript(
        `const done = arguments[arguments.length - 1];
         (async (argument) => { ${body} })(arguments[0]).then((value) => done({ value }), (error) => done({ error: String(error) }));`,
        argument ?? null,
      );
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value as Result;
    },
    screenshot: async (file) => writeFile(file, Buffer.from(await session.takeScreenshot(), "base64")),
    close: async () => {
      await session.quit().catch(() => undefined);
      process_.kill();
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await fetch(`http://127.0.0.1:${port}/status`).then(
        (response) => response.ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("WebKit's driver does not answer");
}
