// Models of a hub from the command line: fetched, converted and asked, gated ones, runs that were killed, and the second run without a network.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { publishOnHub, testCommit } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage, type PackageServer } from "#testing/servers/package-server.node.ts";
import { findCheckpoint, isHubId } from "./hub-place.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const repository = "someone/tiny-llava";
const weights = `/${repository}/resolve/${testCommit}/model-00001-of-00002.safetensors`;
let folder = "";
let server: PackageServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-hub-"));
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  const fixture = join(root, "training/fixtures/tiny-llava");
  const names = await readdir(fixture);
  const files = await Promise.all(
    names.map(async (name) => [name, new Uint8Array(await readFile(join(fixture, name)))] as const),
  );
  server = await startPackageServer(testPackage());
  server.files = new Map();
  publishOnHub(server, repository, new Map(files), { modelType: "llava", license: "llama2" });
});
afterEach(() => server.stop());

/** Starts the command with the test's hub. */
function start(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ["scripts/run.mjs", "src/cli/main.ts", ...parameters], {
    cwd: root,
    // The command is a child of what is started here: a signal goes to the group.
    detached: true,
    env: {
      ...process.env,
      HF_ENDPOINT: new URL("/", server.baseUrl).href,
      HF_HOME: join(folder, "hf"),
      LLAVA_HOME: join(folder, "packages"),
      ...environment,
    },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, out, err }));
  });
  return { child, ended };
}

test(
  "a model of a hub is fetched and converted once, answers, and needs no network the second time",
  { timeout: 120_000 },
  async () => {
    const ask = ["chat", "--model", repository, "--max-new-tokens", "4", "Hi"];
    const first = await start(ask).ended;
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining("converted once") as string });
    const manifest = JSON.parse(
      await readFile(join(folder, "packages/someone--tiny-llava/manifest.json"), "utf8"),
    ) as object;
    expect(manifest).toMatchObject({ model: { id: repository, license: "llama2" }, selfTest: "onnx/self_test.json" });
    await server.stop();
    expect(await start(ask).ended).toEqual({ code: 0, out: first.out, err: "" });
    server = await startPackageServer(testPackage());
  },
);

test(
  "a killed run leaves nothing in the way of the next one, which makes the same as from a folder",
  { timeout: 120_000 },
  async () => {
    const hanging = new Promise<void>((resolve) => {
      server.misbehave = ({ path, start: from, end }) => {
        if (path !== weights || end - from < 100_000) return undefined;
        resolve();
        return { kind: "hang", afterBytes: 100 };
      };
    });
    const out = join(folder, "killed");
    const killed = start(["convert", repository, out]);
    await hanging;
    // Another run at the same time would write over this one.
    const second = await start(["convert", repository, out]).ended;
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining("another process is writing") as string });
    process.kill(-(killed.child.pid ?? NaN), "SIGKILL");
    await killed.ended;
    expect(await readdir(folder)).not.toContain("killed");
    server.misbehave = () => undefined;
    expect(await start(["convert", repository, out, "--no-self-test"]).ended).toMatchObject({ code: 0 });
    const local = join(folder, "local");
    await start(["convert", "training/fixtures/tiny-llava", local, "--no-self-test"]).ended;
    for (const name of await readdir(join(local, "onnx"))) {
      const [a, b] = await Promise.all([readFile(join(local, "onnx", name)), readFile(join(out, "onnx", name))]);
      expect(a.equals(b), name).toBe(true);
    }
    expect((await readdir(folder)).filter((name) => name.includes("unfinished"))).toEqual([]);
  },
);

test(
  "a gated model asks for a token, then for its terms; a token goes to the hub; a hub that is not there is named",
  { timeout: 60_000 },
  async () => {
    server.misbehave = ({ path }) => (path.startsWith("/api/") ? { kind: "status", status: 401 } : undefined);
    const signal = new AbortController().signal;
    const environment = { HF_ENDPOINT: new URL("/", server.baseUrl).href, HF_HOME: join(folder, "hf") };
    const find = (more: object = {}) =>
      findCheckpoint(repository, "a model", undefined, { signal }, { ...environment, ...more });
    await expect(find()).rejects.toThrow(/not open to everyone; set HF_TOKEN/);
    server.misbehave = ({ path }) => (path.includes("config.json") ? { kind: "status", status: 403 } : undefined);
    const found = await find({ HF_TOKEN: "hf_abc" });
    await expect(found.folder.open("config.json")).rejects.toThrow(/accept its terms at http/);
    await expect(find({ HF_TOKEN: "hf abc" })).rejects.toThrow(/no token of a hub/);
    await expect(find({ HF_ENDPOINT: "http://127.0.0.1:9/" })).rejects.toThrow(/could not be reached: .*HF_ENDPOINT/);
    await expect(find({ HF_HUB_OFFLINE: "1" })).rejects.toThrow(/not in the hub's cache/);
  },
);

test("one of several GGUF files is named by its quantization, and all are listed where it is not", async () => {
  const paths = ["config.json", "a-Q4_0.gguf", "a-Q8_0.gguf", "mmproj-a-f16.gguf"];
  publishOnHub(server, "someone/gguf", new Map(paths.map((path) => [path, new Uint8Array(100)])));
  const environment = { HF_ENDPOINT: new URL("/", server.baseUrl).href, HF_HOME: join(folder, "hf") };
  const find = (text: string) => findCheckpoint(text, "a model", undefined, {}, environment);
  expect((await find("someone/gguf:q8_0")).gguf).toEqual(["a-Q8_0.gguf", "mmproj-a-f16.gguf"]);
  await expect(find("someone/gguf")).rejects.toThrow(
    /holds 2 models; name one of them: someone\/gguf:Q4_0, someone\/gguf:Q8_0$/,
  );
  await expect(find("someone/gguf:Q2_K")).rejects.toThrow(/name one of them/);
  await expect(find(`${repository}:Q2_K`)).rejects.toThrow(/no GGUF files that ":Q2_K" could choose from/);
});

test("a hub's name is one only where no folder has it", async () => {
  await writeFile(join(folder, "here"), "");
  expect(await isHubId("llava-hf/llava-1.5-7b-hf")).toBe(true);
  expect(await isHubId("second-state/Llava-v1.5-7B-GGUF:Q4_K_M")).toBe(true);
  expect(await isHubId("training/fixtures")).toBe(false);
  expect(await isHubId("../elsewhere")).toBe(false);
  expect(await isHubId("pocket-llava")).toBe(false);
});
