// Looked-up embeddings beside ONNX Runtime on the same graphs.
import { expect, test } from "vitest";
import { openEmbed } from "#engine/model/kernel-load.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { convert } from "#convert/convert.ts";
import { memoryCheckpoint, memoryPackage, tiny, tinyFiles, tinyTensors } from "#testing/fixtures.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";

async function converted(bits: Bits) {
  const to = memoryPackage();
  const info = await convert(memoryCheckpoint("tiny", tinyFiles(tinyTensors())), to, {
    bits: { vision: 32, embed: bits, decoder: 32 },
  });
  return { graph: info.graphs.embed, files: to.files };
}

test.each([4, 8] as const)("rows at %i bits are the runtime's, to the last bit", async (bits) => {
  const { graph, files } = await converted(bits);
  const runtime = createNodeRuntime({ threads: 1 });
  const data = await Promise.all(
    graph.data.map(async (path) => ({ path: path.split("/").at(-1) ?? "", data: await files.blob(path) })),
  );
  const session = await runtime.createSession({ graph: await files.blob(graph.path), data }, []);
  const ids = Array.from({ length: tiny.text.vocab }, (_, i) => tiny.text.vocab - 1 - i);
  const input = runtime.tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const outputs = await session.run({ input_ids: input });
  const rows = outputs.get("inputs_embeds");
  const table = await openEmbed(graph, files);
  expect(table?.rows(ids)).toEqual(rows && (await runtime.read(rows)));
  for (const id of [-1, tiny.text.vocab]) expect(() => table?.rows([id])).toThrow(`there is no token ${id}`);
  for (const tensor of [input, ...outputs.values()]) tensor.dispose();
  await session.release();
});

test.each([16, 32] as const)("a table at %i bits is the runtime's to look up", async (bits) => {
  const { graph, files } = await converted(bits);
  expect(await openEmbed(graph, files)).toBeUndefined();
});
