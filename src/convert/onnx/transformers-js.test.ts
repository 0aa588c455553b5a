// A package made here also runs in transformers.js itself, and answers the same.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { env, LlavaForConditionalGeneration, Tensor } from "@huggingface/transformers";
import * as node from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { randomNumbers, tiny, tinyFiles } from "#testing/fixtures.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { greedyIds, promptRows, runGraphs } from "#testing/graph-runner.ts";

const image = 4;
const ids = [1, 7, 9, image, image, image, image, 20, 33, 41, 70];
const newTokens = 16;
const shape = { layers: tiny.text.layers, kvHeads: tiny.text.kvHeads, headSize: tiny.text.headSize };

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "llava-tfjs-"));
  for (const [path, content] of tinyFiles()) await writeFile(join(root, path), content);
  env.localModelPath = dirname(root);
  env.allowRemoteModels = false;
});
afterAll(() => rm(root, { recursive: true }));

test.each([
  [32, 32],
  [4, 8],
] as const)(
  "a package with a %i-bit decoder and %i-bit vision and embeddings continues as on bare ONNX Runtime",
  async (decoder, others) => {
    const folder = join(root, `package-${decoder}`);
    const to = await packageFolder(folder, { force: true });
    const { files } = to;
    const random = randomNumbers(5);
    const side = tiny.vision.image;
    const pixels = Float32Array.from({ length: 3 * side * side }, () => random() * 2 - 1);

    // The runner reads the package while it is still being written, just before it moves to its place.
    let expected: number[] = [];
    await convert(
      checkpointFolder(root),
      {
        ...to,
        async commit() {
          const manifest = JSON.parse(await (await files.blob("manifest.json")).text()) as never;
          const runner = await runGraphs(node, manifest, files, shape);
          const rows = await promptRows(runner, ids, image, await runner.features(pixels, side));
          expected = await greedyIds(runner, rows, ids.length, newTokens);
          await runner.release();
          await to.commit();
        },
      },
      { bits: { vision: others, embed: others, decoder } },
    );

    const model = await LlavaForConditionalGeneration.from_pretrained(`${basename(root)}/${basename(folder)}`, {
      device: "cpu",
    });
    const output: unknown = await model.generate({
      input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
      pixel_values: new Tensor("float32", pixels, [1, 3, side, side]),
      max_new_tokens: newTokens,
      do_sample: false,
    });
    await model.dispose();
    if (!(output instanceof Tensor)) throw new Error("no ids came back");
    expect(Array.from(output.data, Number)).toEqual([...ids, ...expected]);
  },
);
