import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { elementsOf } from "#convert/checkpoint/checkpoint.ts";
import { applyDelta, checkBase, describeBase, makeDelta } from "./delta.ts";
import { encodeSafetensors, memoryCheckpoint, type TensorData } from "#testing/fixtures.ts";
import { encodeFloats } from "#formats/float.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { openCheckpoint, openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";

const fixtures = fileURLToPath(new URL("../../../training/fixtures/weights/", import.meta.url));
const base = await openCheckpoint(checkpointFolder(`${fixtures}base`));
const delta = await openCheckpoint(checkpointFolder(`${fixtures}delta`));
const golden = async (name: string): Promise<Checkpoint> => {
  const found = await openTensorFile(checkpointFolder(fixtures), [name]);
  if (!found) throw new Error(`no ${name}`);
  return found;
};

/** Every tensor as the half-precision numbers that would be written, read in runs of `step` elements. */
async function halves(checkpoint: Checkpoint, step = 1e9): Promise<Record<string, number[]>> {
  const out: Record<string, number[]> = {};
  for (const [name, tensor] of [...checkpoint.tensors].sort()) {
    const bits: number[] = [];
    const total = elementsOf(tensor.shape);
    for (let start = 0; start < total; start += step) {
      const bytes = encodeFloats(await tensor.read(start, Math.min(step, total - start)), "F16");
      bits.push(...new Uint16Array(bytes.buffer).map((value) => (value === 0x8000 ? 0 : value)));
    }
    out[name] = bits;
  }
  return out;
}

test("delta + base is what PyTorch makes of it, bit by bit, also with grown tables and however it is read", async () => {
  const expected = await halves(await golden("applied.safetensors"));
  const applied = applyDelta(base, delta);
  expect(applied.tensor("model.embed_tokens.weight", [23, 16]).dtype).toBe("F16");
  expect(await halves(applied)).toEqual(expected);
  expect(await halves(applied, 37)).toEqual(expected);
  await checkBase(base, delta, undefined);
});

test("target − base is the delta that PyTorch makes, bit by bit", async () => {
  expect(await halves(makeDelta(base, await golden("target.safetensors")))).toEqual(await halves(delta));
});

describe("what does not belong together is refused", () => {
  const given = (tensors: Record<string, TensorData>) =>
    openCheckpoint(
      memoryCheckpoint("c", new Map([["model.safetensors", encodeSafetensors(new Map(Object.entries(tensors)))]])),
    );
  const filled = (shape: number[], value = 1): TensorData => ({
    shape,
    values: new Float32Array(elementsOf(shape)).fill(value),
  });
  const small = given({ "model.norm.weight": filled([4]), "lm_head.weight": filled([2, 4]) });

  test.each<[string, Record<string, TensorData>, RegExp]>([
    [
      "a tensor of another width",
      { "model.norm.weight": filled([5]), "lm_head.weight": filled([2, 4]) },
      /model\.norm\.weight has shape \[5\] in the delta and \[4\] in the base: is it another base\?/,
    ],
    [
      "a table that has shrunk",
      { "model.norm.weight": filled([4]), "lm_head.weight": filled([1, 4]) },
      /lm_head\.weight has shape \[1, 4\] in the delta/,
    ],
    [
      "a missing tensor",
      { "model.norm.weight": filled([4]) },
      /the delta has no tensor lm_head\.weight, which its base has/,
    ],
    [
      "a layer that the base lacks",
      { "model.norm.weight": filled([4]), "lm_head.weight": filled([2, 4]), "model.layers.9.x": filled([1]) },
      /the base has no tensor model\.layers\.9\.x, which the delta has/,
    ],
  ])("%s", async (_what, tensors, message) => {
    const [below, above] = [await small, await given(tensors)];
    expect(() => applyDelta(below, above)).toThrow(message);
  });

  test("a base other than the one that a delta notes", async () => {
    const note: unknown = JSON.parse(await describeBase(base, "vicuna"));
    await checkBase(base, delta, note);
    await expect(checkBase(await small, delta, note)).rejects.toThrow(
      /made from vicuna, and the base given has other weights/,
    );
    await expect(checkBase(base, delta, { version: 2 })).rejects.toThrow(/delta\.json is not a note/);
  });

  test("a whole model in the place of a delta", async () => {
    await expect(checkBase(base, await golden("target.safetensors"), undefined)).rejects.toThrow(
      /weights of a whole model/,
    );
  });
});
