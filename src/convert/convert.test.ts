import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseManifest, type Manifest } from "#weights/manifest.ts";
import { convert, type ConvertOptions } from "./convert.ts";
import {
  encodeSafetensors,
  memoryCheckpoint,
  memoryPackage,
  tinyConfig,
  tinyFiles,
  tinyTensors,
} from "#testing/fixtures.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";

const bits = { vision: 8, embed: 8, decoder: 4 } as const;

async function convertInMemory(files: Map<string, Uint8Array | string>, options: Partial<ConvertOptions> = {}) {
  const to = memoryPackage();
  const manifest = await convert(memoryCheckpoint("tiny-llava", files), to, { bits, ...options });
  return { manifest, to };
}

test("the manifest lists every file with its bytes and hashes, and the graphs at their widths", async () => {
  const { manifest, to } = await convertInMemory(tinyFiles(), { license: "MIT", id: "tiny", name: "Tiny" });
  expect(to.state()).toBe("committed");
  expect(parseManifest(JSON.parse(new TextDecoder().decode(to.written.get("manifest.json"))))).toEqual({
    ok: true,
    manifest,
  });
  expect(manifest.model).toEqual({
    id: "tiny",
    name: "Tiny",
    license: "MIT",
    architecture: "llava",
    template: "vicuna_v1",
    imageAspect: "pad",
    imageTokens: 4,
    contextLength: 256,
  });
  expect([...to.written.keys()].filter((path) => path !== "manifest.json").sort()).toEqual(
    manifest.files.map((file) => file.path).sort(),
  );
  for (const file of manifest.files) {
    const bytes = to.written.get(file.path) ?? new Uint8Array();
    expect(file.bytes).toBe(bytes.length);
    for (const shard of file.shards) {
      const part = bytes.subarray(shard.offset, shard.offset + shard.bytes);
      expect(createHash("sha256").update(part).digest("hex")).toBe(shard.sha256);
    }
  }
  expect(manifest.graphs.decoder).toMatchObject({
    path: "onnx/decoder_model_merged_q4.onnx",
    data: ["onnx/decoder_model_merged_q4.onnx_data"],
    bits: 4,
    expanded: { path: "onnx/decoder_model_merged_f32.onnx", recipe: "onnx/decoder_model_merged_f32.json" },
  });
  expect(manifest.graphs.embed).toEqual({
    path: "onnx/embed_tokens_quantized.onnx",
    data: ["onnx/embed_tokens_quantized.onnx_data"],
    bits: 8,
  });
});

test("vision blocks after the selected layer are not written", async () => {
  const blocks = async (layer: number) => {
    const { to } = await convertInMemory(tinyFiles(tinyTensors(), { ...tinyConfig(), vision_feature_layer: layer }));
    const graph = new TextDecoder("latin1").decode(to.written.get("onnx/vision_encoder_quantized.onnx"));
    return [0, 1, 2].filter((i) => graph.includes(`layers.${i}/attention/MultiHeadAttention`));
  };
  expect(await blocks(-1)).toEqual([0, 1, 2]);
  expect(await blocks(-2)).toEqual([0, 1]);
});

test("a tied head is the embedding table", async () => {
  const tensors = tinyTensors();
  tensors.delete("language_model.lm_head.weight");
  const config = tinyConfig();
  config.text_config["tie_word_embeddings"] = true;
  const { to } = await convertInMemory(tinyFiles(tensors, config));
  const graph = new TextDecoder("latin1").decode(to.written.get("onnx/decoder_model_merged_q4.onnx"));
  expect(graph).toContain("text.embed_tokens.weight.q4");
});

test("small files carry what transformers.js and the engine need, and what the checkpoint said", async () => {
  const files = tinyFiles();
  files.set("chat_template.json", JSON.stringify({ chat_template: "{{ messages }}" }));
  files.set(
    "processor_config.json",
    JSON.stringify({ image_token: "<pic>", image_processor: { image_mean: [0, 0, 0] } }),
  );
  files.set("README.md", "# Tiny");
  const { manifest, to } = await convertInMemory(files);
  const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(to.written.get(path)));
  expect(json("config.json")).toMatchObject({
    text_config: { num_key_value_heads: 2, head_dim: 16 },
    "transformers.js_config": {
      dtype: { vision_encoder: "q8", embed_tokens: "q8", decoder_model_merged: "q4" },
      use_external_data_format: { "decoder_model_merged_q4.onnx": 1 },
    },
  });
  expect(json("tokenizer_config.json")).toMatchObject({ bos_token: "<s>", chat_template: "{{ messages }}" });
  expect(json("processor_config.json")).toEqual({
    processor_class: "LlavaProcessor",
    image_token: "<pic>",
    vision_feature_select_strategy: "default",
    patch_size: 16,
    num_additional_image_tokens: 0,
  });
  expect(json("preprocessor_config.json")).toMatchObject({
    image_mean: [0, 0, 0],
    crop_size: { height: 32, width: 32 },
    image_aspect_ratio: "pad",
  });
  expect(manifest.files.map((file) => file.path)).toContain("README.md");
});

test("the self-test is made from the finished graphs and listed", async () => {
  const { manifest, to } = await convertInMemory(tinyFiles(), {
    async selfTest(info, files) {
      expect((await files.blob(info.graphs.decoder.path)).size).toBeGreaterThan(1000);
      return { version: 1, promptIds: [4], positions: [0], logits: [1], tolerance: 0.1 };
    },
  });
  expect(manifest.selfTest).toBe("onnx/self_test.json");
  expect(to.written.has("onnx/self_test.json")).toBe(true);
});

test("progress ends at the announced total", async () => {
  const seen: { written: number; total: number }[] = [];
  await convertInMemory(tinyFiles(), { onProgress: (progress) => seen.push(progress) });
  const weights = seen.filter(({ written, total }) => written < total);
  expect(weights.length).toBeGreaterThan(0);
  expect(seen.at(-1)?.written).toBe(seen.at(-1)?.total);
});

test("an aborted conversion leaves nothing behind", async () => {
  const to = memoryPackage();
  const stop = new AbortController();
  const run = convert(memoryCheckpoint("tiny", tinyFiles()), to, {
    bits,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(run).rejects.toHaveProperty("name", "AbortError");
  expect(to.state()).toBe("discarded");
});

describe("what cannot be converted is named, and nothing is left behind", () => {
  type Files = Map<string, Uint8Array | string>;
  const withoutTensor = (name: string) => (files: Files) => {
    const tensors = tinyTensors();
    expect(tensors.delete(name)).toBe(true);
    files.set("model.safetensors", encodeSafetensors(tensors));
  };
  const cases: [string, (files: Files) => void, RegExp][] = [
    ["no config", (files) => files.delete("config.json"), /has no config\.json/],
    ["a config that is no JSON", (files) => files.set("config.json", "{"), /config\.json is not JSON/],
    ["another model", (files) => files.set("config.json", '{"model_type":"gpt2"}'), /model_type is "gpt2"/],
    ["no tokenizer", (files) => files.delete("tokenizer.json"), /no tokenizer\.json/],
    ["no weights", (files) => files.delete("model.safetensors"), /holds no weights/],
    [
      "a missing decoder tensor",
      withoutTensor("language_model.model.layers.1.mlp.up_proj.weight"),
      /no tensor language_model\.model\.layers\.1\.mlp\.up_proj\.weight/,
    ],
    ["a missing head", withoutTensor("language_model.lm_head.weight"), /no tensor language_model\.lm_head\.weight/],
    [
      "a missing vision tensor",
      withoutTensor("vision_tower.vision_model.encoder.layers.1.mlp.fc2.bias"),
      /encoder\.layers\.1\.mlp\.fc2\.bias/,
    ],
    [
      "a mis-shaped tensor",
      (files) => {
        const tensors = tinyTensors();
        tensors.set("multi_modal_projector.linear_1.weight", { shape: [64, 32], values: new Float32Array(2048) });
        files.set("model.safetensors", encodeSafetensors(tensors));
      },
      /multi_modal_projector\.linear_1\.weight has shape \[64, 32\].*\[64, 64\]/,
    ],
    [
      "a truncated file",
      (files) => files.set("model.safetensors", encodeSafetensors(tinyTensors()).slice(0, -100)),
      /model\.safetensors is truncated/,
    ],
    [
      "weights that are not numbers",
      (files) => {
        const tensors = tinyTensors();
        tensors.get("language_model.lm_head.weight")?.values.fill(NaN);
        files.set("model.safetensors", encodeSafetensors(tensors));
      },
      /lm_head\.weight holds NaN/,
    ],
  ];
  test.each(cases)("%s", async (_what, damage, message) => {
    const files = tinyFiles();
    damage(files);
    const to = memoryPackage();
    const run = convert(memoryCheckpoint("tiny", files), to, { bits });
    await expect(run).rejects.toMatchObject({
      code: "bad-checkpoint",
      message: expect.stringMatching(message) as unknown,
    });
    expect(to.state()).toBe("discarded");
  });
});

describe("on the file system", () => {
  let root = "";
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "llava-convert-"));
    for (const [path, content] of tinyFiles()) await writeFile(join(root, path), content);
  });
  afterEach(() => rm(root, { recursive: true }));
  const out = () => join(root, "packages", "tiny");
  const run = async (force = false) =>
    convert(checkpointFolder(root), await packageFolder(out(), { force }), { bits }).then(
      (manifest): Manifest => manifest,
    );

  test("the package lies at its place and nothing else does", async () => {
    const manifest = await run();
    expect(await readdir(join(root, "packages"))).toEqual(["tiny"]);
    for (const { path, bytes } of manifest.files) expect((await readFile(join(out(), path))).length).toBe(bytes);
  });

  test("a package that is there is kept, unless replacing it is forced; a file of someone else in it is kept even then", async () => {
    await run();
    await expect(run()).rejects.toThrow(/exists already; add --force/);
    await run(true);
    await writeFile(join(out(), "mine.txt"), "keep me");
    await expect(run(true)).rejects.toThrow(/not of the package: mine\.txt/);
    expect(await readdir(out())).toContain("mine.txt");
    expect(await readdir(join(root, "packages"))).toEqual(["tiny"]);
  });

  test("a conversion that fails leaves the old package and no half of a new one", async () => {
    await run();
    const tensors = tinyTensors();
    tensors.get("language_model.lm_head.weight")?.values.fill(Infinity);
    await writeFile(join(root, "model.safetensors"), encodeSafetensors(tensors));
    await expect(run(true)).rejects.toThrow(/holds Infinity/);
    expect(await readdir(join(root, "packages"))).toEqual(["tiny"]);
    expect(await readdir(out())).toContain("manifest.json");
  });

  test("what has been written can be read back, and a file that is not there is a bad package", async () => {
    const folder = await packageFolder(out(), { force: false });
    const writer = await folder.create("onnx/a.bin");
    await writer.write(Uint8Array.of(1, 2));
    await writer.close();
    expect((await folder.files.blob("onnx/a.bin")).size).toBe(2);
    await expect(folder.files.blob("b.bin")).rejects.toMatchObject({ code: "bad-package" });
    await folder.discard();
  });

  test("a disk that is too small is found out before the first byte", async () => {
    const folder = await packageFolder(out(), { force: false });
    await expect(folder.reserve(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
      code: "disk",
      message: expect.stringMatching(/needs 9007199255 MB, .* MB free/) as unknown,
    });
    await folder.discard();
    expect(await readdir(join(root, "packages"))).toEqual([]);
  });
});
