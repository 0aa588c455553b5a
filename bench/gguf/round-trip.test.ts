// A package, written as llama.cpp's two files and converted back, answers as it did.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { formulaPixels } from "#testing/formula-picture.ts";
import { answersOf } from "#testing/answer.node.ts";
import { memoryCheckpoint, memoryPackage } from "#testing/fixtures.ts";
import { ggufOf } from "./gguf-of-package.ts";
import { mmprojOf } from "./mmproj-of-package.ts";

const fixture = async (name: string) =>
  new Uint8Array(await readFile(new URL(`../../training/fixtures/gguf/${name}`, import.meta.url)));
const bytesOf = async (file: Blob | undefined) => new Uint8Array((await file?.arrayBuffer()) ?? new ArrayBuffer(0));
const sizes = [[32, 32], [64, 48], [41, 97], [1, 1]] as const; // prettier-ignore

async function converted(model: Uint8Array<ArrayBuffer>, mmproj: Uint8Array<ArrayBuffer>, keeps: boolean) {
  const files = new Map([["model.gguf", model], ["mmproj.gguf", mmproj]]); // prettier-ignore
  const to = memoryPackage();
  const folder = { ...memoryCheckpoint("mixed", files), names: () => Promise.resolve([...files.keys()]) };
  const bits = { vision: 8, embed: 8, decoder: 4 } as const;
  const keep = { vision: keeps, embed: keeps, decoder: keeps };
  return { to, info: await convert(folder, to, { bits, keep, template: "vicuna_v1" }) };
}

/** A picture's file is its number. */
const questions = [...sizes.keys()].map((n) => ({ picture: new Blob([String(n)]), text: "What is this?" }));
const decodeImage = async (file: Blob) => {
  const [width, height] = sizes[Number(await file.text())] ?? sizes[0];
  return formulaPixels(width, height);
};

test("a package, and the GGUF files that were written from it, give the same answers", async () => {
  const { to, info } = await converted(await fixture("mixed.gguf"), await fixture("mixed.mmproj.gguf"), false);
  const given = { files: to.files, info };
  const back = await converted(await bytesOf(await ggufOf(given)), await bytesOf(await mmprojOf(given)), true);
  const answers = await answersOf(to, info, questions, { decodeImage, tokens: 24 });
  expect(new Set(answers).size).toBeGreaterThan(1);
  expect(await answersOf(back.to, back.info, questions, { decodeImage, tokens: 24 })).toEqual(answers);
});
