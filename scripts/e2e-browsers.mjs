// npm run e2e:browsers: the built page in Firefox and in WebKit (Safari's engine, as WebKitGTK), which Playwright's driver does not
// cover here. Installs them on Debian; elsewhere a browser that is missing counts as skipped, and a line says how to get it.
// FIREFOX_PATH and WEBKIT_DRIVER_PATH name them. `-- --pictures FOLDER` keeps a screenshot of every step.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { buildInto } from "./build.mjs";
import { ensureInstalled, root } from "./ensure.mjs";

const browsers = [
  {
    kind: "firefox",
    path: process.env.FIREFOX_PATH,
    programs: ["firefox-esr", "firefox"],
    places: ["/Applications/Firefox.app/Contents/MacOS/firefox", "C:\\Program Files\\Mozilla Firefox\\firefox.exe"],
    packages: ["firefox-esr"],
  },
  {
    kind: "webkit",
    path: process.env.WEBKIT_DRIVER_PATH,
    programs: ["WebKitWebDriver"],
    places: [],
    packages: ["webkit2gtk-driver", "xvfb", "xauth"],
  },
];

/** { passed, failed, skipped } of the steps in all browsers. */
export async function runE2eBrowsers(pictures) {
  await buildInto("dist-test");
  if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const browser of browsers) {
    const program = find(browser) ?? fromDebian(browser);
    if (program === undefined) {
      console.log(
        `SKIPPED ${browser.kind}: it is not installed (Debian: apt-get install ${browser.packages.join(" ")}).`,
      );
      total.skipped++;
      continue;
    }
    const { passed, failed } = await runOne(browser.kind, program, pictures);
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/** Runs the steps in one browser; one that does not even start counts as one failure. */
async function runOne(kind, program, pictures) {
  const args = [
    "scripts/run.mjs",
    "e2e/browsers/smoke.ts",
    kind,
    program,
    "dist-test",
    ...(pictures ? [pictures] : []),
  ];
  // WebKitGTK's browser has no mode without a window.
  const virtual = kind === "webkit" && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY;
  const [command, all] = virtual
    ? ["xvfb-run", ["--auto-servernum", process.execPath, ...args]]
    : [process.execPath, args];
  const child = spawn(command, all, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  child.stdout.on("data", (text) => {
    told += text;
    process.stdout.write(text);
  });
  await new Promise((done) => {
    child.once("close", done);
    child.once("error", (error) => {
      console.log(`✘ ${kind}: ${error.message}`);
      done();
    });
  });
  const counts = /(\d+) passed, (\d+) failed\s*$/.exec(told);
  return counts ? { passed: Number(counts[1]), failed: Number(counts[2]) } : { passed: 0, failed: 1 };
}

function find({ path, programs, places }) {
  if (path) return path;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...programs.flatMap((program) => folders.map((folder) => join(folder, program))), ...places].find(existsSync);
}

function fromDebian(browser) {
  if (!existsSync("/etc/debian_version") || !existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0)
    return undefined;
  console.log(`Installing ${browser.packages.join(", ")} for the browser tests (once)…`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"], env });
  spawnSync("apt-get", ["install", "-y", "-qq", ...browser.packages], { stdio: ["ignore", "ignore", "inherit"], env });
  return find(browser);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  const at = process.argv.indexOf("--pictures");
  const { passed, failed, skipped } = await runE2eBrowsers(at < 0 ? undefined : resolve(process.argv[at + 1]));
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}
