// Models of the zoo are brought from the tests' own hub by each of the ways that records have, and are asked. The weights behind the names are
// tiny random ones, so the answers are wrong and the command says so.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { randomAdapter } from "#testing/adapter-fixture.ts";
import { publishOnHub } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage, type PackageServer } from "#testing/servers/package-server.node.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
let cache = "";
let server: PackageServer;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "llava-verify-"));
  server = await startPackageServer(testPackage());
  server.files = new Map();
});
afterAll(async () => {
  await server.stop();
  await rm(cache, { recursive: true });
});

const filesOf = async (fixture: string): Promise<[string, Uint8Array][]> => {
  const folder = join(root, "training", fixture);
  const names = await readdir(folder);
  return Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))]));
};

/** Publishes the files, or those of a fixture, under a repository's name. */
async function publish(repository: string, what: string | [string, Uint8Array][]): Promise<void> {
  const files = new Map(typeof what === "string" ? await filesOf(what) : what);
  publishOnHub(server, repository, files, { modelType: "llava", license: "mit" });
}

async function verify(...parameters: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hub = new URL("/", server.baseUrl).href;
  const child = spawn(
    process.execPath,
    ["scripts/run.mjs", "src/cli/verify-hub.ts", ...parameters, "--hub", hub, "--cache", cache],
    { cwd: root },
  );
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((ended) => void child.on("close", ended));
  return { code, out, err };
}

test("a checkpoint is converted as it arrives, once, and asked", { timeout: 240_000 }, async () => {
  await publish("llava-hf/llava-1.5-7b-hf", "checkpoint");
  const first = await verify("llava-1.5-7b", "--source", "safetensors");
  expect(first.out).toMatch(/LLaVA 1\.5 7B: ready in/);
  expect(first.out).toMatch(/(right|WRONG) {2}pets\.png: .+ → .+\(first token after/);
  expect(first.out).toMatch(/\d of 3 right/);
  expect(first.code, first.err).toBe(first.out.includes("3 of 3 right") ? 0 : 1);
  const asked = server.asked.length;
  expect((await verify("llava-1.5-7b", "--source", "safetensors")).out).toMatch(/\d of 3 right/);
  expect(server.asked.length).toBe(asked);
});

test(
  "a model without its tower, GGUF files, and an adapter are put together as the zoo says",
  { timeout: 240_000 },
  async () => {
    await publish("microsoft/llava-med-v1.5-mistral-7b", "fixtures/families/llava-1.5.original");
    await publish("openai/clip-vit-large-patch14-336", "fixtures/families/llava-1.5.tower");
    const gguf = await filesOf("fixtures/gguf");
    const named = (from: string, to: string): [string, Uint8Array][] => gguf.filter(([name]) => name === from).map(([, bytes]) => [to, bytes]); // prettier-ignore
    await publish("second-state/Llava-v1.5-7B-GGUF", [
      ...named("llava-1.5.gguf", "llava-v1.5-7b-Q4_0.gguf"),
      ...named("llava-1.5.mmproj.gguf", "llava-v1.5-7b-mmproj-model-f16.gguf"),
    ]);
    const { files } = await randomAdapter(checkpointFolder(join(root, "training/fixtures/tiny-llava")));
    await publish(
      "liuhaotian/llava-v1.5-7b-lora",
      [...files].map(([name, file]) => [name, typeof file === "string" ? new TextEncoder().encode(file) : file]),
    );
    await publish("lmsys/vicuna-7b-v1.5", "fixtures/tiny-llava");
    const [med, quantized, adapter] = [
      await verify("llava-med-1.5"),
      await verify("llava-1.5-7b"),
      await verify("llava-1.5-7b-lora"),
    ];
    for (const [name, { code, out, err }] of Object.entries({ med, quantized, adapter })) {
      expect(out, `${name}: ${err}`).toMatch(/\d of 3 right/);
      expect(code, name).toBe(1);
    }
  },
);

test("a source that a record does not have, and a name that is none, are sentences", { timeout: 60_000 }, async () => {
  expect((await verify("llava-1.5-7b", "--source", "onnx")).err).toMatch(/has gguf and safetensors, no onnx/);
  expect((await verify("no model")).err).toMatch(/is neither owner\/name nor one of: smolvlm-256m/);
});
