// The vision tower's own kernel beside ONNX Runtime on the same graphs, random and tiny but of every kind that the converter writes.
import { openAsBlob } from "node:fs";
import { describe, expect, test } from "vitest";
import { openTower } from "#engine/model/kernel-load.ts";
import { nodeKernelHelpers } from "./helpers.node.ts";
import { loadModel } from "#engine/model/load.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { convert } from "#convert/convert.ts";
import {
  memoryCheckpoint,
  memoryPackage,
  randomNumbers,
  tinyConfig,
  tinyFiles,
  tinyTensors,
} from "#testing/fixtures.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";

interface Kind {
  readonly tower: "clip" | "siglip";
  readonly activation: string;
  readonly hidden: number;
  readonly heads: number;
  readonly ffn: number;
  readonly image: number;
  readonly patch: number;
  readonly bits: Bits;
  readonly scheme: Scheme;
  /** More of config.json. */
  readonly config?: Record<string, unknown>;
  readonly adaptable?: boolean;
  /** Side of the square of patches that become one row. */
  readonly shuffle?: number;
}

/** 36 or 37 rows: neither whole fours nor whole eights of them. */
const clip: Kind = {
  tower: "clip", activation: "quick_gelu", hidden: 64, heads: 2, ffn: 96, image: 48, patch: 8, bits: 8, scheme: "symmetric",
}; // prettier-ignore
/** Heads of 72 and a last block half full, as in SigLIP-so400m. */
const siglip: Kind = { ...clip, tower: "siglip", activation: "gelu_pytorch_tanh", hidden: 288, heads: 4, ffn: 144 };
const kinds: Readonly<Record<string, Kind>> = {
  "CLIP at 8 bits": clip,
  "CLIP at 4 bits with zero points, exact Gelu": { ...clip, bits: 4, scheme: "asymmetric", activation: "gelu" },
  "CLIP with its class row kept": { ...clip, config: { vision_feature_select_strategy: "full" } },
  "SigLIP at 4 bits": { ...siglip, bits: 4, config: { vision_feature_select_strategy: "full" } },
  "SigLIP at 8 bits, pictures in tiles": {
    ...siglip,
    config: { model_type: "llava_onevision", image_grid_pinpoints: [[48, 96]], vision_aspect_ratio: "anyres_max_9" },
  },
  "a projector with ReLU": { ...clip, config: { projector_hidden_act: "relu" } },
  "a projector with GELU's tanh form": { ...clip, bits: 4, config: { projector_hidden_act: "gelu_pytorch_tanh" } },
  "a projector with SiLU": { ...clip, config: { projector_hidden_act: "silu" } },
  "CLIP with room for an adapter": { ...clip, adaptable: true },
  // As SigLIP-so400m's 384 pixels and patches of 14: some pixels belong to no patch.
  "SigLIP whose patches do not fill the picture": {
    ...siglip,
    image: 51,
    config: { vision_feature_select_strategy: "full" },
  },
  "Idefics3: a last norm, nine patches in a row": {
    ...siglip,
    hidden: 96,
    bits: 4,
    scheme: "asymmetric",
    config: { model_type: "idefics3", scale_factor: 3, image_token_id: 4 },
    shuffle: 3,
  },
  // 290 rows of 2,080 numbers are more than the kernel goes through for one row of weights.
  "CLIP with many wide rows": { ...clip, image: 136, ffn: 2080 },
};

async function convertKind({ tower, hidden, heads, ffn, image, patch, ...kind }: Kind) {
  const config = tinyConfig();
  const layers = 3;
  Object.assign(config, kind.config);
  Object.assign(config.vision_config, {
    model_type: `${tower}_vision_model`,
    hidden_act: kind.activation,
    hidden_size: hidden,
    num_attention_heads: heads,
    intermediate_size: ffn,
    image_size: image,
    patch_size: patch,
    num_hidden_layers: layers,
  });
  const at = "vision_tower.vision_model.";
  const tensors = new Map([...tinyTensors()].filter(([name]) => !/^vision_tower|linear_1.weight/.test(name)));
  const random = randomNumbers(3);
  const add = (name: string, ...shape: number[]) => {
    const length = shape.reduce((product, n) => product * n, 1);
    const centre = /norm/.test(name) && name.endsWith("weight") ? 1 : 0;
    const values = Float32Array.from({ length }, () => centre + 0.3 * (random() + random() - 1));
    tensors.set(name, { shape, values });
  };
  const pair = (name: string, ...shape: number[]) => {
    add(`${at}${name}.weight`, ...shape);
    add(`${at}${name}.bias`, shape[0] ?? 0);
  };
  add(`${at}embeddings.patch_embedding.weight`, hidden, 3, patch, patch);
  add(`${at}embeddings.position_embedding.weight`, Math.floor(image / patch) ** 2 + (tower === "clip" ? 1 : 0), hidden);
  if (tower === "siglip") add(`${at}embeddings.patch_embedding.bias`, hidden);
  else {
    add(`${at}embeddings.class_embedding`, hidden);
    pair("pre_layrnorm", hidden);
  }
  for (let i = 0; i < layers; i++) {
    for (const norm of ["layer_norm1", "layer_norm2"]) pair(`encoder.layers.${i}.${norm}`, hidden);
    for (const name of ["q", "k", "v", "out"]) pair(`encoder.layers.${i}.self_attn.${name}_proj`, hidden, hidden);
    pair(`encoder.layers.${i}.mlp.fc1`, ffn, hidden);
    pair(`encoder.layers.${i}.mlp.fc2`, hidden, ffn);
  }
  if (kind.shuffle !== undefined) {
    pair("post_layernorm", hidden);
    for (const name of tensors.keys()) if (name.startsWith("multi_modal_projector.")) tensors.delete(name);
  }
  add("multi_modal_projector.linear_1.weight", 64, hidden * (kind.shuffle ?? 1) ** 2);
  add("image_newline", 64);
  const to = memoryPackage();
  const info = await convert(memoryCheckpoint("seen", tinyFiles(tensors, config)), to, {
    bits: { vision: kind.bits, embed: 32, decoder: 32 },
    scheme: kind.scheme,
    ...(kind.adaptable === undefined ? {} : { adaptable: kind.adaptable }),
  });
  return { info, files: to.files };
}

const pixelsOf = ({ image }: Kind) => {
  const random = randomNumbers(9);
  return Float32Array.from({ length: 3 * image * image }, () => random() * 4 - 2);
};

/** The largest difference, against the largest number. */
function apart(found: Float32Array | undefined, expected: Float32Array | undefined): number {
  if (!found || !expected || found.length !== expected.length) return NaN;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? NaN))), 0) / largest;
}

/** This machine's runtime with what it is on WASM: nothing but the kernels where they can. */
const onlyKernels = (runtime: Runtime): Runtime => ({ ...runtime, kernel: { helpers: undefined } });

describe.each(Object.entries(kinds))("%s", (_, kind) => {
  test("features are the runtime's, and the same with any number of threads", async () => {
    const { info, files } = await convertKind(kind);
    const runtime = createNodeRuntime({ threads: 1 });
    const { vision } = info.graphs;
    const source = {
      graph: await files.blob(vision.path),
      data: await Promise.all(
        vision.data.map(async (path) => ({ path: path.split("/").at(-1) ?? "", data: await files.blob(path) })),
      ),
    };
    const session = await runtime.createSession(source, []);
    const groups = kind.shuffle === undefined ? [] : [1];
    const pixels = runtime.tensor("float32", pixelsOf(kind), [1, ...groups, 3, kind.image, kind.image]);
    const outputs = await session.run({ pixel_values: pixels });
    expect([...outputs.keys()].sort()).toEqual([
      "image_features",
      ...(kind.config?.["image_grid_pinpoints"] ? ["image_newline"] : []),
      ...(kind.adaptable ? ["tower_features"] : []),
    ]);
    const theirs = async (name: string) => {
      const tensor = outputs.get(name);
      return tensor && (await runtime.read(tensor));
    };
    let first: Float32Array | undefined;
    for (const helpers of [0, 1, 3]) {
      const tower = await openTower(vision, files, kind.image, helpers > 0 ? nodeKernelHelpers(helpers) : undefined);
      if (!tower) throw new Error("the kernel does not take the graph");
      tower.run(new Float32Array(pixelsOf(kind).length).fill(0.5));
      const seen = tower.run(pixelsOf(kind));
      tower.release();
      expect(apart(seen.features, await theirs("image_features"))).toBeLessThan(2e-4);
      if (outputs.has("image_newline")) expect(seen.newline).toEqual(await theirs("image_newline"));
      else expect(seen.newline).toBeUndefined();
      if (outputs.has("tower_features")) expect(apart(seen.tower, await theirs("tower_features"))).toBeLessThan(2e-4);
      else expect(seen.tower).toBeUndefined();
      first ??= seen.features;
      expect(seen.features).toEqual(first);
    }
    for (const tensor of [pixels, ...outputs.values()]) tensor.dispose();
    await session.release();
  });
});

test("a model without a session for pictures sees what one with a session sees", async () => {
  const kind = { ...siglip, config: kinds["SigLIP at 8 bits, pictures in tiles"]?.config ?? {} };
  const { info, files: packed } = await convertKind(kind);
  // Only a real tokenizer can be loaded.
  const pocket = new URL("../../../public/models/pocket-llava/", import.meta.url);
  const files = {
    blob: (path: string) => (path.startsWith("tokenizer") ? openAsBlob(new URL(path, pocket)) : packed.blob(path)),
  };
  const runtime = createNodeRuntime({ threads: 1 });
  const found: { features: Float32Array; newline: Float32Array }[] = [];
  for (const host of [onlyKernels(runtime), { ...runtime, kernel: undefined }]) {
    const model = await loadModel({ runtime: host, files, info, memoryBudget: 0 });
    found.push(await model.encodeTile(pixelsOf(kind)));
    await model.dispose();
  }
  expect(apart(found[0]?.features, found[1]?.features)).toBeLessThan(2e-4);
  expect(found[0]?.newline).toEqual(found[1]?.newline);
  expect(runtime.aliveTensors).toBe(0);
});

test("graphs of other widths and pictures of other sizes are left to the runtime", async () => {
  const { info, files } = await convertKind(clip);
  expect(await openTower(info.graphs.vision, files, clip.image * 2, undefined)).toBeUndefined();
  const wide = await convertKind({ ...clip, bits: 16 });
  expect(await openTower(wide.info.graphs.vision, wide.files, clip.image, undefined)).toBeUndefined();
});
