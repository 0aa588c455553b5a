// Loss, gradients and three steps against PyTorch: fixtures/teach is written by training/make_teach_golden.py.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as v from "valibot";
import type { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { elementsOf } from "#convert/checkpoint/checkpoint.ts";
import { openCheckpoint, openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { readAdapter } from "#convert/source/adapter-file.ts";
import { createAdam } from "./adam.ts";
import { runFrozen } from "./frozen.ts";
import { createNetwork, type Network } from "./network.ts";
import { loraTensors, peftFolder } from "./peft-folder.ts";
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
const golden = v.parse(Golden, JSON.parse(await readFile(new URL("teach/teach.json", fixtures), "utf8")));

const shape: DecoderShape = {
  ...{ layers: 2, hidden: 64, ffn: 160, heads: 2, kvHeads: 1, headSize: 32, vocab: 352, epsilon: 1e-5 },
  frequencies: Float32Array.from({ length: 16 }, (_, i) => 10000 ** (-i / 16)),
  attentionScale: 32 ** -0.5,
};

async function read(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw new Error(`no ${name} among ${[...checkpoint.tensors.keys()].join(", ")}`);
  return tensor.read(0, elementsOf(tensor.shape));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

async function blockOf(model: Checkpoint, layer: number): Promise<BlockWeights> {
  const of = (name: string) => read(model, `language_model.model.layers.${layer}.${name}.weight`);
  return {
    attentionNorm: await of("input_layernorm"),
    qkv: joined(await Promise.all(["q", "k", "v"].map((side) => of(`self_attn.${side}_proj`)))),
    qkvBias: undefined,
    out: await of("self_attn.o_proj"),
    mlpNorm: await of("post_attention_layernorm"),
    gate: await of("mlp.gate_proj"),
    up: await of("mlp.up_proj"),
    down: await of("mlp.down_proj"),
  };
}

/** The trained numbers of one of the fixture's files, as the network orders them. */
async function numbersOf(file: string, spec: LoraSpec): Promise<Float32Array> {
  const tensors = await openTensorFile(checkpointFolder(new URL("teach", fixtures).pathname), [file]);
  if (!tensors) throw new Error(`no ${file}`);
  const places = loraTensors(shape, spec);
  const all = new Float32Array(places.reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0));
  for (const { name, at } of places) all.set(await read(tensors, name), at);
  return all;
}

/** Both answers in one row, after the beginning that they share. */
function goldenRow(input: Float32Array<ArrayBuffer>): PackedRow {
  const { beginning, ends } = golden;
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

const embeds = new Float32Array(Uint8Array.from(Buffer.from(golden.embeds, "base64")).buffer);
const model = await openCheckpoint(checkpointFolder(new URL("tiny-llava", fixtures).pathname));
const blocks = await Promise.all([blockOf(model, 0), blockOf(model, 1)]);
const finalNorm = await read(model, "language_model.model.norm.weight");
const head = await read(model, "language_model.lm_head.weight");

function network(spec: LoraSpec): Promise<Network> {
  const weights = { blocks: blocks.slice(spec.firstBlock), finalNorm, head };
  return createNetwork({ shape, spec, weights, mostRows: 64 });
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

test("the gradient of every LoRA matrix is PyTorch's within 1e-4, and so are three steps of AdamW", async () => {
  const values = await numbersOf("adapter_model.safetensors", whole);
  const [wantedGradients, wantedValues] = [
    await numbersOf("gradients.safetensors", whole),
    await numbersOf("after.safetensors", whole),
  ];
  const trained = await network(whole);
  const row = goldenRow(embeds);
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

test("with the lower block frozen, the upper one's gradients are the same as with both", async () => {
  const values = await numbersOf("adapter_model.safetensors", whole);
  const perBlock = values.length / 2;
  // The lower block is frozen without its LoRA.
  const both = values.slice();
  both.fill(0, 0, perBlock);
  const full = await network(whole);
  full.setLora(both);
  const row = goldenRow(embeds);
  const loss = full.run(row, true);
  const upper: LoraSpec = { ...whole, firstBlock: 1 };
  const part = await network(upper);
  part.setLora(values.subarray(perBlock));
  const input = row.input.slice();
  const decoder = {
    shape,
    block: () => Promise.resolve(blocks[0]),
    from: () => Promise.reject(new Error()),
  };
  await runFrozen(decoder, 1, [{ ...row, input }], 64);
  expect(part.run({ ...row, input }, true)).toBeCloseTo(loss, 5);
  expect(difference(part.takeGradients(), full.takeGradients().subarray(perBlock))).toBeLessThan(1e-5);
});
