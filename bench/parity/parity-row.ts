// How far the converter and the engine are from PyTorch on one tiny checkpoint of a LLaVA architecture, step by step: pixels, token ids,
// picture features, logits, greedy answer. The reference is what training/make_family_golden.py and make_smolvlm_golden.py wrote.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { formulaPixels } from "#testing/formula-picture.ts";
import { largestDifference } from "#testing/graph-runner.ts";
import { placePictures, spellPictures } from "#engine/layout.ts";
import { prefillChunk } from "#engine/prefill.ts";
import { anyresTiles } from "#engine/picture/anyres.ts";
import { createImageFeatures } from "#engine/model/image-features.ts";
import { normalise, preprocess } from "#engine/picture/image.ts";
import { cutSquares } from "#engine/picture/squares.ts";
import { decodeLast } from "#engine/decoder/decoder.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import type { PackageInfo } from "#engine/package.ts";
import type { Picture } from "#engine/encode-picture.ts";
import { createPictures } from "#engine/pictures.ts";
import { renderPrompt } from "#engine/text/prompt.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { ImagePart, Pixels } from "#engine/types.ts";

/** A family's checkpoint in one of its layouts; the tower's folder where the checkpoint lacks it, the files where it is GGUF. */
export interface ParityCase {
  readonly architecture: string;
  readonly layout: "Hugging Face" | "original" | "GGUF";
  readonly checkpoint: string;
  readonly tower?: string;
  readonly gguf?: readonly string[];
  /** "vicuna_v1" by default. */
  readonly template?: string;
}

export interface ParityRow {
  readonly prompts: number;
  /** Largest difference of a pixel, black being 0 and white 1. */
  readonly pixels: number;
  /** Token ids of all prompts, and how many rows each picture takes. */
  readonly ids: boolean;
  readonly features: number;
  readonly logits: number;
  /** Greedy answers that are the reference's, token by token. */
  readonly greedy: boolean;
  /** Share of the reference's greedy tokens that 4-bit weights choose as well, given the tokens before. */
  readonly greedy4: number;
}

const both = [
  "llava-1.5",
  "llava-1.6-vicuna",
  "llava-onevision",
  "llava-phi-3",
  "bakllava",
  "llava-qwen3",
  "llava-gemma-4.39",
  "vip-llava",
];
const huggingFace = [
  "llava-1.6-mistral",
  "llava-1.6-34b",
  "llava-interleave",
  "llava-phi-3-128k",
  "llava-gemma",
  "llava-gemma-2",
  "llava-several-layers",
];
const originalOnly = ["llava-llama-2", "llava-v0"];
/** Those of `gguf-…` have references of their own. */
const ggufs = [
  "llava-1.5",
  "llava-1.6-vicuna",
  "llava-1.6-mistral",
  "llava-1.6-34b",
  "llava-interleave",
  "llava-phi-3",
  "llava-phi-3-128k",
  "llava-gemma-4.39",
  "smolvlm",
  "smolvlm2",
  "gguf-mixed",
  "gguf-qwen3",
  "gguf-gemma-2",
  "gguf-llama-3",
  "gguf-linear",
];

/** Every architecture in every layout it is published in. */
export const parityCases: readonly ParityCase[] = [
  ...[...both, ...huggingFace].map((name) => ({
    architecture: name,
    layout: "Hugging Face" as const,
    checkpoint: name,
  })),
  ...[...both, ...originalOnly].map((name) => ({
    architecture: name,
    layout: "original" as const,
    checkpoint: `${name}.original`,
    tower: `${name}.tower`,
  })),
  ...["smolvlm", "smolvlm2"].map((name) => ({
    architecture: name,
    layout: "Hugging Face" as const,
    checkpoint: name,
    template: "chat_template",
  })),
  ...ggufs.map((name) => ({
    architecture: name,
    layout: "GGUF" as const,
    checkpoint: "../gguf",
    gguf: ["gguf", "mmproj.gguf"].map((ending) => `${name.replace("gguf-", "")}.${ending}`),
    ...(name.startsWith("smolvlm") ? { template: "chat_template" } : {}),
  })),
].sort((a, b) => a.architecture.localeCompare(b.architecture));

/** Whether a row is as close as a right engine is; the reference's numbers are rounded at the fourth or fifth place. */
export function passes(row: ParityRow): boolean {
  return row.ids && row.greedy && row.pixels < 1e-4 && row.features < 1e-3 && row.logits < 1e-3;
}

const numbers = v.array(v.number());
const GoldenPrompt = v.object({
  detail: v.optional(v.picklist(["quick", "every"]), "every"),
  pictures: v.array(v.tuple([v.number(), v.number()])),
  ids: numbers,
  rows: numbers,
  tiles: numbers,
  pixels: v.array(numbers),
  features: v.array(numbers),
  logits: numbers,
  greedy: numbers,
});
type GoldenPrompt = v.InferOutput<typeof GoldenPrompt>;
const Golden = v.object({ prompts: v.array(GoldenPrompt) });

/** Every how many numbers the reference keeps one. */
const steps = { pixels: 389, features: 11, logits: 2 };

const families = new URL("../../training/fixtures/families/", import.meta.url);

/** Converts the checkpoint and compares it with the reference. */
export async function measureParity(item: ParityCase): Promise<ParityRow> {
  const golden = v.parse(
    Golden,
    JSON.parse(await readFile(new URL(`${item.architecture}.golden.json`, families), "utf8")),
  );
  const exact = await load(item, 32);
  const rows: PromptParity[] = [];
  for (const prompt of golden.prompts) rows.push(await measurePrompt(exact, prompt));
  await exact.model.dispose();
  const coarse = await load(item, 4);
  let [same, all] = [0, 0];
  for (const prompt of golden.prompts) {
    const { chosen } = await measurePrompt(coarse, prompt);
    same += chosen.filter((id, i) => id === prompt.greedy[i]).length;
    all += prompt.greedy.length;
  }
  await coarse.model.dispose();
  const worst = (of: (row: PromptParity) => number): number => Math.max(...rows.map(of));
  return {
    prompts: rows.length,
    pixels: worst((row) => row.pixels),
    ids: rows.every((row) => row.ids),
    features: worst((row) => row.features),
    logits: worst((row) => row.logits),
    greedy: rows.every((row, i) => sameNumbers(row.chosen, golden.prompts[i]?.greedy ?? [])),
    greedy4: same / all,
  };
}

interface Loaded {
  readonly model: Model;
  readonly info: PackageInfo;
}

async function load(item: ParityCase, bits: 4 | 32): Promise<Loaded> {
  const folder = (name: string) => checkpointFolder(fileURLToPath(new URL(name, families)));
  const to = memoryPackage();
  const info = await convert(folder(item.checkpoint), to, {
    bits: { vision: bits === 4 ? 8 : bits, embed: bits === 4 ? 8 : bits, decoder: bits },
    template: item.template ?? "vicuna_v1",
    more: { vision: item.tower === undefined ? undefined : folder(item.tower), gguf: item.gguf },
  });
  const runtime = createNodeRuntime({ threads: 1 });
  return { info, model: await loadModel({ runtime, files: to.files, info, memoryBudget: 0 }) };
}

interface PromptParity {
  readonly pixels: number;
  readonly ids: boolean;
  readonly features: number;
  readonly logits: number;
  /** What the model finds likeliest at each place of the reference's greedy answer, given the reference's tokens before. */
  readonly chosen: readonly number[];
}

async function measurePrompt({ model, info }: Loaded, golden: GoldenPrompt): Promise<PromptParity> {
  const { config, tokenizer, runtime } = model;
  const parts = golden.pictures.map(([width, height]): ImagePart => ({
    type: "image",
    blob: formulaFile(width, height),
  }));
  const prompt = renderPrompt([{ role: "user", parts: [...parts, { type: "text", text: "What is this?" }] }], {
    template: info.model.template,
    chatTemplate: config.chatTemplate,
    bosToken: config.bosToken,
    eosToken: config.eosToken,
    imageMarks: config.imageMarks,
    defuse: (text) => text,
  });
  const pictures = createPictures({ model, ...info.model, decodeImage: formulaPicture });
  const clock = { imageMs: 0, visionMs: 0 };
  const shown = await pictures.measure(prompt.images, { mode: "auto", detail: golden.detail }, clock);
  const ids = tokenizer.encode(spellPictures(prompt.text, shown));
  const numberOf = (key: string): number => -1 - shown.findIndex((picture) => picture.key === key);
  const { slots, placed } = placePictures(ids, config.imageTokenId, shown, numberOf);

  const features = createImageFeatures(Infinity);
  let [pixelsWorst, featuresWorst] = [0, 0];
  for (const [i, picture] of shown.entries()) {
    const pixels = (await tilePixels(picture, model)).flatMap((tile) => [...tile]);
    const wide = Math.max(...config.preprocess.std);
    const difference = largestDifference(every(pixels, steps.pixels), golden.pixels[i] ?? []);
    pixelsWorst = Math.max(pixelsWorst, difference * wide);
    const encoding = pictures.encode(picture, clock);
    let step = await encoding.next();
    while (step.done !== true) step = await encoding.next();
    features.put(picture.key, step.value.features);
    const rows = every([...(await runtime.read(step.value.features))], steps.features);
    featuresWorst = Math.max(featuresWorst, largestDifference(rows, golden.features[i] ?? []));
  }

  const cache = model.decoder.createCache(info.model.contextLength);
  let logits = await prefillChunk({ model, cache, features, slots, placed }, 0, slots.length);
  const logitsWorst = largestDifference(every([...logits], steps.logits), golden.logits);
  const chosen: number[] = [];
  for (const id of golden.greedy) {
    chosen.push(likeliest(logits));
    const embeds = await model.embed([id]);
    logits = await decodeLast(model.decoder, embeds, [id], cache);
    embeds.dispose();
  }
  cache.dispose();
  features.dispose();
  return {
    pixels: pixelsWorst,
    ids: sameNumbers(ids, golden.ids) && sameNumbers(shown.map(({ rows }) => rows), golden.rows), // prettier-ignore
    features: featuresWorst,
    logits: logitsWorst,
    chosen,
  };
}

async function tilePixels({ shape, blob }: Picture, { config }: Model): Promise<Float32Array[]> {
  const pixels = await formulaPicture(blob);
  if (typeof shape === "string") return [preprocess(pixels, shape, config.preprocess)];
  const tiles = "spelling" in shape ? cutSquares(pixels, shape) : anyresTiles(pixels, shape);
  return tiles.map((rgb) => normalise(rgb, config.preprocess));
}

/** Stands for the file of a picture that is made by formula. */
function formulaFile(width: number, height: number): Blob {
  return new Blob([JSON.stringify([width, height])]);
}

async function formulaPicture(file: Blob): Promise<Pixels> {
  return formulaPixels(...v.parse(v.tuple([v.number(), v.number()]), JSON.parse(await file.text())));
}

function every(values: readonly number[], step: number): number[] {
  return values.filter((_, i) => i % step === 0);
}

function likeliest(logits: Float32Array): number {
  return logits.reduce((best, value, i) => (value > (logits[best] ?? -Infinity) ? i : best), 0);
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
