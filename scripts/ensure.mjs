// Installs the packages of package-lock.json when they are missing or stale. Built-ins of Node only.
// Several commands may start at once: one installs, the others wait; a running server's packages are never taken away.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}node_modules/.llava-lock-hash`;
const lock = `${root}.cache/install.lock`;
const staleLockMs = 15 * 60_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function isInstalled(hash) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
}

/** Resolves when node_modules holds what the lock file says; ends the process with a sentence when it can't. */
export async function ensureInstalled() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: llava-web needs 20.19 or newer (https://nodejs.org).`);
  }
  const hash = createHash("sha256")
    .update(readFileSync(`${root}package-lock.json`))
    .digest("hex");
  mkdirSync(`${root}.cache`, { recursive: true });
  while (!isInstalled(hash)) {
    try {
      mkdirSync(lock);
    } catch {
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > staleLockMs) rmSync(lock, { recursive: true, force: true });
      await sleep(500);
      continue;
    }
    try {
      if (!isInstalled(hash)) install(hash);
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

function install(hash) {
  console.log("Installing packages (once)…");
  // The install script of onnxruntime-node would download CUDA libraries, and fails the install where it can't.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    env,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0)
    fail("The packages could not be installed. Check the network connection to the npm registry and try again.");
  writeFileSync(stamp, hash);
}

/** Says why and ends with exit code 1. */
export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** Runs one of the installed tools through Node; returns its exit code. */
export function runTool(name, args, env = {}) {
  const manifest = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, "utf8"));
  const bin =
    typeof manifest.bin === "string"
      ? manifest.bin
      : (manifest.bin[name.split("/").pop()] ?? Object.values(manifest.bin)[0]);
  const { status } = spawnSync(process.execPath, [`${root}node_modules/${name}/${bin}`, ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}
