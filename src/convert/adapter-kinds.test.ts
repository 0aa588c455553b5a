// Every kind of adapter that peft saves gives the logits that PyTorch gives with it (training/make_adapter_golden.py), whichever version of
// transformers named its tensors and its base's.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadModel } from "#engine/model/load.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { lastLogits } from "#engine/model/self-test.ts";
import { convertAdapter } from "./adapter.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { elementsOf } from "#convert/checkpoint/checkpoint.ts";
import { openWeights } from "#convert/source/checkpoint-source.ts";
import { convert } from "./convert.ts";
import { encodeSafetensors, memoryCheckpoint, memoryPackage, type TensorData } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { largestDifference } from "#testing/graph-runner.ts";
import { openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";

vi.setConfig({ testTimeout: 60_000 });

const fixtures = fileURLToPath(new URL("../../training/fixtures/", import.meta.url));
const numbers = v.array(v.number());
const Golden = v.object({ ids: numbers, kinds: v.record(v.string(), v.object({ base: v.string(), logits: numbers })) });
const golden = v.parse(Golden, JSON.parse(readFileSync(`${fixtures}adapters.golden.json`, "utf8")));
const family = (name: string) => checkpointFolder(`${fixtures}families/${name}`);
const base = family("llava-1.5");
const adapter = (kind: string) => checkpointFolder(`${fixtures}adapters/${kind}`);

let runtime: Runtime;
beforeAll(() => {
  runtime = createNodeRuntime({ threads: 1 });
});
afterAll(() => runtime.dispose());

async function logitsOf(from: CheckpointFolder, below: CheckpointFolder): Promise<number[]> {
  const to = memoryPackage();
  const bits = { vision: 32, embed: 32, decoder: 32 } as const;
  const info = await convert(from, to, { bits, more: { base: below } });
  const model = await loadModel({ runtime, files: to.files, info, memoryBudget: 0 });
  const logits = await lastLogits(model, golden.ids);
  await model.dispose();
  return [...logits].filter((_, i) => i % 4 === 0);
}

/** The folder with its tensors under other names. */
async function renamed(folder: CheckpointFolder, file: string, rename: (name: string) => string) {
  const tensors = new Map<string, TensorData>();
  for (const [name, tensor] of (await openTensorFile(folder, [file]))?.tensors ?? []) {
    tensors.set(rename(name), { shape: tensor.shape, values: await tensor.read(0, elementsOf(tensor.shape)) });
  }
  const weights = memoryCheckpoint(folder.name, new Map([[file, encodeSafetensors(tensors)]]));
  return { name: folder.name, open: async (path: string) => (await weights.open(path)) ?? folder.open(path) };
}

test.each(Object.entries(golden.kinds))("%s", async (kind, { base: below, logits }) => {
  expect(largestDifference(await logitsOf(adapter(kind), family(below)), logits)).toBeLessThan(1e-4);
});

test("a merged checkpoint whose output layer left its embeddings says so", async () => {
  const merged = await openWeights(adapter("tied-head"), family("llava-interleave"));
  const table = merged.tensor("language_model.model.embed_tokens.weight", [280, 32]);
  const head = merged.tensor("language_model.lm_head.weight", [280, 32]);
  expect(await head.read(0, 64)).not.toEqual(await table.read(0, 64));
});

test("what a base can't have beside it is refused with the way that it has", async () => {
  const to = memoryPackage();
  await convert(base, to, { bits: { vision: 32, embed: 32, decoder: 32 }, adaptable: true });
  const below = memoryCheckpoint("base", to.written);
  for (const [kind, message] of [
    ["bias-all", /changes vision_tower/],
    ["dora", /is a DoRA/],
    ["embeddings-and-head", /changes .*(embed_tokens|lm_head)/],
    ["whole-modules", /brings .*trained whole/],
    ["lora-bias", /adds to vision_tower/],
    ["tokens", /changes rows of .*embed_tokens/],
  ] as const) {
    const refused = convertAdapter(adapter(kind), below, memoryPackage()).catch(String);
    expect(await refused).toMatch(message);
    expect(await refused).toMatch(/only a merged conversion takes: leave out --unmerged.*`llava merge-lora`/);
  }
});

describe("one naming for all versions", () => {
  // As transformers 5 has modules, and as 4 had them.
  const newBase = (name: string) =>
    name
      .replace(/^language_model\.lm_head/, "lm_head")
      .replace(/^language_model\.model\./, "model.language_model.")
      .replace(/^vision_tower\.vision_model\./, "model.vision_tower.")
      .replace(/^multi_modal_projector/, "model.multi_modal_projector");
  const oldAdapter = (name: string) =>
    name
      .replace("model.model.language_model.", "model.language_model.model.")
      .replace("model.model.vision_tower.", "model.vision_tower.vision_model.")
      .replace("model.model.multi_modal_projector.", "model.multi_modal_projector.")
      .replace("model.lm_head.", "model.language_model.lm_head.");
  const infixed = (name: string) =>
    name
      .replace(/lora_(A|B)\.weight/, "lora_$1.default.weight")
      .replace(/(lora_embedding_[AB])$/, "$1.default")
      .replace(/lora_magnitude_vector$/, "lora_magnitude_vector.default.weight")
      .replace(/^base_model\.model\./, "base_model.model.base_model.model._orig_mod.");

  test.each([
    ["whole-modules", oldAdapter, undefined],
    ["whole-modules", undefined, newBase],
    ["bias-lora-only", oldAdapter, undefined],
    ["bias-all", oldAdapter, newBase],
    ["dora-of-all", oldAdapter, newBase],
    ["embeddings-and-head", infixed, undefined],
    ["dora", infixed, newBase],
  ] as const)("%s", async (kind, ofAdapter, ofBase) => {
    const from = ofAdapter ? await renamed(adapter(kind), "adapter_model.safetensors", ofAdapter) : adapter(kind);
    const below = ofBase ? await renamed(base, "model.safetensors", ofBase) : base;
    expect(largestDifference(await logitsOf(from, below), golden.kinds[kind]?.logits ?? [])).toBeLessThan(1e-4);
  });

  test("a tensor without a reader is an error that names it", async () => {
    const strange = (from: string, to: string) =>
      renamed(adapter("bias-all"), "adapter_model.safetensors", (name) => name.replace(from, to));
    for (const [from, to, message] of [
      [
        "vision_tower.encoder.layers.0.layer_norm1.bias",
        "vision_tower.blocks.0.norm.bias",
        /brings vision_tower\.vision_model\.blocks\.0\.norm\.bias, which the base does not have/,
      ],
      ["multi_modal_projector.linear_1.bias", "audio.bias", /brings .*audio.*bias/],
      [
        "layers.0.self_attn.q_proj.lora_A.weight",
        "layers.0.self_attn.q_proj.lora_C.weight",
        /lora_C\.weight is of a kind that can't be merged/,
      ],
      [
        "layers.1.self_attn.q_proj.lora_A",
        "layers.0.self_attn.q_proj.lora_A.second",
        /holds two tensors for .*layers\.0\.self_attn\.q_proj\.weight/,
      ],
    ] as const) {
      await expect(
        strange(from, to).then((folder) => logitsOf(folder, base)),
        to,
      ).rejects.toThrow(message);
    }
  });
});
