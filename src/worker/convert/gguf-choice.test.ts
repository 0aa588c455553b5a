import { expect, test } from "vitest";
import type { DeviceFacts } from "#weights/fit.ts";
import { ggufChoices } from "./gguf-choice.ts";

const gigabyte = 2 ** 30;
const gpu = { maxBufferBytes: 2 * gigabyte, shaderF16: true };

/** Sizes in GB of files by their names. */
async function choose(sizes: Readonly<Record<string, number>>, device: DeviceFacts) {
  const source = (bytes: number) => ({ bytes, read: () => Promise.reject(new Error("nothing is read")) });
  return ggufChoices(
    {
      name: "x",
      open: (path) => Promise.resolve(path in sizes ? source((sizes[path] ?? 0) * 1e9) : undefined),
      names: () => Promise.resolve(Object.keys(sizes)),
    },
    device,
  );
}
const recommendedOf = async (...given: Parameters<typeof choose>) =>
  (await choose(...given)).filter(({ recommended }) => recommended).map(({ quantization }) => quantization);

/** As second-state/Llava-v1.5-7B-GGUF has them. */
const sevenB = {
  "README.md": 0.001,
  "llava-v1.5-7b-Q2_K.gguf": 2.53,
  "llava-v1.5-7b-Q4_0.gguf": 3.83,
  "llava-v1.5-7b-Q4_K_M.gguf": 4.08,
  "llava-v1.5-7b-Q8_0.gguf": 7.16,
  "llava-v1.5-7b-mmproj-model-f16.gguf": 0.624,
};

test("every quantization is offered with its projector and what it costs, the smallest first", async () => {
  const choices = await choose(sevenB, { memoryBytes: 16 * gigabyte, gpu });
  expect(choices.map(({ quantization }) => quantization)).toEqual(["Q2_K", "Q4_0", "Q4_K_M", "Q8_0"]);
  expect(choices[1]).toMatchObject({
    name: "llava-v1.5-7b-Q4_0",
    weights: ["llava-v1.5-7b-Q4_0.gguf", "llava-v1.5-7b-mmproj-model-f16.gguf"],
    fetchBytes: 4.454e9,
  });
  expect(choices[1]?.keepBytes).toBeGreaterThan(4.4e9);
  expect(choices[1]?.keepBytes).toBeLessThan(4.8e9);
});

test("of a large model about 5 bits are recommended, less where those don't fit, and the smallest where nothing does", async () => {
  expect(await recommendedOf(sevenB, { memoryBytes: 16 * gigabyte, gpu })).toEqual(["Q4_K_M"]);
  const small = { memoryBytes: 7.5 * gigabyte, gpu };
  // Blocks of Q2_K take more room in a package than those of Q4_0.
  const verdicts = (await choose(sevenB, small)).map(({ quantization, fit }) => [quantization, fit.verdict]);
  expect(verdicts).toEqual([["Q2_K", "wont-fit"], ["Q4_0", "fits"], ["Q4_K_M", "tight"], ["Q8_0", "wont-fit"]]); // prettier-ignore
  expect(await recommendedOf(sevenB, small)).toEqual(["Q4_0"]);
  expect(await recommendedOf(sevenB, { memoryBytes: 2 * gigabyte, gpu })).toEqual(["Q4_0"]);
});

test("of a small model 8 bits are recommended; what can't be read or has no projector is left out", async () => {
  const small = { "a-Q4_K_M.gguf": 0.1, "a-Q8_0.gguf": 0.175, "a-IQ2_XS.gguf": 0.08, "mmproj-a-f16.gguf": 0.19 };
  expect(await recommendedOf(small, { memoryBytes: 8 * gigabyte, gpu })).toEqual(["Q8_0"]);
  expect(await choose(small, {})).toHaveLength(2);
  expect(await choose({ "a-Q8_0.gguf": 1, "b-00001-of-00002.gguf": 1 }, {})).toEqual([]);
});
