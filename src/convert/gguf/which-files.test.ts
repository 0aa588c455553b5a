import { expect, test } from "vitest";
import { ggufModels, splitOf } from "./which-files.ts";

const models = (...paths: string[]) => ggufModels(paths.map((path, i) => ({ path, bytes: 100 + i })));
const projectorsOf = (...paths: string[]) =>
  Object.fromEntries(models(...paths).map(({ name, projectors }) => [name, projectors.map(({ path }) => path)]));

test("names as people publish them: quantization, and the one projector for all", () => {
  const found = models(
    "README.md",
    "ggml-model-f16.gguf",
    "ggml-model-q4_k.gguf",
    "mmproj-model-f16.gguf",
    "ggml-model-q5_k.gguf",
  );
  expect(found.map(({ name, quantization }) => [name, quantization])).toEqual([
    ["ggml-model-f16", "F16"],
    ["ggml-model-q4_k", "Q4_K"],
    ["ggml-model-q5_k", "Q5_K"],
  ]);
  expect(found.every(({ projectors }) => projectors[0]?.path === "mmproj-model-f16.gguf")).toBe(true);
  const mistral = models(
    "llava-v1.6-mistral-7b.Q4_K_M.gguf",
    "llava-v1.6-mistral-7b.IQ4_NL.gguf",
    "llava-1.6-Q8_0.gguf",
  );
  expect(mistral.map(({ quantization }) => quantization)).toEqual(["Q8_0", "IQ4_NL", "Q4_K_M"]);
  expect(models("SmolLM2-135M.gguf")[0]).toMatchObject({ quantization: undefined, projectors: [], bytes: 100 });
});

test("16 bits come first among the projectors of one model", () => {
  expect(
    projectorsOf(
      "SmolVLM-256M-Instruct-Q8_0.gguf",
      "mmproj-SmolVLM-256M-Instruct-Q8_0.gguf",
      "mmproj-SmolVLM-256M-Instruct-f16.gguf",
    ),
  ).toEqual({
    "SmolVLM-256M-Instruct-Q8_0": ["mmproj-SmolVLM-256M-Instruct-f16.gguf", "mmproj-SmolVLM-256M-Instruct-Q8_0.gguf"],
  });
});

test("where several models lie together, a projector belongs to the one of its name, or to the one in its folder", () => {
  expect(projectorsOf("a-7b.Q4_0.gguf", "b-7b.Q4_0.gguf", "a-7b-mmproj-f16.gguf", "mmproj-b-7b-f16.gguf")).toEqual({
    "a-7b.Q4_0": ["a-7b-mmproj-f16.gguf"],
    "b-7b.Q4_0": ["mmproj-b-7b-f16.gguf"],
  });
  expect(projectorsOf("x/model.gguf", "x/mmproj.gguf", "y/model.gguf", "y/mmproj.gguf")["model"]).toHaveLength(1);
});

test("the parts of a split model are one model, and those that are not there are told", () => {
  const parts = [1, 2, 3].map((i) => `big-Q8_0-0000${i}-of-00003.gguf`);
  expect(splitOf(parts[1] ?? "")).toEqual({ name: "big-Q8_0", parts });
  const [whole, ...others] = models(...parts.toReversed(), "mmproj-big-f16.gguf");
  expect(others).toEqual([]);
  expect(whole).toMatchObject({ name: "big-Q8_0", quantization: "Q8_0", missing: [], bytes: 303 });
  expect(whole?.files.map(({ path }) => path)).toEqual(parts);
  expect(models(parts[0] ?? "")[0]?.missing).toEqual(parts.slice(1));
});

test("importance matrices and vocabularies are no models", () => {
  expect(models("model.imatrix.gguf", "ggml-vocab-llama.gguf")).toEqual([]);
});
