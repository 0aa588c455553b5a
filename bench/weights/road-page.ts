// The same conversion in the built page, in Chromium with its storage on the disk: how long it takes, and how much memory the browser has meanwhile.
import { readFileSync, readdirSync } from "node:fs";
import { chromium } from "@playwright/test";
import { securityHeaders } from "#sw/security-headers.ts";
import { serveBench } from "../serve.ts";
import { repository } from "./noise-hub.ts";

interface PageOptions {
  readonly hub: string;
  /** The built page. */
  readonly dist: string;
  /** A folder that does not exist, on a disk with room for the package. */
  readonly profile: string;
}

/** Proportional set sizes of this process's descendants that belong to the browser, in MB: of the page's process, and of all. */
function browserMegabytes(): { readonly page: number; readonly all: number } {
  const parents = new Map<string, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = readOr(`/proc/${pid}/stat`);
    const [, parent] = /\) \S (\d+)/.exec(stat) ?? [];
    if (parent !== undefined) parents.set(pid, parent);
  }
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOurs(parents.get(pid)));
  let [page, all] = [0, 0];
  for (const pid of parents.keys()) {
    if (pid === String(process.pid) || !isOurs(pid)) continue;
    const command = readOr(`/proc/${pid}/cmdline`);
    if (!command.includes("chrom")) continue;
    const megabytes = Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1000;
    all += megabytes;
    if (command.includes("--type=renderer")) page = Math.max(page, megabytes);
  }
  return { page, all };
}

/** Empty where the process has ended meanwhile. */
function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export async function convertInPage({ hub, dist, profile }: PageOptions): Promise<void> {
  const server = await serveBench({ dist, headers: securityHeaders });
  const executablePath = process.env["CHROMIUM_PATH"];
  const browser = await chromium.launchPersistentContext(profile, {
    args: ["--no-sandbox", "--disable-background-networking"],
    locale: "en-US",
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${server.url}?device=wasm&hub=${encodeURIComponent(hub)}`);
    await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();
    await page.getByTestId("photo-offer").getByRole("button", { name: "Other models" }).click();
    const dialog = page.getByRole("dialog", { name: "Models" });
    await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(repository);
    await dialog.getByRole("button", { name: "Check", exact: true }).click();
    const offer = dialog.getByTestId("model-offer");
    console.log(((await offer.textContent()) ?? "").replace(/\s+/g, " "));
    const before = browserMegabytes();
    const most = { page: 0, all: 0 };
    const timer = setInterval(() => {
      const now = browserMegabytes();
      most.page = Math.max(most.page, now.page);
      most.all = Math.max(most.all, now.all);
    }, 500);
    const began = performance.now();
    await offer.getByRole("button", { name: /^Download and convert/ }).click();
    const note = page.getByTestId("download");
    await note.waitFor();
    // The package is too large to be loaded here, and nobody asks it: the page is left once it is whole.
    await page.waitForFunction(
      () => {
        const phase = document.querySelector('[data-testid="download"]')?.getAttribute("data-phase");
        return phase !== "running" && phase !== "waiting";
      },
      undefined,
      { timeout: 0, polling: 500 },
    );
    clearInterval(timer);
    const seconds = (performance.now() - began) / 1000;
    const outcome = (await note.count()) > 0 ? await note.getAttribute("data-phase") : "done";
    const megabytes = (of: "page" | "all"): string => `${before[of].toFixed(0)} → ${most[of].toFixed(0)} MB`;
    console.log(
      `in the page: ${outcome} after ${seconds.toFixed(0)} s; the page's process ${megabytes("page")}, all of the browser ${megabytes("all")}`,
    );
  } finally {
    await browser.close();
    await server.stop();
  }
}
