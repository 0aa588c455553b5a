// The engine against the PyTorch reference: golden vectors of a tiny checkpoint, whose maker is training/make_golden.py.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { memoryPackage } from "#testing/fixtures.ts";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import type { Manifest } from "#weights/manifest.ts";
import { preprocess } from "#engine/picture/image.ts";
import { decodeLast } from "#engine/decoder/decoder.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import { renderPrompt } from "#engine/text/prompt.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import { argmax } from "#engine/text/sampler.ts";
import type { PackageFiles, Pixels } from "./types.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const fixtures = new URL("../../training/fixtures/", import.meta.url);
const readGolden = <T extends v.GenericSchema>(name: string, schema: T): v.InferOutput<T> =>
  v.parse(schema, JSON.parse(readFileSync(new URL(name, fixtures), "utf8")));
const numbers = v.array(v.number());
const golden = readGolden(
  "tiny-llava.golden.json",
  v.object({
    features: numbers,
    prompts: v.array(
      v.object({
        width: v.number(),
        height: v.number(),
        prompt: v.string(),
        ids: numbers,
        positions: numbers,
        logits: numbers,
        greedy: numbers,
      }),
    ),
  }),
);

function formulaPicture(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 4 + c] = (7 * x + 13 * y + 29 * c) % 256;
    }
  }
  return { width, height, data };
}

const worst = (actual: readonly number[], expected: readonly number[]): number =>
  expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] ?? NaN))), 0);

const wasmFolder = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url).href;
const runtimes: readonly [string, () => Promise<Runtime>][] = [
  ["Node", () => Promise.resolve(createNodeRuntime())],
  ["WASM", () => createWasmRuntime({ runtimeUrl: wasmFolder })],
];

describe.each(runtimes)("the 32-bit package on %s", (_, makeRuntime) => {
  let info: Manifest;
  let files: PackageFiles;
  let model: Model;
  beforeAll(async () => {
    const to = memoryPackage();
    info = await convert(checkpointFolder(fileURLToPath(new URL("tiny-llava", fixtures))), to, {
      bits: { vision: 32, embed: 32, decoder: 32 },
      template: "vicuna_v1",
    });
    files = to.files;
    model = await loadModel({ runtime: await makeRuntime(), files, info, memoryBudget: 0 });
  });

  test("image features are those of the reference", async () => {
    const [first] = golden.prompts;
    const pixels = formulaPicture(first?.width ?? 0, first?.height ?? 0);
    const { features } = await model.encodeImage(preprocess(pixels, "pad", model.config.preprocess));
    const actual = [...(await model.runtime.read(features))];
    features.dispose();
    expect(actual).toHaveLength(golden.features.length);
    expect(worst(actual, golden.features)).toBeLessThan(1e-3);
  });

  test.each(golden.prompts)("prompt, ids, logits and greedy answer: $width × $height", async (expected) => {
    const question = /<image>\n(.*) ASSISTANT:$/.exec(expected.prompt)?.[1] ?? "";
    const { text } = renderPrompt(
      [
        {
          role: "user",
          parts: [
            { type: "image", blob: new Blob() },
            { type: "text", text: question },
          ],
        },
      ],
      { ...model.config, template: info.model.template, defuse: (raw) => model.tokenizer.defuse(raw) },
    );
    expect(text).toBe(expected.prompt);
    const ids = model.tokenizer.encode(text);
    expect(ids).toEqual(expected.ids);

    const { imageTokenId } = model.config;
    const cache = model.decoder.createCache(512);
    const image = preprocess(formulaPicture(expected.width, expected.height), "pad", model.config.preprocess);
    const { features } = await model.encodeImage(image);
    const at = ids.indexOf(imageTokenId);
    const words = await model.embed(ids.filter((id) => id !== imageTokenId));
    const embeds = model.concat([
      { tensor: words, start: 0, rows: at },
      { tensor: features, start: 0, rows: info.model.imageTokens },
      { tensor: words, start: at, rows: ids.length - at - 1 },
    ]);
    const slots = ids.flatMap((id) => (id === imageTokenId ? Array<number>(info.model.imageTokens).fill(-1) : [id]));
    let logits = await decodeLast(model.decoder, embeds, slots, cache);
    const picked = expected.positions.map((position) => logits[position] ?? NaN);
    expect(worst(picked, expected.logits)).toBeLessThan(1e-3);

    const greedy: number[] = [];
    while (greedy.length < expected.greedy.length) {
      const token = argmax(logits);
      greedy.push(token);
      const embedded = await model.embed([token]);
      logits = await decodeLast(model.decoder, embedded, [token], cache);
      embedded.dispose();
    }
    expect(greedy).toEqual(expected.greedy);
    for (const tensor of [features, words, embeds]) tensor.dispose();
    cache.dispose();
    expect(model.runtime.aliveTensors).toBe(0);
  });
});
