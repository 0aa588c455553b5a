import { expect, test } from "vitest";
import { bestModelFor } from "./best-model.ts";
import {
  costOf,
  fitOf,
  parametersOfRecord,
  repositoriesOf,
  runsInTransformersJs,
  zoo,
  zooModels,
  zooRecord,
} from "./zoo.ts";

test("every record names repositories, a license, a base, and has an id of its own", () => {
  for (const { id, sources, license, base, scores, scoresFrom } of zoo) {
    for (const { repository } of sources) expect(repository, id).toMatch(/^[\w.-]+\/[\w.-]+$/);
    expect(license, id).not.toBe("");
    expect(base, id).not.toBe("");
    // A score without a source would be a claim of ours.
    if (scores !== undefined) expect(scoresFrom, id).toBeDefined();
  }
  expect(new Set(zoo.map(({ id }) => id)).size).toBe(zoo.length);
  expect(new Set(zoo.map(({ name }) => name)).size).toBe(zoo.length);
});

test("every model that runs in this engine has a shape, from which its cost is told before anything is asked of the hub", () => {
  for (const record of zooModels) {
    if (!runsInTransformersJs(record)) expect(record.shape, record.id).toBeDefined();
    for (const source of record.sources) {
      const { fetched, kept } = costOf(record, source, "cpu");
      expect(fetched, record.id).toBeGreaterThan(1e8);
      expect(kept, record.id).toBeGreaterThan(1e8);
    }
  }
});

test("the parts of models name what they are put together with", () => {
  for (const { id, kind, sources } of zoo) {
    if (kind === "model") continue;
    const [source] = sources;
    expect("base" in source && source.base, id).toMatch(/^[\w.-]+\/[\w.-]+$/);
  }
});

test("a 7B model in the usual bits takes about 4.7 GB, from 14.1 GB, or from a third of that in GGUF", () => {
  const record = zooRecord("llava-1.5-7b");
  if (record === undefined) throw new Error("no record");
  const costs = record.sources.map((source) => {
    const { fetched, kept, known } = costOf(record, source, "gpu-f16");
    return [source.format, Math.round(fetched / 1e8), Math.round(kept / 1e8), known];
  });
  expect(costs).toEqual([
    ["gguf", 45, 46, "exactly"],
    ["safetensors", 141, 47, "exactly"],
  ]);
  expect(Math.round((parametersOfRecord(record) ?? 0) / 1e8)).toBe(71);
});

test("a record is found by its id and by its repository, and what the zoo does not know stays as it was typed", () => {
  expect(zooRecord("llava-1.5-7b")).toBe(zooRecord("llava-hf/llava-1.5-7b-hf"));
  expect(repositoriesOf("llava-1.5-7b")).toEqual(["second-state/Llava-v1.5-7B-GGUF", "llava-hf/llava-1.5-7b-hf"]);
  expect(repositoriesOf("someone/something")).toEqual(["someone/something"]);
});

test("whether a model fits is told from its shape", () => {
  const verdict = (id: string, device: Parameters<typeof fitOf>[1]) => {
    const record = zooRecord(id);
    return record && fitOf(record, device);
  };
  expect(verdict("llava-1.5-7b", { memoryBytes: 8 * gigabyte, gpu: gpu(2 * gigabyte) })?.verdict).toBe("fits");
  expect(verdict("llava-1.6-34b", { memoryBytes: 16 * gigabyte, gpu: gpu(2 * gigabyte) })?.reasons).toEqual(["memory-too-small"]); // prettier-ignore
  expect(verdict("llava-1.5-7b", { memoryBytes: 16 * gigabyte })?.reasons).toEqual(["slow-without-gpu"]);
  expect(verdict("bunny-llama-3-8b", { gpu: gpu(gigabyte / 4) })?.reasons).toEqual(["buffer-too-small"]);
});

const gigabyte = 2 ** 30;
const gpu = (maxBufferBytes: number, shaderF16 = true) => ({ maxBufferBytes, shaderF16 });

test.each([
  ["no GPU", {}, "smolvlm-256m"],
  ["no GPU, much memory", { memoryBytes: 64 * gigabyte }, "smolvlm-256m"],
  ["a phone's GPU", { gpu: gpu(gigabyte / 4), memoryBytes: 8 * gigabyte }, "smolvlm-500m"],
  ["a GPU without 16 bits", { gpu: gpu(4 * gigabyte - 4, false), memoryBytes: 32 * gigabyte }, "smolvlm-500m"],
  ["a machine of 4 GB", { gpu: gpu(2 * gigabyte - 4), memoryBytes: 4 * gigabyte }, "smolvlm-500m"],
  ["a GPU in a browser that tells no memory", { gpu: gpu(4 * gigabyte - 4) }, "llava-onevision-0.5b"],
  ["a laptop of 8 GB", { gpu: gpu(2 * gigabyte - 4), memoryBytes: 8 * gigabyte }, "llava-onevision-0.5b"],
  ["a desktop of 16 GB", { gpu: gpu(2 * gigabyte - 4), memoryBytes: 16 * gigabyte }, "llava-1.6-mistral-7b"],
  ["a desktop of 32 GB", { gpu: gpu(4 * gigabyte - 4), memoryBytes: 32 * gigabyte }, "llava-1.6-mistral-7b"],
])("the best model for %s", (_, device, id) => {
  expect(bestModelFor(device).id).toBe(id);
});
