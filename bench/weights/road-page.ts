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
  /** Of the checkpoint. */
  readonly weightBytes: number;
  /** Percent of it after which the page is left: the most memory is reached early, because every unit is alike. */
  readonly until: number;
}

/** What the browser's processes, which descend from this one, take. */
interface Taken {
  /** Proportional set sizes in MB: of the page's process, and of all. */
  readonly page: number;
  readonly all: number;
  /** Seconds of all processors so far. */
  readonly processor: number;
}

function browserTakes(): Taken {
  const stats = new Map<string, readonly string[]>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    // After the name in parentheses: state, parent, …, user and system time in hundredths at 11 and 12.
    const [, fields] = /\) (.*)/.exec(readOr(`/proc/${pid}/stat`)) ?? [];
    if (fields !== undefined) stats.set(pid, fields.split(" "));
  }
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOurs(stats.get(pid)?.[1]));
  let [page, all, processor] = [0, 0, 0];
  for (const [pid, fields] of stats) {
    if (pid === String(process.pid) || !isOurs(pid)) continue;
    const command = readOr(`/proc/${pid}/cmdline`);
    if (!command.includes("chrom")) continue;
    const megabytes = Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1000;
    all += megabytes;
    processor += (Number(fields[11]) + Number(fields[12])) / 100;
    if (command.includes("--type=renderer")) page = Math.max(page, megabytes);
  }
  return { page, all, processor };
}

/** Empty where the process has ended meanwhile. */
function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export async function convertInPage({ hub, dist, profile, weightBytes, until }: PageOptions): Promise<void> {
  const server = await serveBench({ dist, headers: securityHeaders });
  const executablePath = process.env["CHROMIUM_PATH"];
  const browser = await chromium.launchPersistentContext(profile, {
    args: ["--no-sandbox", "--disable-background-networking"],
    locale: "en-US",
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    await page.goto(`${server.url}?device=wasm&hub=${encodeURIComponent(hub)}`);
    await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();
    await page.getByTestId("photo-offer").getByRole("button", { name: "Other models" }).click();
    const dialog = page.getByRole("dialog", { name: "Models" });
    await dialog.getByLabel("owner/name on Hugging Face, or an address").fill(repository);
    await dialog.getByRole("button", { name: "Check", exact: true }).click();
    const offer = dialog.getByTestId("model-offer");
    console.log(((await offer.textContent()) ?? "").replace(/\s+/g, " "));
    const before = browserTakes();
    const most = { page: 0, all: 0 };
    const look = (): Taken => {
      const now = browserTakes();
      most.page = Math.max(most.page, now.page);
      most.all = Math.max(most.all, now.all);
      return now;
    };
    const timer = setInterval(look, 500);
    const began = performance.now();
    await offer.getByRole("button", { name: /^Download and convert/ }).click();
    const note = page.getByTestId("download");
    await note.waitFor();
    const figures = (of: "page" | "all"): string => `${before[of].toFixed(0)} → ${most[of].toFixed(0)} MB at most`;
    const megabytes = (): string => `the page's process ${figures("page")}, all of the browser ${figures("all")}`;
    // The package is too large to be loaded here, and nobody asks it: the page is left once it is whole, or the part has come.
    let percent = 0;
    let phase = "running";
    while (phase === "running" && percent < until) {
      const next = Math.min(until, percent + Math.max(1, Math.ceil(until / 5)));
      const state = await page.waitForFunction(
        (wanted) => {
          const found = document.querySelector('[data-testid="download"]');
          const came = Number(found?.querySelector('[role="progressbar"]')?.getAttribute("aria-valuenow") ?? 0);
          const now = found?.getAttribute("data-phase") ?? "done";
          return now !== "running" || came >= wanted ? { now, came } : undefined;
        },
        next,
        { timeout: 0, polling: 500 },
      );
      const { now, came } = (await state.jsonValue()) ?? { now: "gone", came: percent };
      phase = now;
      percent = phase === "running" ? came : 100;
      look();
      console.log(`${percent} %: ${megabytes()}`);
    }
    clearInterval(timer);
    const seconds = (performance.now() - began) / 1000;
    const gigabytes = (weightBytes / 1e9) * (percent / 100);
    const processor = (browserTakes().processor - before.processor) / gigabytes;
    console.log(
      `in the page: ${phase} at ${percent} % (${gigabytes.toFixed(2)} GB) after ${seconds.toFixed(0)} s, ${((gigabytes * 1000) / seconds).toFixed(0)} MB/s; ` +
        `processor time per GB of all of the browser ${processor.toFixed(1)} s`,
    );
  } finally {
    await browser.close();
    await server.stop();
  }
}
