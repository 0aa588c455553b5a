// Finds a Chromium for the browser tests, or installs one. Built-ins of Node only.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fail, runTool } from "./ensure.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
const places = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** Path of a Chromium: environment, installed browsers, Debian's package, Playwright's download; ends with a sentence if none. */
export async function findChromium() {
  const wanted = process.env.CHROMIUM_PATH ?? process.env.CHROME_PATH;
  if (wanted) return existsSync(wanted) ? wanted : fail(`CHROMIUM_PATH names ${wanted}, which is not there.`);
  return (
    installed() ??
    fromDebian() ??
    (await fromPlaywright()) ??
    fail(
      "No Chromium was found for the browser tests. Install Chromium, Chrome or Edge, or set CHROMIUM_PATH to its program file.",
    )
  );
}

function installed() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...places].find((path) => existsSync(path) && starts(path));
}

/** Some systems have a stand-in under the browser's name that only says how to install it. */
function starts(path) {
  // Windows opens a window instead of telling the version.
  if (process.platform === "win32") return true;
  return spawnSync(path, ["--version"], { stdio: "ignore", timeout: 30_000 }).status === 0;
}

function fromDebian() {
  const isDebian = existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
  if (!isDebian || process.getuid?.() !== 0 || /ubuntu/i.test(readFileSync("/etc/os-release", "utf8")))
    return undefined;
  console.log("Installing Debian's Chromium for the browser tests (once)…");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"], env });
  spawnSync("apt-get", ["install", "-y", "-qq", "chromium"], { stdio: ["ignore", "ignore", "inherit"], env });
  return installed();
}

async function fromPlaywright() {
  console.log("Downloading Playwright's Chromium for the browser tests (once)…");
  runTool("@playwright/test", ["install", "chromium"]);
  const { chromium } = await import("@playwright/test");
  const path = chromium.executablePath();
  return existsSync(path) && starts(path) ? path : undefined;
}
