import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bytesOf, Checkpoint, elementsOf, type Tensor } from "./checkpoint.ts";
import { openWeights } from "#convert/source/checkpoint-source.ts";
import { convert } from "#convert/convert.ts";
import {
  encodeSafetensors,
  memoryCheckpoint,
  memoryPackage,
  randomNumbers,
  tiny,
  tinyConfig,
  tinyFiles,
  tinyTensors,
  type TensorData,
} from "#testing/fixtures.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { writeCheckpoint } from "./write-checkpoint.ts";

const open = (tensors: ReadonlyMap<string, TensorData>, dtype?: "F32" | "F16" | "BF16") =>
  openCheckpoint(memoryCheckpoint("c", new Map([["model.safetensors", encodeSafetensors(tensors, dtype)]])));
const valuesOf = async (tensor: Tensor) => [...(await tensor.read(0, elementsOf(tensor.shape)))];

test.each(["F32", "F16", "BF16"] as const)(
  "what is written as %s reads back the same, in one file or in shards",
  async (dtype) => {
    const given = await open(tinyTensors(), dtype);
    const total = [...given.tensors.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    for (const [maxFileBytes, shards] of [
      [1e9, 1],
      [total / 3, 4],
    ] as const) {
      const to = memoryPackage();
      const seen: number[] = [];
      const files = await writeCheckpoint(given, new Map([["config.json", new Uint8Array([1])]]), to, {
        maxFileBytes,
        onProgress: (progress) => seen.push(progress.written / progress.total),
      });
      expect(to.state()).toBe("committed");
      expect(files.length).toBeGreaterThanOrEqual(Math.min(shards, 3));
      expect(files.map(({ file }) => to.written.get(file)?.length)).toEqual(files.map(({ bytes }) => bytes));
      expect(to.written.get("config.json")).toHaveLength(1);
      expect(to.written.has("model.safetensors.index.json")).toBe(shards > 1);
      expect(seen.at(-1)).toBe(1);
      const again = await openCheckpoint(memoryCheckpoint("again", to.written));
      expect([...again.tensors.keys()]).toEqual([...given.tensors.keys()]);
      for (const [name, tensor] of given.tensors) {
        expect(again.tensors.get(name)).toMatchObject({ dtype, shape: tensor.shape });
        expect(await valuesOf(again.tensor(name, tensor.shape))).toEqual(await valuesOf(tensor));
      }
    }
  },
);

test("a big tensor is read in runs of rows, never whole", async () => {
  const shape = [3000, 5000];
  let largest = 0;
  const big: Tensor = {
    name: "big",
    dtype: "BF16",
    shape,
    origin: "nowhere",
    read(start, count) {
      largest = Math.max(largest, count);
      expect(start % 5000).toBe(0);
      return Promise.resolve(new Float32Array(count));
    },
  };
  await writeCheckpoint(new Checkpoint(new Map([["big", big]])), new Map(), memoryPackage());
  expect(largest).toBeLessThanOrEqual(2 ** 21);
});

describe("nothing is left", () => {
  const given = open(new Map([["w", { shape: [2], values: Float32Array.of(1, NaN) }]]));
  test("of a checkpoint whose weights are damaged", async () => {
    const to = memoryPackage();
    await expect(writeCheckpoint(await given, new Map(), to)).rejects.toThrow(/tensor w holds NaN/);
    expect(to.state()).toBe("discarded");
  });

  test("of one that was stopped", async () => {
    const to = memoryPackage();
    const stop = AbortSignal.abort(new Error("stopped"));
    const whole = await open(new Map([["w", { shape: [1], values: Float32Array.of(1) }]]));
    await expect(writeCheckpoint(whole, new Map(), to, { signal: stop })).rejects.toThrow("stopped");
    expect(to.state()).toBe("discarded");
  });

  test("of one that is stored in whole numbers", async () => {
    const quantized: Tensor = {
      name: "q",
      dtype: "I8",
      shape: [4],
      origin: "x",
      read: () => Promise.reject(new Error("read")),
    };
    const to = memoryPackage();
    const run = writeCheckpoint(new Checkpoint(new Map([["q", quantized]])), new Map(), to);
    await expect(run).rejects.toThrow(/tensor q is I8; only/);
    expect(to.state()).toBe("discarded");
  });
});

test("an adapter beside its base gives the same package as the checkpoint that merging it writes", async () => {
  const random = randomNumbers(3);
  const fill = (...shape: number[]): TensorData => ({
    shape,
    values: new Float32Array(elementsOf(shape)).map(() => random() - 0.5),
  });
  const all = tinyTensors();
  const pick = (prefix: string, become: string) =>
    [...all].flatMap(([name, tensor]): [string, TensorData][] =>
      name.startsWith(prefix) ? [[become + name.slice(prefix.length), tensor]] : [],
    );
  const base = new Map([...pick("language_model.model.", "model."), ...pick("language_model.lm_head.", "lm_head.")]);
  const projector = pick("multi_modal_projector.", "").map(([name, tensor]): [string, TensorData] => [
    `base_model.model.model.mm_projector.${name.replace("linear_1", "0").replace("linear_2", "2")}`,
    tensor,
  ]);
  const { hidden, ffn, layers, heads, headSize } = tiny.text;
  const lora = new Map<string, TensorData>();
  for (let i = 0; i < layers; i++) {
    for (const [module, rows, cols] of [
      ["self_attn.q_proj", heads * headSize, hidden],
      ["mlp.down_proj", hidden, ffn],
    ] as const) {
      lora.set(`base_model.model.model.layers.${i}.${module}.lora_A.weight`, fill(3, cols));
      lora.set(`base_model.model.model.layers.${i}.${module}.lora_B.weight`, fill(rows, 3));
    }
  }
  const config = {
    ...tinyConfig().text_config,
    model_type: "llava_llama",
    mm_vision_tower: "tiny-clip",
    mm_vision_select_layer: -2,
    mm_projector_type: "mlp2x_gelu",
  };
  const files = tinyFiles(new Map(), config);
  files.delete("model.safetensors");
  const adapter = memoryCheckpoint(
    "llava-lora",
    new Map([
      ...files,
      ["adapter_config.json", JSON.stringify({ r: 3, lora_alpha: 6 })],
      ["adapter_model.safetensors", encodeSafetensors(lora)],
      ["non_lora_trainables.safetensors", encodeSafetensors(new Map(projector))],
    ]),
  );
  const baseFolder = memoryCheckpoint("vicuna", new Map([["model.safetensors", encodeSafetensors(base)]]));
  const vision = memoryCheckpoint(
    "tiny-clip",
    new Map<string, Uint8Array | string>([
      ["config.json", JSON.stringify(tinyConfig().vision_config)],
      ["model.safetensors", encodeSafetensors(new Map(pick("vision_tower.", "")))],
    ]),
  );
  const bits = { vision: 8, embed: 8, decoder: 4 } as const;
  const hashes = (written: ReadonlyMap<string, Uint8Array>) =>
    [...written]
      .filter(([path]) => path.startsWith("onnx/"))
      .map(([path, bytes]) => `${path} ${createHash("sha256").update(bytes).digest("hex")}`);

  const direct = memoryPackage();
  await convert(adapter, direct, { bits, more: { base: baseFolder, vision } });

  const merged = memoryPackage();
  await writeCheckpoint(await openWeights(adapter, baseFolder), new Map(), merged);
  const through = memoryPackage();
  await convert(memoryCheckpoint("llava-merged", new Map([...files, ...merged.written])), through, {
    bits,
    more: { vision },
  });
  expect(hashes(direct.written)).toEqual(hashes(through.written));

  const plain = memoryPackage();
  const unmerged = new Map([
    ...base,
    ...projector.map(([name, tensor]) => [name.slice("base_model.model.".length), tensor] as const),
  ]);
  await convert(
    memoryCheckpoint("llava", new Map([...files, ["model.safetensors", encodeSafetensors(unmerged)]])),
    plain,
    { bits, more: { vision } },
  );
  expect(hashes(plain.written)).not.toEqual(hashes(direct.written));
});
