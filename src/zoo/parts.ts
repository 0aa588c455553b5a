// What LLaVA's model zoo holds beside whole models: its first generations, adapters, deltas and pretrained projectors. Data only.
import type { CheckpointSource, Kind, ZooRecord } from "./record.ts";
import type { DecoderShape, ModelShape } from "./shape.ts";
import { clip224, clip336, llama13, llama7 } from "./shapes.ts";

const owner = "liuhaotian";
const clip336Tower = "openai/clip-vit-large-patch14-336";
const clip224Tower = "openai/clip-vit-large-patch14";
/** A language model with the tower and the projector of a generation. */
const mlp336 = (decoder: DecoderShape) => ({ tower: clip336Tower, shape: { tower: clip336, decoder, projector: "mlp2x" } }) as const; // prettier-ignore
const linear336 = (decoder: DecoderShape) => ({ tower: clip336Tower, shape: { tower: clip336, decoder, projector: "linear" } }) as const; // prettier-ignore
const linear224 = (decoder: DecoderShape) => ({ tower: clip224Tower, shape: { tower: clip224, decoder, projector: "linear" } }) as const; // prettier-ignore

interface Part {
  readonly id: string;
  readonly name: string;
  /** Of the repository, without its owner. */
  readonly repository: string;
  readonly base: string;
  readonly baseRepository: string;
  readonly tower: string;
  readonly shape: ModelShape;
  readonly license: string;
  readonly bytes?: number;
  readonly scores?: ZooRecord["scores"];
}

/** A part that is put together with `base`; its shape is that of the whole. */
function part(kind: Kind, family: ZooRecord["family"], about: Part): ZooRecord {
  const { id, name, repository, base, baseRepository, tower, shape, license, bytes, scores } = about;
  const source: CheckpointSource = {
    format: "pytorch",
    repository: `${owner}/${repository}`,
    base: baseRepository,
    tower,
    ...(bytes === undefined ? {} : { bytes }),
  };
  return {
    id,
    name,
    family,
    kind,
    sources: [source],
    shape,
    license,
    researchOnly: license !== "Llama 2",
    base,
    languages: ["en"],
    goodAt: kind === "projector" ? [] : ["photos"],
    ...(scores === undefined ? {} : { scores, scoresFrom: "LLaVA model zoo" }),
    notYetRun: true,
  };
}

const vicuna7 = { base: "Vicuna 7B v1.5", baseRepository: "lmsys/vicuna-7b-v1.5", license: "Llama 2" } as const; // prettier-ignore
const vicuna13 = { base: "Vicuna 13B v1.5", baseRepository: "lmsys/vicuna-13b-v1.5", license: "Llama 2" } as const; // prettier-ignore
const older7 = { base: "Vicuna 7B v1.3", baseRepository: "lmsys/vicuna-7b-v1.3", license: "LLaMA" } as const; // prettier-ignore
const older13 = { base: "Vicuna 13B v1.3", baseRepository: "lmsys/vicuna-13b-v1.3", license: "LLaMA" } as const; // prettier-ignore
const chat7 = { base: "Llama 2 7B Chat", baseRepository: "meta-llama/Llama-2-7b-chat-hf", license: "Llama 2" } as const; // prettier-ignore
const chat13 = { base: "Llama 2 13B Chat", baseRepository: "meta-llama/Llama-2-13b-chat-hf", license: "Llama 2" } as const; // prettier-ignore
const first7 = { base: "LLaMA 7B", baseRepository: "huggyllama/llama-7b", license: "LLaMA" } as const; // prettier-ignore
const first13 = { base: "LLaMA 13B", baseRepository: "huggyllama/llama-13b", license: "LLaMA" } as const; // prettier-ignore

const adapters: readonly ZooRecord[] = [
  part("adapter", "llava-1.5", {
    ...vicuna7,
    id: "llava-1.5-7b-lora",
    name: "LLaVA 1.5 7B LoRA",
    repository: "llava-v1.5-7b-lora",
    ...mlp336(llama7),
    bytes: 682e6,
    scores: { VQAv2: 79.1, GQA: 63, VizWiz: 47.8, ScienceQA: 68.4, TextVQA: 58.2, POPE: 86.4, MME: 1476.9, MMBench: 66.1, "MMBench-CN": 58.9, SEED: 60.1, "LLaVA-Wild": 67.9, "MM-Vet": 30.2 }, // prettier-ignore
  }),
  part("adapter", "llava-1.5", {
    ...vicuna13,
    id: "llava-1.5-13b-lora",
    name: "LLaVA 1.5 13B LoRA",
    repository: "llava-v1.5-13b-lora",
    ...mlp336(llama13),
    scores: { VQAv2: 80, GQA: 63.3, VizWiz: 58.9, ScienceQA: 71.2, TextVQA: 60.2, POPE: 86.7, MME: 1541.7, MMBench: 68.5, "MMBench-CN": 61.5, SEED: 61.3, "LLaVA-Wild": 69.5, "MM-Vet": 38.3 }, // prettier-ignore
  }),
  part("adapter", "legacy", {
    ...older13,
    id: "llava-1-336px-13b-lora",
    name: "LLaVA 1 336px 13B LoRA",
    repository: "llava-v1-0719-336px-lora-vicuna-13b-v1.3",
    ...linear336(llama13),
    scores: { "LLaVA-Wild": 70.1 },
  }),
  part("adapter", "legacy", {
    ...chat7,
    id: "llava-llama-2-7b-lora",
    name: "LLaVA Llama 2 7B LoRA",
    repository: "llava-llama-2-7b-chat-lightning-lora-preview",
    ...linear224(llama7),
    scores: { "LLaVA-Wild": 62.8 },
  }),
];

/** The first generation, whole. */
const whole: readonly ZooRecord[] = [
  {
    id: "llava-1-336px-13b",
    name: "LLaVA 1 336px 13B",
    family: "legacy",
    kind: "model",
    sources: [
      {
        format: "safetensors",
        repository: `${owner}/llava-v1-0719-336px-lora-merge-vicuna-13b-v1.3`,
        bytes: 26.65e9,
        tower: clip336Tower,
      },
    ],
    shape: { tower: clip336, decoder: llama13, projector: "linear" },
    context: 2048,
    license: "LLaMA",
    researchOnly: true,
    base: "Vicuna 13B v1.3",
    languages: ["en"],
    goodAt: ["photos"],
    scores: { "LLaVA-Wild": 70.1 },
    scoresFrom: "LLaVA model zoo",
    notYetRun: true,
  },
  {
    id: "llava-llama-2-13b",
    name: "LLaVA Llama 2 13B",
    family: "legacy",
    kind: "model",
    sources: [
      { format: "pytorch", repository: `${owner}/llava-llama-2-13b-chat-lightning-preview`, tower: clip224Tower },
    ],
    shape: { tower: clip224, decoder: llama13, projector: "linear" },
    context: 4096,
    license: "Llama 2",
    researchOnly: false,
    base: "Llama 2 13B Chat",
    languages: ["en"],
    goodAt: ["photos"],
    scores: { "LLaVA-Wild": 67.9 },
    scoresFrom: "LLaVA model zoo",
    notYetRun: true,
  },
  {
    id: "llava-scienceqa-13b",
    name: "LLaVA ScienceQA 13B",
    family: "legacy",
    kind: "model",
    sources: [
      { format: "pytorch", repository: `${owner}/llava-lcs558k-scienceqa-vicuna-13b-v1.3`, tower: clip224Tower },
    ],
    shape: { tower: clip224, decoder: llama13, projector: "linear" },
    context: 2048,
    license: "LLaMA",
    researchOnly: true,
    base: "Vicuna 13B v1.3",
    languages: ["en"],
    goodAt: ["charts"],
    notYetRun: true,
  },
  {
    id: "llava-mpt-7b",
    name: "LLaVA Lightning MPT 7B",
    family: "legacy",
    kind: "model",
    sources: [{ format: "pytorch", repository: `${owner}/LLaVA-Lightning-MPT-7B-preview`, tower: clip224Tower }],
    context: 2048,
    license: "CC BY-NC-SA 4.0",
    researchOnly: true,
    base: "MPT 7B Chat",
    languages: ["en"],
    goodAt: ["photos"],
    notYetRun: true,
    refused: "mpt",
  },
];

const deltas = (
  [
    ["LLaVA-13b-delta-v1-1", "LLaVA 1.1 13B", first13, linear224(llama13)],
    ["LLaVA-Lightning-7B-delta-v1-1", "LLaVA Lightning 7B", first7, linear224(llama7)],
    ["LLaVA-13b-delta-v0", "LLaVA 0 13B", first13, linear224(llama13)],
    ["LLaVA-13b-delta-v0-science_qa", "LLaVA 0 ScienceQA 13B", first13, linear224(llama13)],
    ["LLaVA-7b-delta-v0", "LLaVA 0 7B", first7, linear224(llama7)],
  ] as const
).map(([repository, name, base, whole]) =>
  part("delta", "legacy", {
    ...base,
    ...whole,
    id: repository.toLowerCase().replaceAll("_", "-"),
    name: `${name} delta`,
    repository,
  }),
);

const projectors = (
  [
    ["llava-v1.5-mlp2x-336px-pretrain-vicuna-7b-v1.5", "1.5 projector, 7B", vicuna7, mlp336(llama7), 42e6],
    ["llava-v1.5-mlp2x-336px-pretrain-vicuna-13b-v1.5", "1.5 projector, 13B", vicuna13, mlp336(llama13), 62.9e6],
    ["llava-336px-pretrain-llama-2-7b-chat", "336px projector, Llama 2 7B", chat7, linear336(llama7)],
    ["llava-336px-pretrain-llama-2-13b-chat", "336px projector, Llama 2 13B", chat13, linear336(llama13)],
    ["llava-336px-pretrain-vicuna-7b-v1.3", "336px projector, Vicuna 7B", older7, linear336(llama7)],
    ["llava-336px-pretrain-vicuna-13b-v1.3", "336px projector, Vicuna 13B", older13, linear336(llama13)],
    ["llava-pretrain-llama-2-7b-chat", "224px projector, Llama 2 7B", chat7, linear224(llama7)],
    ["llava-pretrain-llama-2-13b-chat", "224px projector, Llama 2 13B", chat13, linear224(llama13)],
    ["llava-pretrain-vicuna-7b-v1.3", "224px projector, Vicuna 7B", older7, linear224(llama7)],
    ["llava-pretrain-vicuna-13b-v1.3", "224px projector, Vicuna 13B", older13, linear224(llama13)],
  ] as const
).map(([repository, name, base, whole, bytes]) =>
  part("projector", "legacy", {
    ...base,
    ...whole,
    id: repository,
    name: `LLaVA ${name}`,
    repository,
    ...(bytes === undefined ? {} : { bytes }),
  }),
);

export const parts: readonly ZooRecord[] = [...whole, ...adapters, ...deltas, ...projectors];
