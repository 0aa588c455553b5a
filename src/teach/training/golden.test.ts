// Loss, gradients and three steps against PyTorch: fixtures/teach and fixtures/teach-qwen2 are written by training/make_teach_golden.py.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as v from "valibot";
import type { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { elementsOf } from "#convert/checkpoint/checkpoint.ts";
import { openCheckpoint, openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { readAdapter } from "#convert/source/adapter-file.ts";
import { createAdam } from "./adam.ts";
import { createNetwork, type Network } from "./network.ts";
import { loraTensors, peftFolder } from "./peft-folder.ts";
import { createTrainer, passFrozen } from "./trainers.ts";
import type { BlockWeights, DecoderShape, LoraSpec, PackedRow } from "./shape.ts";

const fixtures = new URL("../../../training/fixtures/", import.meta.url);
const Golden = v.object({
  beginning: v.number(),
  ends: v.array(v.object({ question: v.number(), answer: v.array(v.number()) })),
  embeds: v.string(),
  rate: v.number(),
  decay: v.number(),
  losses: v.array(v.number()),
});
type Golden = v.InferOutput<typeof Golden>;

/** A folder of golden numbers with the model that they are of. */
interface Case {
  readonly name: string;
  readonly folder: string;
  readonly model: string;
  readonly shape: DecoderShape;
  readonly tied: boolean;
  readonly biased: boolean;
}

/** Grouped heads, as SmolLM2 has them in SmolVLM. */
const llama: Case = {
  ...{ name: "Llama", folder: "teach", model: "tiny-llava", tied: false, biased: false },
  shape: {
    ...{ layers: 2, hidden: 64, ffn: 160, heads: 2, kvHeads: 1, headSize: 32, vocab: 352, epsilon: 1e-5 },
    frequencies: Float32Array.from({ length: 16 }, (_, i) => 10000 ** (-i / 16)),
    attentionScale: 32 ** -0.5,
  },
};
/** As in LLaVA-OneVision's 0.5B: biases, and an output layer that is the embeddings. */
const qwen2: Case = {
  ...{ name: "Qwen2", folder: "teach-qwen2", model: "teach-qwen2", tied: true, biased: true },
  shape: {
    ...{ layers: 2, hidden: 64, ffn: 96, heads: 4, kvHeads: 2, headSize: 16, vocab: 128, epsilon: 1e-6 },
    frequencies: Float32Array.from({ length: 8 }, (_, i) => 10000 ** (-i / 8)),
    attentionScale: 16 ** -0.5,
  },
};

async function read(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw new Error(`no ${name} among ${[...checkpoint.tensors.keys()].join(", ")}`);
  return tensor.read(0, elementsOf(tensor.shape));
}

async function openFixture(folder: string, file: string): Promise<Checkpoint> {
  const tensors = await openTensorFile(checkpointFolder(new URL(folder, fixtures).pathname), [file]);
  if (!tensors) throw new Error(`no ${file} in ${folder}`);
  return tensors;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

async function blockOf(model: Checkpoint, layer: number, biased: boolean): Promise<BlockWeights> {
  const of = (name: string, what = "weight") => read(model, `language_model.model.layers.${layer}.${name}.${what}`);
  const qkv = async (what: string) =>
    joined(await Promise.all(["q", "k", "v"].map((side) => of(`self_attn.${side}_proj`, what))));
  return {
    attentionNorm: await of("input_layernorm"),
    qkv: await qkv("weight"),
    qkvBias: biased ? await qkv("bias") : undefined,
    out: await of("self_attn.o_proj"),
    mlpNorm: await of("post_attention_layernorm"),
    gate: await of("mlp.gate_proj"),
    up: await of("mlp.up_proj"),
    down: await of("mlp.down_proj"),
  };
}

/** A case's golden numbers and the model's weights. */
async function openCase({ folder, model: modelFolder, shape, tied, biased }: Case) {
  const golden = v.parse(Golden, JSON.parse(await readFile(new URL(`${folder}/teach.json`, fixtures), "utf8")));
  const model = tied
    ? await openFixture(modelFolder, "model.safetensors")
    : await openCheckpoint(checkpointFolder(new URL(modelFolder, fixtures).pathname));
  const blocks = await Promise.all([0, 1].map((layer) => blockOf(model, layer, biased)));
  const finalNorm = await read(model, "language_model.model.norm.weight");
  const head = await read(model, tied ? "language_model.model.embed_tokens.weight" : "language_model.lm_head.weight");
  return {
    ...{ golden, blocks, shape },
    row: goldenRow(golden),
    /** The trained numbers of one of the fixture's files, as the network orders them. */
    numbersOf: async (file: string, spec: LoraSpec): Promise<Float32Array> => {
      const tensors = await openFixture(folder, file);
      const places = loraTensors(shape, spec);
      const all = new Float32Array(places.reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0));
      for (const { name, at } of places) all.set(await read(tensors, name), at);
      return all;
    },
    network: (spec: LoraSpec): Promise<Network> => {
      const weights = { blocks: blocks.slice(spec.firstBlock), finalNorm, head };
      return createNetwork({ shape, spec, weights, mostRows: 64 });
    },
  };
}

/** Both answers in one row, after the beginning that they share. */
function goldenRow({ beginning, ends, embeds }: Golden): PackedRow {
  const input = new Float32Array(Uint8Array.from(Buffer.from(embeds, "base64")).buffer);
  const [positions, shared, first, predicting, targets] = [[], [], [], [], []] as number[][] as [number[], number[], number[], number[], number[]]; // prettier-ignore
  for (let i = 0; i < beginning; i++) {
    positions.push(i);
    shared.push(0);
    first.push(0);
  }
  for (const { question, answer } of ends) {
    const start = positions.length;
    for (let i = 0; i < question + answer.length; i++) {
      positions.push(beginning + i);
      shared.push(beginning);
      first.push(start);
    }
    for (const [i, token] of answer.entries()) {
      predicting.push(start + question + i - 1);
      targets.push(token);
    }
  }
  return {
    input,
    positions: Int32Array.from(positions),
    shared: Int32Array.from(shared),
    first: Int32Array.from(first),
    predicting: Int32Array.from(predicting),
    targets: Int32Array.from(targets),
    weights: new Float32Array(targets.length).fill(1 / targets.length),
  };
}

/** The largest difference, as a part of the largest number. */
function difference(actual: Float32Array, wanted: Float32Array): number {
  let [worst, largest] = [0, 0];
  for (const [i, value] of wanted.entries()) {
    worst = Math.max(worst, Math.abs(value - (actual[i] ?? NaN)));
    largest = Math.max(largest, Math.abs(value));
  }
  return worst / largest;
}

const whole: LoraSpec = { firstBlock: 0, rank: 4, scale: 2 };

test.each([llama, qwen2])("$name: the gradient of every LoRA matrix is PyTorch's within 1e-4, and so are three steps of AdamW", async (one) => {
  const { golden, shape, row, network, numbersOf } = await openCase(one);
  const values = await numbersOf("adapter_model.safetensors", whole);
  const [wantedGradients, wantedValues] = [
    await numbersOf("gradients.safetensors", whole),
    await numbersOf("after.safetensors", whole),
  ];
  const trained = await network(whole);
  const step = createAdam(values, { decay: golden.decay });
  for (const [i, wanted] of golden.losses.entries()) {
    trained.setLora(values);
    expect(trained.run(row, false)).toBeCloseTo(wanted, 4);
    expect(trained.run(row, true)).toBeCloseTo(wanted, 4);
    const gradients = trained.takeGradients();
    if (i === 0) {
      for (const {
        name,
        shape: [rows, columns],
        at,
      } of loraTensors(shape, whole)) {
        const [actual, expected] = [gradients, wantedGradients].map((all) => all.subarray(at, at + rows * columns));
        expect(difference(actual as Float32Array, expected as Float32Array), name).toBeLessThan(1e-4);
      }
    }
    step(gradients, golden.rate);
  }
  expect(difference(values, wantedValues)).toBeLessThan(1e-4);
});

test("the folder that is written is peft's own, tensor by tensor", async () => {
  const { shape, numbersOf } = await openCase(llama);
  const values = await numbersOf("adapter_model.safetensors", whole);
  const folder = peftFolder("taught", values, shape, whole, "tiny-llava");
  const [ours, theirs] = [await readAdapter(folder), await readAdapter(checkpointFolder(new URL("teach", fixtures).pathname))]; // prettier-ignore
  if (!ours || !theirs) throw new Error("a folder holds no adapter");
  expect([...ours.updates.keys()].sort()).toEqual([...theirs.updates.keys()].sort());
  for (const [name, { down, up, scale }] of theirs.updates) {
    const own = ours.updates.get(name);
    expect(own?.scale).toBe(scale);
    for (const [mine, wanted] of [
      [own?.down, down],
      [own?.up, up],
    ] as const) {
      expect(mine?.shape).toEqual(wanted.shape);
      expect(await mine?.read(0, elementsOf(wanted.shape))).toEqual(await wanted.read(0, elementsOf(wanted.shape)));
    }
  }
});

test.each([llama, qwen2])("$name: with the lower block frozen, the upper one's gradients are the same as with both", async (one) => {
  const { shape, blocks, row, network, numbersOf } = await openCase(one);
  const values = await numbersOf("adapter_model.safetensors", whole);
  const perBlock = values.length / 2;
  // The lower block is frozen without its LoRA.
  const both = values.slice();
  both.fill(0, 0, perBlock);
  const full = await network(whole);
  full.setLora(both);
  const loss = full.run(row, true);
  const upper: LoraSpec = { ...whole, firstBlock: 1 };
  const part = await network(upper);
  part.setLora(values.subarray(perBlock));
  const input = row.input.slice();
  const [lower] = blocks;
  if (!lower) throw new Error("no lower block");
  const blockOne = Promise.resolve(lower);
  const decoder = { shape, block: () => blockOne };
  const threads = [1, 2].map(() => ({ ask: createTrainer(), end: () => undefined }));
  await passFrozen(threads, decoder, 1, [{ ...row, input }], 64);
  expect(part.run({ ...row, input }, true)).toBeCloseTo(loss, 5);
  expect(difference(part.takeGradients(), full.takeGradients().subarray(perBlock))).toBeLessThan(1e-5);
});
