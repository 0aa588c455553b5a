// Installs the packages of package-lock.json when they are missing or stale, and what else the commands share.
// Built-ins of Node only: it runs where nothing is installed yet. Several commands may start at once: one installs, the others
// wait; a running server's packages are never taken away.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Every tool that is started inherits this: ONNX Runtime must not report its use (src/engine/runtime/no-telemetry.node.ts says more).
process.env.ORT_DISABLE_TELEMETRY = "1";

export const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache");
const servers = join(cache, "servers");
const stamp = join(root, "node_modules", ".llava-lock-hash");

/** Resolves when node_modules holds what the lock file says; ends the process with a sentence when it can't. */
export async function ensureInstalled() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: llava-web needs 20.19 or newer (https://nodejs.org).`);
  }
  const lockFile = readFileSync(join(root, "package-lock.json"));
  const hash = createHash("sha256").update(lockFile).digest("hex");
  const isInstalled = () => existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
  if (isInstalled()) return;
  await withLock("install", () => {
    if (isInstalled()) return;
    if (!holdsAll(JSON.parse(lockFile.toString()))) install();
    writeFileSync(stamp, hash);
  });
}

/** Whether npm's own record of node_modules has every package of the lock file, as after an `npm ci` by hand. */
function holdsAll(lock) {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  return Object.entries(lock.packages).every(
    ([path, { version, optional }]) =>
      path === "" || installed[path]?.version === version || (optional === true && installed[path] === undefined),
  );
}

function install() {
  const running = runningServers();
  if (running.length > 0) {
    fail(
      `The packages have changed, but a server still uses the old ones. End it (process ${running[0]}), then try again.`,
    );
  }
  console.log("Installing packages (once)…");
  // The install script of onnxruntime-node would download CUDA libraries, and fails the install where it can't.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    env,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    fail("The packages could not be installed. Check the connection to the npm registry and try again.");
  }
}

/** Runs `work` while no other command of this project holds the lock of that name; waits for the one that does. */
export async function withLock(name, work) {
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, `${name}.lock`);
  let told = false;
  while (!take(lock)) {
    if (!told) console.log(`Waiting for another command of this project (${name})…`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const release = () => rmSync(lock, { recursive: true, force: true });
  // `fail` inside the work ends the process.
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** Whether the lock is ours now. The lock of a process that is gone is moved away first, which only one can do. */
function take(lock) {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, "pid"), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    const holder = Number(readFileSync(join(lock, "pid"), "utf8"));
    if (holder > 0 && !isAlive(holder)) {
      const aside = `${lock}.${process.pid}`;
      renameSync(lock, aside);
      rmSync(aside, { recursive: true, force: true });
    }
  } catch (error) {
    // The holder is just writing or leaving, or another process was quicker: look again.
    if (error.code !== "ENOENT") throw error;
  }
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Says that this process needs node_modules until it ends. */
export function registerServer() {
  mkdirSync(servers, { recursive: true });
  const file = join(servers, String(process.pid));
  writeFileSync(file, "");
  process.once("exit", () => rmSync(file, { force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(0));
}

function runningServers() {
  if (!existsSync(servers)) return [];
  return readdirSync(servers).filter((pid) => {
    if (isAlive(Number(pid))) return true;
    rmSync(join(servers, pid), { force: true });
    return false;
  });
}

/** Says why and ends with exit code 1. */
export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** Runs one of the installed tools through Node; returns its exit code. */
export function runTool(name, args, env = {}) {
  const { status } = spawnSync(process.execPath, [scriptOf(name), ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}

/** The same beside others; resolves with the exit code. */
export function runToolBeside(name, args) {
  const child = spawn(process.execPath, [scriptOf(name), ...args], { cwd: root, stdio: "inherit" });
  return new Promise((resolve) => child.once("close", (status) => resolve(status ?? 1)));
}

/** Runs an installed command beside others; resolves with its exit code and with all it printed. */
export function startTool(name, args) {
  const child = spawn(process.execPath, [scriptOf(name), ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  return new Promise((resolve) => child.once("close", (status) => resolve({ status: status ?? 1, said })));
}

/** The script behind an installed command. */
function scriptOf(name) {
  const folder = join(root, "node_modules", name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : (bin[name.split("/").pop()] ?? Object.values(bin)[0]));
}
