import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { Checkpoint, elementsOf, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import { openSource, openWeights } from "./checkpoint-source.ts";
import { encodeSafetensors, memoryCheckpoint, type TensorData } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { openCheckpoint, openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";
import { extractProjector } from "./projector.ts";

const fixtures = fileURLToPath(new URL("../../../training/fixtures/weights/", import.meta.url));
const folder = (name: string) => checkpointFolder(fixtures + name);
const golden = await openTensorFile(checkpointFolder(fixtures), ["merged.safetensors"]);

const valuesOf = (tensor: Tensor) => tensor.read(0, elementsOf(tensor.shape));

/** The largest difference in a tensor, in units of the reference's half-precision steps at that number. */
async function stepsApart(tensor: Tensor, reference: Tensor): Promise<number> {
  const [a, b] = [await valuesOf(tensor), await valuesOf(reference)];
  return a.reduce((worst, value, i) => {
    const own = Math.abs(b[i] ?? NaN);
    const step = 2 ** (Math.max(-14, Math.floor(Math.log2(own))) - 10);
    return Math.max(worst, Math.abs(value - (b[i] ?? NaN)) / step);
  }, 0);
}

test("merging an adapter gives what peft gives, and its projector comes along", async () => {
  const merged = await openWeights(folder("lora"), folder("base"));
  for (const [name, reference] of golden?.tensors ?? []) {
    expect(merged.tensor(name, reference.shape).dtype, name).toBe("F16");
    // Half a step is what rounding the reference to half precision takes away; nothing more may differ.
    expect(await stepsApart(merged.tensor(name, reference.shape), reference), name).toBeLessThan(0.501);
  }
  const [weight, base] = [merged, await openCheckpoint(folder("base"))].map((c) =>
    c.tensor("model.layers.1.mlp.down_proj.weight", [16, 24]),
  );
  if (!weight || !base) throw new Error("no weight");
  expect(await stepsApart(base, weight)).toBeGreaterThan(10);
});

test("a merged weight is the same in whatever runs it is read", async () => {
  const merged = await openWeights(folder("lora"), folder("base"));
  const tensor = merged.tensor("model.layers.0.mlp.up_proj.weight", [24, 16]);
  const whole = await valuesOf(tensor);
  for (const step of [16, 48, 7]) {
    const parts: number[] = [];
    for (let at = 0; at < whole.length; at += step)
      parts.push(...(await tensor.read(at, Math.min(step, whole.length - at))));
    expect(parts).toEqual([...whole]);
  }
});

test("an adapter is also found under Hugging Face's names of a LLaVA, older and newer", async () => {
  const down: TensorData = { shape: [1, 2], values: Float32Array.of(1, 2) };
  const up: TensorData = { shape: [2, 1], values: Float32Array.of(3, 4) };
  const weight: TensorData = { shape: [2, 2], values: Float32Array.of(1, 1, 1, 1) };
  const adapter = (module: string) =>
    memoryCheckpoint(
      "adapter",
      new Map<string, Uint8Array | string>([
        ["adapter_config.json", JSON.stringify({ r: 1, lora_alpha: 2 })],
        [
          "adapter_model.safetensors",
          encodeSafetensors(
            new Map([
              [`base_model.model.${module}.lora_A.weight`, down],
              [`base_model.model.${module}.lora_B.weight`, up],
            ]),
          ),
        ],
      ]),
    );
  const base = (name: string) =>
    memoryCheckpoint("base", new Map([["model.safetensors", encodeSafetensors(new Map([[name, weight]]))]]));
  const [older, newer] = ["language_model.model.layers.0.mlp.x", "model.language_model.layers.0.mlp.x"];
  for (const [module, name] of [
    [older, older],
    [newer, older],
    [older, newer],
    ["model.layers.0.mlp.x", newer],
  ] as const) {
    const merged = await openWeights(adapter(module), base(`${name}.weight`));
    expect([...(await merged.tensor(`${name}.weight`, [2, 2]).read(0, 4))]).toEqual([7, 13, 9, 17]);
  }
});

test("a projector alone goes onto its base, and comes out of it again as it was", async () => {
  const source = await openSource(folder("projector"), { base: folder("base"), vision: tower() });
  const alone = await openTensorFile(folder("projector"), ["mm_projector.bin"]);
  const again = extractProjector(source.checkpoint);
  expect([...again.tensors.keys()].sort()).toEqual([...(alone?.tensors.keys() ?? [])].sort());
  for (const [name, tensor] of again.tensors) {
    const before = alone?.tensors.get(name);
    expect(before && (await valuesOf(before))).toEqual(await valuesOf(tensor));
  }
  expect(source.checkpoint.has("language_model.model.norm.weight")).toBe(true);
});

test("converting with a base reads the adapter's config and the base's weights under Hugging Face's names", async () => {
  const { checkpoint, folder: files } = await openSource(folder("lora"), { base: folder("base"), vision: tower() });
  const config = await files.open("config.json");
  expect(JSON.parse(new TextDecoder().decode(await config?.read(0, config.bytes)))).toMatchObject({
    model_type: "llava",
    text_config: { hidden_size: 16 },
  });
  const merged = golden?.tensor("model.layers.1.self_attn.q_proj.weight", [16, 16]);
  const own = checkpoint.tensor("language_model.model.layers.1.self_attn.q_proj.weight", [16, 16]);
  expect(merged && (await stepsApart(own, merged))).toBeLessThan(0.501);
  checkpoint.tensor("multi_modal_projector.linear_2.weight", [16, 16]);
  checkpoint.tensor("vision_tower.vision_model.x", [1]);
});

test("a projector from Hugging Face's layout goes onto its base, too, and asks for the tower", async () => {
  const file = await openTensorFile(folder("projector"), ["mm_projector.bin"]);
  const tensors = new Map<string, TensorData>();
  for (const [name, tensor] of file?.tensors ?? [])
    tensors.set(name, { shape: tensor.shape, values: await valuesOf(tensor) });
  const from = memoryCheckpoint(
    "projector",
    new Map<string, Uint8Array | string>([
      ["config.json", JSON.stringify({ model_type: "llava", text_config: {}, vision_config: {} })],
      ["mm_projector.safetensors", encodeSafetensors(tensors)],
    ]),
  );
  const { checkpoint } = await openSource(from, { base: folder("base"), vision: tower() });
  for (const name of ["multi_modal_projector.linear_1.bias", "language_model.model.norm.weight"]) {
    checkpoint.tensor(name, [16]);
  }
  await expect(openSource(from, { base: folder("base") })).rejects.toThrow(/no vision tower of its own.*--vision/);
});

test("a delta is not taken for a checkpoint", async () => {
  await expect(openSource(folder("delta"), { vision: tower() })).rejects.toThrow(
    /delta is a delta and no whole model: add it to its base with `llava apply-delta` first/,
  );
});

function tower(): CheckpointFolder {
  const weights = encodeSafetensors(new Map([["vision_model.x", { shape: [1], values: Float32Array.of(1) }]]));
  const config = JSON.stringify({ model_type: "clip_vision_model" });
  return memoryCheckpoint(
    "tower",
    new Map<string, Uint8Array | string>([
      ["config.json", config],
      ["model.safetensors", weights],
    ]),
  );
}

describe("what can't be merged is refused with a sentence", async () => {
  const config: unknown = JSON.parse(await readFile(`${fixtures}lora/adapter_config.json`, "utf8"));
  const weights = await readFile(`${fixtures}lora/adapter_model.safetensors`);
  const adapter = (change: Record<string, unknown>) =>
    memoryCheckpoint(
      "adapter",
      new Map<string, Uint8Array | string>([
        ["adapter_config.json", JSON.stringify({ ...(config as object), ...change })],
        ["adapter_model.safetensors", weights],
      ]),
    );
  const changed =
    (rename: (name: string) => string, reshape: (tensor: Tensor) => number[] = (tensor) => [...tensor.shape]) =>
    async () => {
      const base = await openCheckpoint(folder("base"));
      const tensors = new Map<string, TensorData>();
      for (const [name, tensor] of base.tensors) {
        const shape = reshape(tensor);
        tensors.set(rename(name), { shape, values: new Float32Array(elementsOf(shape)) });
      }
      return memoryCheckpoint("other", new Map([["model.safetensors", encodeSafetensors(tensors)]]));
    };
  const plain = () => Promise.resolve(folder("base"));

  test.each<[string, Record<string, unknown>, () => Promise<CheckpointFolder | undefined>, RegExp]>([
    [
      "no base",
      {},
      () => Promise.resolve(undefined),
      /adapter is an adapter; name the folder of tiny\/base with --base/,
    ],
    ["fan_in_fan_out", { fan_in_fan_out: true }, plain, /fan_in_fan_out/],
    ["DoRA", { use_dora: true }, plain, /is a DoRA \(use_dora\)/],
    ["another kind", { peft_type: "IA3" }, plain, /kind IA3; only LORA/],
    ["a pattern that is none", { alpha_pattern: { "(": 4 } }, plain, /alpha_pattern has \(, which is no pattern/],
    ["a pattern that takes for ever", { rank_pattern: { "([a-z_.]+)+!": 4 } }, plain, /rank_pattern has .*too tangled/],
    ["a start that changed the base", { init_lora_weights: "pissa_niter_4" }, plain, /began as pissa_niter_4/],
    ["a variant", { use_qalora: true }, plain, /sets use_qalora/],
    ["another rank than its tensors'", { r: 8 }, plain, /says r = 8, and lora_A for .* has rank 6/],
    ["no rank", { r: "x" }, plain, /adapter_config\.json: r: /],
    [
      "a base without its layers",
      {},
      changed((name) => name.replace("layers.1", "layers.7")),
      /changes language_model\.model\.layers\.1\..*, which the base does not have \(it was trained on tiny\/base\)/,
    ],
    [
      "a base of another width",
      {},
      changed(
        (name) => name,
        ({ shape }) => shape.map((n) => n * 2),
      ),
      /as a matrix of \[\d+, \d+\], and the base's has \[\d+, \d+\]: it belongs to another base/,
    ],
  ])("%s", async (_what, change, base, message) => {
    await expect(openWeights(adapter(change), await base())).rejects.toThrow(message);
  });

  test("half of a pair, an unknown kind of tensor, no file of tensors", async () => {
    const one = { shape: [6, 2], values: new Float32Array(12) };
    const given = (tensors: Record<string, TensorData> | undefined) =>
      memoryCheckpoint(
        "adapter",
        new Map<string, Uint8Array | string>([
          ["adapter_config.json", JSON.stringify({ r: 6, lora_alpha: 1 })],
          ...(tensors
            ? [["adapter_model.safetensors", encodeSafetensors(new Map(Object.entries(tensors)))] as const]
            : []),
        ]),
      );
    const run = (tensors: Record<string, TensorData> | undefined) => openWeights(given(tensors), folder("base"));
    await expect(run({ "base_model.model.x.lora_A.weight": one })).rejects.toThrow(
      /has lora_A for x\.weight and no lora_B/,
    );
    await expect(run({ "base_model.model.x.lora_embedding_A": one })).rejects.toThrow(
      /has lora_embedding_A for x\.weight and no lora_embedding_B/,
    );
    await expect(run({ "base_model.model.x.lora_C": one })).rejects.toThrow(
      /x\.lora_C is of a kind that can't be merged/,
    );
    await expect(run({ "base_model.model.model.other.weight": one })).rejects.toThrow(
      /brings .*other\.weight, which the base/,
    );
    await expect(run(undefined)).rejects.toThrow(/neither of adapter_model\.safetensors, adapter_model\.bin/);
  });

  test("a base that is not needed, and a projector without one", async () => {
    await expect(openWeights(folder("delta"), folder("base"))).rejects.toThrow(
      /neither an adapter nor a projector alone/,
    );
    await expect(openWeights(folder("projector"), undefined)).rejects.toThrow(
      /is a projector alone; name the folder of its/,
    );
    expect(() => extractProjector(new Checkpoint(new Map()))).toThrow(/has no projector/);
  });
});
