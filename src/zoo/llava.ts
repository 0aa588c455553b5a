// LLaVA itself: 1.5, 1.6, OneVision, Interleave. Data only. Scores are those of LLaVA's model zoo, or of the model card.
import type { ZooRecord } from "./record.ts";
import { clip336, llama13, llama7, mistral7, qwen15Half, qwen2Half, qwen2Seven, siglip384, yi34 } from "./shapes.ts";

const model = { kind: "model", notYetRun: true } as const;
const llama2 = { license: "Llama 2", researchOnly: false, languages: ["en"] } as const;
const apache = { license: "Apache-2.0", researchOnly: false } as const;
const zoo = { scoresFrom: "LLaVA model zoo" } as const;

const llava15: readonly ZooRecord[] = [
  {
    ...model,
    ...llama2,
    ...zoo,
    id: "llava-1.5-7b",
    name: "LLaVA 1.5 7B",
    family: "llava-1.5",
    sources: [
      {
        format: "gguf",
        repository: "second-state/Llava-v1.5-7B-GGUF",
        file: "llava-v1.5-7b-Q4_0.gguf",
        mmproj: "llava-v1.5-7b-mmproj-model-f16.gguf",
        quantization: "Q4_0",
        bytes: 4.454e9,
      },
      { format: "safetensors", repository: "llava-hf/llava-1.5-7b-hf", bytes: 14_126_854_144 },
    ],
    shape: { tower: clip336, decoder: llama7, projector: "mlp2x" },
    context: 4096,
    base: "Vicuna 7B v1.5",
    goodAt: ["photos"],
    scores: { VQAv2: 78.5, GQA: 62, VizWiz: 50, ScienceQA: 66.8, TextVQA: 58.2, POPE: 85.9, MME: 1510.7, MMBench: 64.3, "MMBench-CN": 58.3, SEED: 58.6, "LLaVA-Wild": 65.4, "MM-Vet": 31.1 }, // prettier-ignore
  },
  {
    ...model,
    ...llama2,
    ...zoo,
    id: "llava-1.5-13b",
    name: "LLaVA 1.5 13B",
    family: "llava-1.5",
    sources: [
      { format: "safetensors", repository: "llava-hf/llava-1.5-13b-hf", bytes: 26.7e9 },
      {
        format: "gguf",
        repository: "404-OS/Llava-v1.5-13B-GGUF",
        file: "llava-v1.5-13b-Q4_0.gguf",
        mmproj: "mmproj-model-f16.gguf",
        quantization: "Q4_0",
        bytes: 8.015e9,
      },
    ],
    shape: { tower: clip336, decoder: llama13, projector: "mlp2x" },
    context: 4096,
    base: "Vicuna 13B v1.5",
    goodAt: ["photos"],
    scores: { VQAv2: 80, GQA: 63.3, VizWiz: 53.6, ScienceQA: 71.6, TextVQA: 61.3, POPE: 85.9, MME: 1531.3, MMBench: 67.7, "MMBench-CN": 63.6, SEED: 61.6, "LLaVA-Wild": 72.5, "MM-Vet": 36.1 }, // prettier-ignore
  },
];

const llava16: readonly ZooRecord[] = [
  {
    ...model,
    ...apache,
    ...zoo,
    id: "llava-1.6-mistral-7b",
    name: "LLaVA 1.6 Mistral 7B",
    family: "llava-1.6",
    sources: [
      {
        format: "gguf",
        repository: "cjpais/llava-1.6-mistral-7b-gguf",
        file: "llava-v1.6-mistral-7b.Q4_K_M.gguf",
        mmproj: "mmproj-model-f16.gguf",
        quantization: "Q4_K_M",
        bytes: 4.994e9,
      },
      { format: "safetensors", repository: "llava-hf/llava-v1.6-mistral-7b-hf", bytes: 15.13e9 },
    ],
    shape: { tower: clip336, decoder: mistral7, projector: "mlp2x" },
    context: 32768,
    base: "Mistral 7B Instruct v0.2",
    languages: ["en"],
    goodAt: ["photos", "text", "fine"],
    scores: { VQAv2: 82.2, GQA: 64.8, VizWiz: 60, ScienceQA: 72.8, TextVQA: 65.7, POPE: 86.7, MMBench: 68.7, "MMBench-CN": 61.2, SEED: 72.2, "LLaVA-Wild": 83.2, "MM-Vet": 47.3, MMMU: 35.3, MathVista: 37.7 }, // prettier-ignore
  },
  {
    ...model,
    ...llama2,
    ...zoo,
    id: "llava-1.6-vicuna-7b",
    name: "LLaVA 1.6 Vicuna 7B",
    family: "llava-1.6",
    sources: [
      {
        format: "gguf",
        repository: "second-state/Llava-v1.6-Vicuna-7B-GGUF",
        file: "llava-v1.6-vicuna-7b-Q4_0.gguf",
        mmproj: "llava-v1.6-vicuna-7b-mmproj-model-f16.gguf",
        quantization: "Q4_0",
        bytes: 4.454e9,
      },
      { format: "safetensors", repository: "llava-hf/llava-v1.6-vicuna-7b-hf", bytes: 14.13e9 },
    ],
    shape: { tower: clip336, decoder: llama7, projector: "mlp2x" },
    context: 4096,
    base: "Vicuna 7B v1.5",
    goodAt: ["photos", "text", "fine"],
    scores: { VQAv2: 81.8, GQA: 64.2, VizWiz: 57.6, ScienceQA: 70.1, TextVQA: 64.9, POPE: 86.5, MMBench: 67.4, "MMBench-CN": 60.6, SEED: 70.2, "LLaVA-Wild": 81.6, "MM-Vet": 43.9, MMMU: 35.8, MathVista: 34.6 }, // prettier-ignore
  },
  {
    ...model,
    ...llama2,
    ...zoo,
    id: "llava-1.6-vicuna-13b",
    name: "LLaVA 1.6 Vicuna 13B",
    family: "llava-1.6",
    sources: [{ format: "safetensors", repository: "llava-hf/llava-v1.6-vicuna-13b-hf" }],
    shape: { tower: clip336, decoder: llama13, projector: "mlp2x" },
    context: 4096,
    base: "Vicuna 13B v1.5",
    goodAt: ["photos", "text", "fine"],
    scores: { VQAv2: 82.8, GQA: 65.4, VizWiz: 60.5, ScienceQA: 73.6, TextVQA: 67.1, POPE: 86.2, MMBench: 70, "MMBench-CN": 64.4, SEED: 71.9, "LLaVA-Wild": 87.3, "MM-Vet": 48.4, MMMU: 36.2, MathVista: 35.3 }, // prettier-ignore
  },
  {
    ...model,
    ...apache,
    ...zoo,
    id: "llava-1.6-34b",
    name: "LLaVA 1.6 34B",
    family: "llava-1.6",
    sources: [
      {
        format: "gguf",
        repository: "cjpais/llava-v1.6-34B-gguf",
        file: "llava-v1.6-34b.Q4_K_M.gguf",
        mmproj: "mmproj-model-f16.gguf",
        quantization: "Q4_K_M",
        bytes: 21.4e9,
      },
      { format: "safetensors", repository: "llava-hf/llava-v1.6-34b-hf" },
    ],
    shape: { tower: clip336, decoder: yi34, projector: "mlp2x" },
    context: 4096,
    base: "Nous Hermes 2 Yi 34B",
    languages: ["en", "zh"],
    goodAt: ["photos", "text", "fine"],
    scores: { VQAv2: 83.7, GQA: 67.1, VizWiz: 63.8, ScienceQA: 81.8, TextVQA: 69.5, POPE: 87.7, MMBench: 79.3, "MMBench-CN": 79, SEED: 75.9, "LLaVA-Wild": 89.6, "MM-Vet": 57.4, MMMU: 51.1, MathVista: 46.5 }, // prettier-ignore
  },
];

const later: readonly ZooRecord[] = [
  {
    ...model,
    ...apache,
    id: "llava-onevision-0.5b",
    name: "LLaVA-OneVision 0.5B",
    family: "llava-onevision",
    sources: [{ format: "safetensors", repository: "llava-hf/llava-onevision-qwen2-0.5b-ov-hf", bytes: 1.79e9 }],
    shape: { tower: siglip384, decoder: qwen2Half, projector: "mlp2x" },
    context: 32768,
    base: "Qwen2 0.5B",
    languages: ["en", "zh"],
    goodAt: ["photos", "text", "documents", "charts", "fine", "several"],
    scores: { AI2D: 57.1, ChartQA: 61.4, DocVQA: 73.7, InfoVQA: 46.3, MathVista: 34.8, MMBench: 52.1, MMMU: 31.4 },
    scoresFrom: "model card",
  },
  {
    ...model,
    ...apache,
    id: "llava-onevision-7b",
    name: "LLaVA-OneVision 7B",
    family: "llava-onevision",
    sources: [{ format: "safetensors", repository: "llava-hf/llava-onevision-qwen2-7b-ov-hf" }],
    shape: { tower: siglip384, decoder: qwen2Seven, projector: "mlp2x" },
    context: 32768,
    base: "Qwen2 7B",
    languages: ["en", "zh"],
    goodAt: ["photos", "text", "documents", "charts", "fine", "several"],
  },
  {
    ...model,
    id: "llava-interleave-0.5b",
    name: "LLaVA-Interleave 0.5B",
    family: "interleave",
    sources: [{ format: "safetensors", repository: "llava-hf/llava-interleave-qwen-0.5b-hf", bytes: 1.73e9 }],
    shape: { tower: siglip384, decoder: qwen15Half, projector: "mlp2x" },
    context: 32768,
    license: "Tongyi Qianwen Research",
    researchOnly: true,
    base: "Qwen1.5 0.5B",
    languages: ["en"],
    goodAt: ["photos", "several"],
  },
];

export const llava: readonly ZooRecord[] = [...llava15, ...llava16, ...later];
