// Nothing leaves the machine: every way into the engine in Node is run in an empty home, and nothing may be written there.
// With --long and the rights for a network of its own (Linux, root), a name server listens, and no name may be asked for.
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "llava-home-"));
});
afterEach(() => rm(home, { recursive: true }));

/** An environment without the switch, and without the variables of continuous integration, which would switch it off as well. */
const bare = (): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"], HOME: home, USERPROFILE: home });

interface Ending {
  readonly code: number | null;
  readonly out: string;
}

function run(parameters: readonly string[], env: NodeJS.ProcessEnv): Promise<Ending> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, parameters, { cwd: root, env }, (_, out, err) =>
      resolve({ code: child.exitCode, out: out + err }),
    );
  });
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const viaTsx = ["--import", "tsx"];
const session = `import { InferenceSession } from "onnxruntime-node";
  try { await InferenceSession.create(new Uint8Array(8)); } catch {}
  console.log("a session was asked for");`;

test.each<[string, readonly string[], RegExp]>([
  ["llava chat", ["scripts/run.mjs", "src/cli/main.ts", "chat", "hi"], /\w/],
  ["llava chat, without the npm command", [...viaTsx, "src/cli/main.ts", "chat", "hi"], /\w/],
  ["llava merge-lora", ["scripts/run.mjs", "src/cli/main.ts", "merge-lora", ...lora()], /MB of weights/],
  [
    "verify:hub",
    [
      ...viaTsx,
      "--input-type=module",
      "-e",
      `process.argv = ["node", "a/b", "--hub", "http://127.0.0.1:9/", "--cache", "HOME/cache"];
       await import("./src/cli/verify-hub.ts"); ${session.replace(/import (.*) from (.*);/, "const $1 = await import($2);")}`,
    ],
    /a session[^]*could not be reached/,
  ],
  [
    "parity",
    [...viaTsx, "--input-type=module", "-e", `import "./bench/parity/parity-row.ts"; ${session}`],
    /a session/,
  ],
  ["eval", [...viaTsx, "--input-type=module", "-e", `import "./src/eval/open-package.ts"; ${session}`], /a session/],
  [
    "the benches",
    [...viaTsx, "--input-type=module", "-e", `import "./bench/systems/bare.ts"; ${session}`],
    /a session/,
  ],
])("%s leaves nothing in the home folder", async (_, parameters, said) => {
  const { out } = await run(
    parameters.map((parameter) => parameter.replaceAll("HOME", home)),
    { ...bare(), XDG_CACHE_HOME: join(home, "cache"), XDG_DATA_HOME: join(home, "data") },
  );
  expect(out).toMatch(said);
  expect((await filesIn(home)).filter((name) => !/^(model\.safetensors|.*\.json)$/.test(name))).toEqual([]);
});

function lora(): string[] {
  const weights = join(root, "training/fixtures/weights");
  return [join(weights, "lora"), "HOME/merged", "--base", join(weights, "base")];
}

test("what npm runs and the tests themselves have the switch on, whatever was said before", async () => {
  const script = join(home, "tell.ts");
  await writeFile(script, 'console.log(process.env["ORT_DISABLE_TELEMETRY"]);');
  const { out } = await run(["scripts/run.mjs", script], { ...bare(), ORT_DISABLE_TELEMETRY: "0" });
  expect(out.trim()).toBe("1");
  expect(process.env["ORT_DISABLE_TELEMETRY"]).toBe("1");
  const scripts = Object.entries(
    (JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> }).scripts,
  );
  // Our TypeScript runs in Node through run.mjs or, by way of ensure.mjs, in a tool that inherits the switch. Prettier and knip run none.
  for (const [name, command] of scripts)
    expect(command, name).toMatch(/^(node (--[\w-]+ )*scripts\/[\w-]+\.mjs|vite build|vitest run|prettier|knip)/);
});

test("a question of 30,000 words' bytes ends in a sentence, not in a crash of the library that reads the command line", async () => {
  const question = "word ".repeat(6000);
  const { code, out } = await run([...viaTsx, "src/cli/main.ts", "chat", question], bare());
  expect(out).toMatch(/conversation is too long \(the prompt has \d+ of \d+ tokens\)/);
  expect(code).toBe(1);
});

/** Whether this process may make a network and a resolv.conf of its own. */
function ownNetwork(): boolean {
  try {
    execFileSync("unshare", ["-n", "-m", "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const nameServer = `const socket = require("node:dgram").createSocket("udp4");
  socket.on("message", (query) => console.log("asked for a name: " + query.subarray(12).toString("latin1")));
  socket.bind(53, "127.0.0.1");`;

const long = process.env["LLAVA_LONG_TESTS"] !== undefined;
if (long && !ownNetwork())
  console.warn("NOT TRIED: names that are asked for, because no network of our own can be made here");
(long && ownNetwork() ? test : () => undefined)("a conversation of fifteen seconds asks for no name", async () => {
  await writeFile(join(home, "resolv.conf"), "nameserver 127.0.0.1\n");
  const node = process.execPath;
  const shell = `ip link set lo up; mount --bind "$HOME/resolv.conf" /etc/resolv.conf
      "${node}" -e '${nameServer}' & server=$!
      sleep 1; "${node}" -e 'require("node:dns").lookup("control.example", () => {})' & control=$!
      (echo hi; sleep 15) | "${node}" scripts/run.mjs src/cli/main.ts chat
      kill $server $control`;
  const said = await new Promise<string>((resolve) => {
    const child = spawn("unshare", ["-n", "-m", "bash", "-c", shell], { cwd: root, env: bare() });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("latin1")));
    child.on("close", () => resolve(out));
  });
  const asked = said.split("\n").filter((line) => line.startsWith("asked for a name"));
  // The control shows that the name server hears what is asked.
  expect(asked.filter((line) => !line.includes("control"))).toEqual([]);
  expect(asked).not.toEqual([]);
});
