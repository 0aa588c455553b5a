// An adapter beside its base computes what the merged conversion does, on every runtime that runs in Node.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { AdapterPackage } from "#engine/model/adapter.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import { lastLogits } from "#engine/model/self-test.ts";
import type { AdapterManifest, Manifest } from "#weights/manifest.ts";
import { convertAdapter, type AdapterOptions } from "./adapter.ts";
import { randomAdapter } from "#testing/adapter-fixture.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { convert, type ConvertOptions } from "./convert.ts";
import { encodeSafetensors, memoryCheckpoint, memoryPackage, type MemoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { largestDifference } from "#testing/graph-runner.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const tiny = checkpointFolder(fileURLToPath(new URL("../../training/fixtures/tiny-llava", import.meta.url)));
const promptIds = [1, 40, 4, 41, 42, 43];

interface Made {
  readonly info: Manifest;
  readonly to: MemoryPackage;
}
async function make(from: CheckpointFolder, options: Partial<ConvertOptions>): Promise<Made> {
  const to = memoryPackage();
  return { info: await convert(from, to, { bits: { vision: 32, embed: 32, decoder: 32 }, ...options }), to };
}
const packageOf = ({ to }: Made): CheckpointFolder => memoryCheckpoint("tiny-base", to.written);

async function makeAdapter(
  from: CheckpointFolder,
  base: Made,
  options: AdapterOptions = {},
): Promise<AdapterPackage & { readonly info: AdapterManifest; readonly to: MemoryPackage }> {
  const to = memoryPackage();
  return { info: await convertAdapter(from, packageOf(base), to, options), files: to.files, to };
}

let base: Made;
let plain: Made;
beforeAll(async () => {
  base = await make(tiny, { adaptable: true });
  plain = await make(tiny, {});
});

const runtimes: readonly (readonly [string, () => Promise<Runtime>])[] = [
  ["Node", () => Promise.resolve(createNodeRuntime({ threads: 1 }))],
  [
    "WASM",
    () => createWasmRuntime({ runtimeUrl: new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url).href }),
  ],
];

describe.each(runtimes)("on %s", (_name, start) => {
  let runtime: Runtime;
  const open: Model[] = [];
  beforeAll(async () => {
    runtime = await start();
  });
  afterAll(async () => {
    for (const model of open) await model.dispose();
    expect(runtime.aliveTensors).toBe(0);
    await runtime.dispose();
  });
  const load = async ({ info, to }: Made, adaptable = false): Promise<Model> => {
    const model = await loadModel({ runtime, files: to.files, info, memoryBudget: 2 ** 30, adaptable });
    open.push(model);
    return model;
  };
  const logits = async (model: Model) => (await lastLogits(model, promptIds)).slice();

  test("an adapter gives the merged model's numbers, another one its own, and none exactly the base's", async () => {
    const [first, second] = [
      await randomAdapter(tiny),
      // Leaves a part of the packed matrix and whole sites alone, has another rank, and no projector.
      await randomAdapter(tiny, { seed: 5, rank: 3, left: /layers\.0\.(self_attn\.v|mlp\.)/, projector: false }),
    ];
    const model = await load(base, true);
    const reference = await logits(await load(plain));
    expect([...(await logits(model))]).toEqual([...reference]);
    for (const { folder } of [first, second, first]) {
      await model.adapt(await makeAdapter(folder, base, { bits: 32 }));
      const merged = await logits(await load(await make(folder, { more: { base: tiny } })));
      const actual = await logits(model);
      expect(largestDifference(actual, merged)).toBeLessThan(1e-4);
      expect(largestDifference(actual, reference)).toBeGreaterThan(0.1);
    }
    await model.adapt(undefined);
    expect([...(await logits(model))]).toEqual([...reference]);
  });

  test("a model that was loaded without room for an adapter makes it", async () => {
    const model = await load(base);
    const { folder } = await randomAdapter(tiny);
    const reference = await logits(model);
    await model.adapt(await makeAdapter(folder, base, { bits: 32 }));
    expect(largestDifference(await logits(model), reference)).toBeGreaterThan(0.1);
    await model.adapt(undefined);
    expect([...(await logits(model))]).toEqual([...reference]);
  });

  test("adapters of half precision fit packages at any width of their base", async () => {
    const narrow = await make(tiny, { adaptable: true, bits: { vision: 8, embed: 8, decoder: 4 } });
    const { folder } = await randomAdapter(tiny, { projector: false });
    const adapter = await makeAdapter(folder, base);
    const model = await load(narrow, true);
    await model.adapt(adapter);
    const actual = await logits(model);
    const exact = await load(base, true);
    await exact.adapt(adapter);
    // What remains is the rounding of the base to 4 bits.
    expect(largestDifference(actual, await logits(exact))).toBeLessThan(1);
    await model.adapt(await makeAdapter(folder, base, { bits: 32 }));
    expect(largestDifference(actual, await logits(model))).toBeLessThan(0.05);
  });
});

test("of a model that sees tiles, the adapter's projector and newline make the features", async () => {
  const from = checkpointFolder(
    fileURLToPath(new URL("../../training/fixtures/families/llava-1.6-vicuna", import.meta.url)),
  );
  const tiled = await make(from, { adaptable: true });
  const runtime = createNodeRuntime({ threads: 1 });
  const load = ({ info, to }: Made) => loadModel({ runtime, files: to.files, info, memoryBudget: 0, adaptable: true });
  const model = await load(tiled);
  const { size } = model.config.preprocess;
  const pixels = (): Float32Array => new Float32Array(3 * size * size).map((_, i) => Math.sin(i));
  const plain = await model.encodeTile(pixels());
  for (const newline of [true, false]) {
    const { folder } = await randomAdapter(from, { newline });
    const merged = await load(await make(folder, { more: { base: from } }));
    const reference = await merged.encodeTile(pixels());
    await model.adapt(await makeAdapter(folder, tiled, { bits: 32 }));
    const tile = await model.encodeTile(pixels());
    expect(largestDifference(tile.features, reference.features)).toBeLessThan(1e-4);
    expect([...tile.newline]).toEqual([...reference.newline]);
    expect(largestDifference(tile.features, plain.features)).toBeGreaterThan(0.01);
    expect(largestDifference(tile.newline, plain.newline) > 0).toBe(newline);
    await merged.dispose();
  }
  await model.adapt(undefined);
  expect([...(await model.encodeTile(pixels())).features]).toEqual([...plain.features]);
  await model.dispose();
  expect(runtime.aliveTensors).toBe(0);
  await runtime.dispose();
  // A base that sees pictures whole has no use for a newline.
  const { folder } = await randomAdapter(tiny, { newline: true });
  await expect(makeAdapter(folder, base)).rejects.toThrow(/brings image_newline, trained whole/);
});

describe("what does not fit is told, and changes nothing", () => {
  let runtime: Runtime;
  let model: Model;
  beforeAll(async () => {
    runtime = createNodeRuntime({ threads: 1 });
    model = await loadModel({ runtime, files: base.to.files, info: base.info, memoryBudget: 0, adaptable: true });
  });
  afterAll(async () => {
    await model.dispose();
    expect(runtime.aliveTensors).toBe(0);
    await runtime.dispose();
  });

  test("at run time: another base, a matrix that is not there, a data file that is cut off, a base without room", async () => {
    const { folder } = await randomAdapter(tiny);
    const good = await makeAdapter(folder, base);
    await model.adapt(good);
    const before = [...(await lastLogits(model, promptIds))];
    const alive = runtime.aliveTensors;
    const changed = (path: string, content: (bytes: Uint8Array<ArrayBuffer>) => BlobPart): AdapterPackage => ({
      info: good.info,
      files: {
        async blob(asked) {
          const blob = await good.files.blob(asked);
          return asked === path ? new Blob([content(new Uint8Array(await blob.arrayBuffer()))]) : blob;
        },
      },
    });
    const other = { ...good.info, adapter: { ...good.info.adapter, fits: "0".repeat(64), baseName: "Another" } };
    await expect(model.adapt({ info: other, files: good.files })).rejects.toThrow(
      /the adapter tiny-llava-lora belongs to Another, not to tiny-llava/,
    );
    await expect(model.adapt(changed("adapter.data", (bytes) => bytes.subarray(0, -64)))).rejects.toThrow(
      /adapter\.data has \d+ bytes, not \d+ or more/,
    );
    const renamed = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace("mlp.up_proj", "mlp.sideways_proj");
    const vast = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace('"rank":4', '"rank":4000000000');
    await expect(model.adapt(changed("adapter.json", vast))).rejects.toThrow(/adapter\.data has \d+ bytes, not \d+/);
    await expect(model.adapt(changed("adapter.json", (bytes) => bytes.subarray(9)))).rejects.toThrow(/is not JSON/);
    await expect(model.adapt(changed("adapter.json", renamed))).rejects.toThrow(/has no mlp\.sideways_proj/);
    await expect(model.adapt(changed("projector.onnx", (bytes) => bytes.subarray(0, 40)))).rejects.toThrow();
    expect(runtime.aliveTensors).toBe(alive);
    expect([...(await lastLogits(model, promptIds))]).toEqual(before);

    const unroomy = await loadModel({ runtime, files: plain.to.files, info: plain.info, memoryBudget: 0 });
    await expect(unroomy.adapt(good)).rejects.toThrow(/tiny-llava has no room for an adapter/);
    await unroomy.dispose();
  });

  test("when converting: no package, no room, other sizes, other ways of seeing, what only a merged one can", async () => {
    const { folder, files } = await randomAdapter(tiny);
    const to = memoryPackage();
    await expect(convertAdapter(folder, tiny, to)).rejects.toThrow(/no package .*--adaptable/);
    expect(to.state()).toBe("discarded");
    await expect(makeAdapter(folder, plain)).rejects.toThrow(/tiny-base has no room for an adapter.*--adaptable/);
    await expect(makeAdapter(memoryCheckpoint("x", new Map()), base)).rejects.toThrow(/x has no adapter_config\.json/);
    const withConfig = (config: object) =>
      memoryCheckpoint("own", new Map([...files, ["config.json", JSON.stringify(config)] as const]));
    const original = { model_type: "llava_llama", mm_vision_tower: "x", vocab_size: 1 };
    for (const [config, message] of [
      [{ image_aspect_ratio: "anyres" }, /sees pictures in tiles, unlike the package tiny-llava/],
      [{ mm_vision_select_layer: -1 }, /takes layer -1 of the vision tower/],
      [{ mm_use_im_start_end: true }, /marks pictures with other tokens/],
    ] as const) {
      await expect(makeAdapter(withConfig({ ...original, ...config }), base)).rejects.toThrow(message);
    }
    const padded = await makeAdapter(withConfig({ ...original, image_aspect_ratio: "square" }), base);
    expect(padded.info.model.imageAspect).toBe("crop");
    expect(padded.info.model.template).toBe("vicuna_v1");

    const { folder: wide } = await randomAdapter(
      memoryCheckpoint(
        "wide",
        new Map([
          [
            "config.json",
            new TextDecoder().decode(await (await tiny.open("config.json"))?.read(0, 2593)).replace("160", "192"),
          ],
        ]),
      ),
    );
    await expect(makeAdapter(wide, base)).rejects.toThrow(
      /as a matrix of \[192, 64\], and the one of tiny-llava has \[160, 64\]: it belongs to another base \(it was trained on tiny-llava\)/,
    );
    const pair = (module: string) =>
      new Map([
        [`base_model.model.${module}.lora_A.weight`, { shape: [4, 64], values: new Float32Array(256) }],
        [`base_model.model.${module}.lora_B.weight`, { shape: [64, 4], values: new Float32Array(256) }],
      ]);
    const norm = new Map([["base_model.model.model.norm.weight", { shape: [64], values: new Float32Array(64) }]]);
    for (const [path, tensors, message] of [
      ["adapter_model.safetensors", pair("lm_head"), /changes language_model\.lm_head\.weight, .*leave out --unmerged/],
      ["adapter_model.safetensors", new Map(), /changes no matrix of the language model/],
      [
        "non_lora_trainables.safetensors",
        norm,
        /brings language_model\.model\.norm\.weight, trained whole, .*--unmerged/,
      ],
    ] as const) {
      const from = memoryCheckpoint("x", new Map([...files, [path, encodeSafetensors(tensors)] as const]));
      await expect(makeAdapter(from, base)).rejects.toThrow(message);
    }
  });
});
