import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elementsOf, type Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { openCheckpoint, openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";
import { llava } from "#testing/temporary.node.ts";
import { addWeights } from "./weights.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const fixtures = join(root, "training/fixtures/weights");
const base = join(fixtures, "base");

/** Runs the command in this process; throws what `main.ts` would tell. */
async function inProcess(...parameters: string[]): Promise<void> {
  const program = new Command("llava").configureOutput({ writeErr: () => undefined }).exitOverride();
  addWeights(program);
  await program.parseAsync(parameters, { from: "user" });
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function expectSame(made: Checkpoint, golden: string): Promise<void> {
  const expected = await openTensorFile(checkpointFolder(fixtures), [golden]);
  expect([...made.tensors.keys()].sort()).toEqual([...(expected?.tensors.keys() ?? [])].sort());
  for (const [name, tensor] of expected?.tensors ?? []) {
    const count = elementsOf(tensor.shape);
    expect([...(await made.tensor(name, tensor.shape).read(0, count))], name).toEqual([
      ...(await tensor.read(0, count)),
    ]);
  }
}

test("a delta that was made is applied again, in shards, and once more only by force", async () => {
  const [delta, whole] = [join(folder, "delta"), join(folder, "whole")];
  const target = join(folder, "target");
  await cp(join(fixtures, "delta"), target, { recursive: true });
  await rm(join(target, "pytorch_model.bin"));
  await cp(join(fixtures, "target.safetensors"), join(target, "model.safetensors"));

  const made = await llava("make-delta", target, delta, "--base", base);
  expect(made).toMatchObject({ code: 0, out: "" });
  expect(made.err).toMatch(/MB of weights in 1 files/);
  expect((await readdir(delta)).sort()).toEqual([
    ".llava-files.json",
    "config.json",
    "delta.json",
    "model.safetensors",
  ]);

  const apply = (...more: string[]) =>
    llava("apply-delta", delta, whole, "--base", base, "--shard-size", "0.000005", ...more);
  expect((await apply()).code).toBe(0);
  expect(await readdir(whole)).toEqual(expect.arrayContaining(["config.json", "model.safetensors.index.json"]));
  await expectSame(await openCheckpoint(checkpointFolder(whole)), "applied.safetensors");
  expect(await apply()).toMatchObject({
    code: 1,
    err: expect.stringMatching(/exists already; add --force/) as unknown,
  });
  expect((await apply("--force")).code).toBe(0);
});

test("no command replaces what it reads or what it did not make, and none suggests it", async () => {
  const input = join(folder, "precious");
  await cp(base, input, { recursive: true });
  const before = await readdir(input);
  for (const command of ["apply-delta", "make-delta", "merge-lora", "extract-projector", "convert"]) {
    for (const out of [input, `${input}/`, folder, join(input, "out")]) {
      const bases = command === "extract-projector" ? [] : ["--base", input];
      const given = command === "apply-delta" ? "delta" : command === "merge-lora" ? "lora" : undefined;
      const { code, err } = await llava(
        command,
        given === undefined ? input : join(fixtures, given),
        out,
        ...bases,
        "--force",
      );
      expect(code, `${command} ${out}: ${err}`).toBe(1);
      expect(err, command).not.toContain("--force to replace");
    }
  }
  expect(await readdir(input)).toEqual(before);
  expect(await readdir(join(folder, ".."))).toContain(folder.split("/").at(-1));
});

test("an adapter is merged, and the projector of the result taken out", async () => {
  const [merged, projector] = [join(folder, "merged"), join(folder, "projector")];
  expect((await llava("merge-lora", join(fixtures, "lora"), merged, "--base", base)).code).toBe(0);
  const made = await openCheckpoint(checkpointFolder(merged));
  expect(made.tensors.size).toBe(25);
  expect(JSON.parse(await readFile(join(merged, "config.json"), "utf8"))).toMatchObject({ model_type: "llava_llama" });

  expect((await llava("extract-projector", merged, projector)).code).toBe(0);
  const alone = await openTensorFile(checkpointFolder(projector), ["mm_projector.safetensors"]);
  expect([...(alone?.tensors.keys() ?? [])].sort()).toEqual(
    ["0.bias", "0.weight", "2.bias", "2.weight"].map((name) => `model.mm_projector.${name}`),
  );
});

test("where an adapter parts output layer and embeddings, the merged config says so", async () => {
  const merged = join(folder, "untied");
  const below = join(root, "training/fixtures/families/llava-interleave");
  await inProcess("merge-lora", join(root, "training/fixtures/adapters/tied-head"), merged, "--base", below);
  expect(JSON.parse(await readFile(join(merged, "config.json"), "utf8"))).toMatchObject({
    tie_word_embeddings: false,
    text_config: { tie_word_embeddings: false, hidden_size: 32 },
  });
});

describe("what goes wrong is one sentence, and leaves nothing", () => {
  const broken = async (name: string, change: (path: string) => Promise<void>) => {
    const path = join(folder, name);
    await cp(base, path, { recursive: true });
    await change(path);
    return path;
  };
  const shard = "pytorch_model-00002-of-00002.bin";

  test.each<[string, () => Promise<string[]>, RegExp]>([
    ["no base", () => Promise.resolve(["apply-delta", base]), /required option '--base <folder>'/],
    [
      "a base that is cut off",
      async () => [
        "apply-delta",
        join(fixtures, "delta"),
        "--base",
        await broken("cut", (path) => truncate(join(path, shard), 900)),
      ],
      /pytorch_model-00002-of-00002\.bin is truncated or damaged/,
    ],
    [
      "a base with code in it",
      async () => [
        "merge-lora",
        join(fixtures, "lora"),
        "--base",
        await broken("code", (path) => cp(join(root, "training/fixtures/torch/code.bin"), join(path, shard))),
      ],
      /pytorch_model-00002-of-00002\.bin asks for \w+\.system, which is code/,
    ],
    [
      "a delta of another base",
      async () => [
        "apply-delta",
        join(fixtures, "delta"),
        "--base",
        await broken("other", async (path) => {
          for (const file of await readdir(path)) await rm(join(path, file));
          await cp(join(root, "training/fixtures/tiny-llava"), path, { recursive: true });
        }),
      ],
      /the delta has no tensor .*, which its base has/,
    ],
    [
      "a base that is not there",
      () => Promise.resolve(["merge-lora", join(fixtures, "lora"), "--base", join(folder, "nowhere")]),
      /there is no folder at .*nowhere/,
    ],
    ["no adapter", () => Promise.resolve(["merge-lora", base, "--base", base]), /base has no adapter_config\.json/],
    ["no projector", () => Promise.resolve(["extract-projector", base]), /the checkpoint has no projector/],
    [
      "an index that is no JSON",
      async () => [
        "extract-projector",
        await broken("index", (path) => writeFile(join(path, "pytorch_model.bin.index.json"), "{")),
      ],
      /pytorch_model\.bin\.index\.json is not JSON/,
    ],
  ])("%s", async (_what, parameters, message) => {
    const [command = "", given = "", ...rest] = await parameters();
    const before = await readdir(folder);
    await expect(inProcess(command, given, join(folder, "out"), ...rest)).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual(before);
  });

  test("as a user sees it", async () => {
    const before = await readdir(folder);
    const result = await llava(
      "merge-lora",
      join(fixtures, "lora"),
      join(folder, "out"),
      "--base",
      join(folder, "nowhere"),
    );
    expect(result).toMatchObject({ code: 1, out: "" });
    expect(result.err.trim()).toMatch(/^llava: there is no folder at [^\n]*nowhere; check its path$/);
    expect(await readdir(folder)).toEqual(before);
  });
});
