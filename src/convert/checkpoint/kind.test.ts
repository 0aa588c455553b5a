// What is given for a checkpoint and is none, or none that can be converted, is named as what it is, with the next step.
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSource } from "#convert/source/checkpoint-source.ts";
import { convert, type ConvertOptions } from "#convert/convert.ts";
import {
  encodeSafetensors,
  memoryCheckpoint,
  memoryPackage,
  tinyConfig,
  tinyFiles,
  tinyTensors,
} from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { tokenizerThread } from "#convert/text/limited-thread.node.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-kinds-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A folder on the disk with these files; "" stands for one without content. */
async function onDisk(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = join(folder, name);
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}
const problemOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => "no problem",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
const config = JSON.stringify(tinyConfig());

describe("folders and files that are no checkpoint", () => {
  const cases: [string, Record<string, string>, RegExp][] = [
    [
      "a GGUF folder",
      { "llava-q4_k.gguf": "GGUF", "mmproj-f16.gguf": "GGUF" },
      /llava-q4_k\.gguf is truncated: its header ends after the file does/,
    ],
    ["an ONNX folder", { "onnx/decoder_model_merged_q4.onnx": "x" }, /holds ONNX graphs.*`llava chat --model`/],
    ["a package", { "manifest.json": "{}", "onnx/vision_encoder.onnx": "x" }, /is a model package already/],
    ["an archive", { "llava.tar.gz": "x" }, /holds llava\.tar\.gz, an archive; unpack/],
    [
      "compressed weights",
      { "config.json": config, "model.safetensors.gz": "x" },
      /holds model\.safetensors\.gz, which is compressed/,
    ],
    [
      "a stopped download",
      { "config.json": config, "model.safetensors.incomplete": "x" },
      /model\.safetensors\.incomplete: the download was interrupted/,
    ],
    [
      "weights of another library",
      { "config.json": config, "flax_model.msgpack": "x" },
      /flax_model\.msgpack, weights for another library/,
    ],
    ["the maker's layout", { "params.json": "{}", "consolidated.00.pth": "x" }, /layout of the model's maker/],
    [
      "a hub's cache above its snapshots",
      { "refs/main": "abc", "snapshots/abc/config.json": config },
      /give the folder in its snapshots/,
    ],
    ["a folder around the checkpoint", { "llava/config.json": config }, /its folder llava has one: give that/],
    [
      "an adapter without its base",
      { "adapter_config.json": "{}", "adapter_model.safetensors": "" },
      /is an adapter; name the folder of its base/,
    ],
    ["nothing to go by", { "notes.txt": "x" }, /has no config\.json: is it a checkpoint\?/],
    [
      "a Git LFS pointer for a config",
      { "config.json": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n" },
      /Git LFS pointer.*git lfs pull/,
    ],
    ["a web page for a config", { "config.json": "<html>Sign in</html>" }, /is not JSON but a web page/],
    ["an empty config", { "config.json": "" }, /is not JSON: it is empty/],
    [
      "a config with Python's NaN",
      { "config.json": '{"model_type": "llava", "rms_norm_eps": NaN}' },
      /is not JSON: it holds NaN/,
    ],
  ];
  test.each(cases)("%s", async (what, files, message) => {
    const root = await onDisk(what.replaceAll(" ", "-"), files);
    expect(await problemOf(openSource(checkpointFolder(root)))).toMatch(message);
  });

  test("a file, and a name of a hub, where a folder is asked", async () => {
    const root = await onDisk("files", {
      "llava.gguf": "x",
      "llava.zip": "x",
      "model.safetensors": "x",
      "weights.txt": "x",
    });
    const given = (name: string) => problemOf(openSource(checkpointFolder(join(root, name))));
    expect(await given("llava.gguf")).toMatch(/llava\.gguf is a GGUF file/);
    expect(await given("llava.zip")).toMatch(/is an archive; unpack/);
    expect(await given("model.safetensors")).toMatch(/is one file of weights; give the folder/);
    expect(await given("weights.txt")).toMatch(/is a file; give the folder of a checkpoint/);
    const hub = await problemOf(openSource(checkpointFolder("llava-hf/llava-1.5-7b-hf")));
    expect(hub).toMatch(
      /is no folder here; if it is a model of a hub.*hf download llava-hf\/llava-1\.5-7b-hf --local-dir llava-1\.5-7b-hf/,
    );
  });

  test("a shard that is missing is named, with how many are here", async () => {
    const index = { weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-3.safetensors" } };
    const root = await onDisk("shards", {
      "config.json": config,
      "model.safetensors.index.json": JSON.stringify(index),
      "model-2.safetensors": encodeSafetensors(new Map()),
    });
    expect(await problemOf(openSource(checkpointFolder(root)))).toMatch(
      /^model-1\.safetensors, model-3\.safetensors are missing.*interrupted \(1 of 3 files are here\)/,
    );
  });
});

describe("checkpoints of other kinds", () => {
  const given = (change: object, name = "mine") =>
    problemOf(openSource(memoryCheckpoint(name, tinyFiles(tinyTensors(), { ...tinyConfig(), ...change }))));
  const original = { model_type: "llava_llama", mm_vision_tower: "x", vocab_size: 80, hidden_size: 64 };
  const flat = (change: object, name = "mine") =>
    problemOf(openSource(memoryCheckpoint(name, tinyFiles(tinyTensors(), { ...original, ...change }))));

  test.each([
    [{ quant_method: "bitsandbytes", load_in_4bit: true }, "bitsandbytes, 4 bits"],
    [{ load_in_8bit: true }, "bitsandbytes, 8 bits"],
    [{ quant_method: "gptq", bits: 4 }, "GPTQ, 4 bits"],
    [{ quant_method: "awq", bits: 4 }, "AWQ, 4 bits"],
    [{ quant_method: "compressed-tensors", format: "pack-quantized" }, "compressed-tensors"],
    [{ quant_method: "fp8" }, "fp8"],
    [{ quant_method: "hqq" }, "hqq"],
  ])("quantized: %o", async (quantization, words) => {
    for (const problem of [
      await given({ quantization_config: quantization }),
      await given({ text_config: { ...tinyConfig().text_config, quantization_config: quantization } }),
      await flat({ quantization_config: quantization }),
    ]) {
      expect(problem).toContain(`mine is quantized already (${words}); take the checkpoint that it was made from`);
    }
  });

  test("quantized by its tensors alone", async () => {
    const tensors = tinyTensors();
    tensors.set("language_model.model.layers.0.mlp.up_proj.weight.absmax", { shape: [1], values: new Float32Array(1) });
    const problem = await problemOf(openSource(memoryCheckpoint("mine", tinyFiles(tensors))));
    expect(problem).toMatch(/quantized already \(bitsandbytes: it has the tensor .*absmax\)/);
  });

  test("an empty quantization_config says nothing", async () => {
    expect(await given({ quantization_config: {} })).toBe("no problem");
    expect(await given({ quantization_config: null })).toBe("no problem");
  });

  test("VILA, LLaVA-NeXT-Video, resamplers, MPT", async () => {
    expect(await flat({ llm_cfg: {}, vision_tower_cfg: {}, architectures: ["LlavaLlamaModel"] })).toMatch(
      /mine is a VILA/,
    );
    expect(await flat({ mm_spatial_pool_mode: "average", mm_spatial_pool_stride: 2 })).toMatch(
      /mine is a LLaVA-NeXT-Video: it pools/,
    );
    expect(await flat({}, "LLaVA-NeXT-Video-7B-DPO")).toMatch(/is a LLaVA-NeXT-Video/);
    expect(await given({ model_type: "llava_next_video" })).toMatch(/is a LLaVA-NeXT-Video/);
    expect(await flat({ mm_resampler_type: "qformer" })).toMatch(/made with the resampler qformer/);
    expect(await given({ text_config: { model_type: "mpt" } })).toMatch(/LLaVA on MPT is not supported/);
    expect(await flat({ mm_spatial_pool_stride: null, mm_resampler_type: null })).toMatch(/no mm_vision_select_layer/);
  });
});

test("a whole checkpoint's tensor without a reader is an error that names it, but for buffers and what the tower leaves out", async () => {
  const given = (name: string) => {
    const tensors = tinyTensors();
    tensors.set(name, { shape: [2], values: new Float32Array(2) });
    const bits = { vision: 32, embed: 32, decoder: 32 } as const;
    return problemOf(convert(memoryCheckpoint("mine", tinyFiles(tensors)), memoryPackage(), { bits }));
  };
  for (const name of ["language_model.model.layers.0.self_attn.q_proj.bias", "multi_modal_projector.linear_3.weight"]) {
    expect(await given(name)).toBe(
      `the checkpoint has the tensor ${name}, which a model of its config.json does not read: are both of one model?`,
    );
  }
  for (const name of [
    "language_model.model.layers.1.self_attn.rotary_emb.inv_freq",
    "language_model.model.layers.7.self_attn.q_proj.bias",
    "vision_tower.vision_model.post_layernorm.weight",
  ]) {
    expect(await given(name)).toBe("no problem");
  }
});

describe("a tokenizer of another model", () => {
  const token = (id: number, content: string, special = true) => ({ id, content, special });
  const given = (
    added: readonly object[],
    more: Record<string, string> = {},
    options: Partial<ConvertOptions> = {},
  ) => {
    const files = tinyFiles();
    files.set(
      "tokenizer.json",
      JSON.stringify({ added_tokens: added, model: { type: "BPE", vocab: { a: 5 }, merges: [] } }),
    );
    for (const [name, text] of Object.entries(more)) files.set(name, text);
    const bits = { vision: 32, embed: 32, decoder: 32 } as const;
    return problemOf(convert(memoryCheckpoint("mine", files), memoryPackage(), { bits, ...options }));
  };

  test("that has the picture's token under another number", async () => {
    expect(await given([token(4, "<image>")])).toBe("no problem");
    expect(await given([token(7, "<image>")])).toMatch(
      /the image token differs: config\.json says number 4, and tokenizer\.json has <image> as number 7/,
    );
    expect(await given([token(7, "<pic>")], { "processor_config.json": '{"image_token": "<pic>"}' })).toMatch(
      /has <pic> as number 7/,
    );
  });

  test("whose tokens have no row of embeddings; padding may lack one", async () => {
    const notes: string[] = [];
    expect(await given([token(90, "<extra>")])).toMatch(/the token <extra> has the number 90, and there are 80 rows/);
    expect(await given([token(90, "[PAD]")], {}, { onNote: (note) => notes.push(note) })).toBe("no problem");
    expect(notes.join()).toMatch(/\[PAD\] has the number 90/);
  });

  test("whose pattern never ends", async () => {
    const tokenizer = (pattern: string) => ({
      "tokenizer.json": JSON.stringify({
        added_tokens: [],
        normalizer: null,
        post_processor: null,
        decoder: null,
        pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
        model: { type: "BPE", vocab: { a: 5 }, merges: [] },
      }),
    });
    const options = { tryTokenizer: tokenizerThread(800) };
    for (const pattern of ["(a+)+$", "(\\s*)*x", "([a-z]|[a-z0-9])*%"]) {
      expect(await given([], tokenizer(pattern), options), pattern).toMatch(
        /tokenizer\.json does not split .* never ends/,
      );
    }
    const plain =
      "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    expect(await given([], tokenizer(plain), options)).toBe("no problem");
  });
});

describe("absurd configs end in a sentence, at once", () => {
  const text = (change: object) => ({ text_config: { ...tinyConfig().text_config, ...change } });
  const vision = (change: object) => ({ vision_config: { ...tinyConfig().vision_config, ...change } });
  test.each<[string, object | string, RegExp]>([
    [
      "a billion layers",
      text({ num_hidden_layers: 1e9 }),
      /num_hidden_layers: it is 1000000000, and at most 1024 can be/,
    ],
    [
      "a context of 1e12",
      text({ max_position_embeddings: 1e12 }),
      /max_position_embeddings: it is 1000000000000, and at most/,
    ],
    ["a negative width", text({ hidden_size: -64 }), /hidden_size: it is -64, and at least 1/],
    ["half a head", text({ num_attention_heads: 2.5 }), /num_attention_heads: it is 2\.5, and a whole number/],
    ["a width in words", text({ hidden_size: "64" }), /hidden_size: it is "64", and a number is needed/],
    ["no epsilon", text({ rms_norm_eps: 0 }), /rms_norm_eps: it is 0, and more than 0/],
    ["heads that do not divide", text({ num_key_value_heads: 3 }), /does not divide/],
    [
      "another vocabulary",
      text({ vocab_size: 81 }),
      /embed_tokens\.weight has shape \[80, 64\]; config\.json asks for \[81, 64\]/,
    ],
    ["a huge picture", vision({ image_size: 1e6 }), /image_size: it is 1000000, and at most/],
    ["patches beyond the picture", vision({ patch_size: 64 }), /patches of 64 pixels don't fit/],
    ["pictures of four channels", vision({ num_channels: 4 }), /num_channels: it is 4/],
    ["no layer of the tower", { vision_feature_layer: [] }, /lists no layer/],
    ["a picture's token below zero", { image_token_index: -200 }, /image_token_index: it is -200/],
    ["a list for a config", "[]", /is not a JSON object/],
    ["nested 10,000 deep", `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`, /nested more than 100 deep/],
  ])("%s", async (_what, change, message) => {
    const files = tinyFiles();
    files.set("config.json", typeof change === "string" ? change : JSON.stringify({ ...tinyConfig(), ...change }));
    const bits = { vision: 32, embed: 32, decoder: 32 } as const;
    expect(await problemOf(convert(memoryCheckpoint("mine", files), memoryPackage(), { bits }))).toMatch(message);
  });

  test("a text of gigabytes is not read", async () => {
    const huge = {
      name: "mine",
      open: () => Promise.resolve({ bytes: 3e9, read: () => Promise.reject(new Error("read")) }),
    };
    expect(await problemOf(openSource(huge))).toMatch(/config\.json holds 3000 MB; at most 200 MB/);
  });
});

describe("links", () => {
  test("a README.md that leads out of the folder is not followed, one within a hub's cache is", async () => {
    await onDisk("elsewhere", { "secret.txt": "secret" });
    const root = await onDisk("linked", { "config.json": config });
    await symlink(join(folder, "elsewhere/secret.txt"), join(root, "README.md"));
    expect(await checkpointFolder(root).open("README.md")).toBeUndefined();
    await symlink(root, join(folder, "linked-itself"));
    expect(await checkpointFolder(join(folder, "linked-itself")).open("config.json")).toBeDefined();

    const cache = await onDisk("models--owner--llava", { "blobs/abc": "# Card", "snapshots/1234/config.json": config });
    const snapshot = join(cache, "snapshots/1234");
    await symlink("../../blobs/abc", join(snapshot, "README.md"));
    expect(await checkpointFolder(snapshot).open("README.md")).toBeDefined();
    await symlink(join(folder, "elsewhere/secret.txt"), join(snapshot, "MODEL_CARD.md"));
    expect(await checkpointFolder(snapshot).open("MODEL_CARD.md")).toBeUndefined();
  });

  test("a link that leads back to itself is told of", async () => {
    const root = await onDisk("circle", {});
    await symlink("config.json", join(root, "config.json"));
    expect(await problemOf(openSource(checkpointFolder(root)))).toMatch(
      /config\.json is a link that leads back to itself/,
    );
  });
});
