// SmolVLM and SmolVLM2: small models on SigLIP and SmolLM2, with Idefics3's tiles. Data only. Scores are those of the model cards.
import type { Skill, ZooRecord } from "./record.ts";
import type { PackageBits } from "./shape.ts";
import { smolvlm2200, smolvlm256, smolvlm500 } from "./shapes.ts";

const common = {
  family: "smolvlm",
  kind: "model",
  license: "Apache-2.0",
  researchOnly: false,
  languages: ["en"],
  scoresFrom: "model card",
  notYetRun: true,
} as const;
const skills: readonly Skill[] = ["photos", "text", "documents", "fine", "several"];
const small: readonly Skill[] = ["weak-devices", ...skills];
/** A decoder of this size loses too much in 4 bits: SmolLM2-135M keeps its likeliest token at 74 % of the positions, in 8 bits at 98 %. */
const eight: PackageBits = { vision: 8, embed: 8, decoder: 8 };

export const smolvlm: readonly ZooRecord[] = [
  {
    ...common,
    id: "smolvlm-256m",
    name: "SmolVLM 256M",
    sources: [
      { format: "safetensors", repository: "HuggingFaceTB/SmolVLM-256M-Instruct", bytes: 513e6 },
      {
        format: "gguf",
        repository: "ggml-org/SmolVLM-256M-Instruct-GGUF",
        file: "SmolVLM-256M-Instruct-Q8_0.gguf",
        mmproj: "mmproj-SmolVLM-256M-Instruct-Q8_0.gguf",
        quantization: "Q8_0",
        bytes: 279e6,
      },
    ],
    shape: smolvlm256,
    bits: eight,
    context: 8192,
    base: "SmolLM2-135M",
    goodAt: small,
    scores: { MathVista: 35.9, MMMU: 28.3, OCRBench: 52.6, MMStar: 34.6, AI2D: 47, ChartQA: 55.8, ScienceQA: 73.6, TextVQA: 49.9, DocVQA: 58.3 }, // prettier-ignore
  },
  {
    ...common,
    id: "smolvlm-500m",
    name: "SmolVLM 500M",
    sources: [
      { format: "safetensors", repository: "HuggingFaceTB/SmolVLM-500M-Instruct", bytes: 1.02e9 },
      {
        format: "gguf",
        repository: "ggml-org/SmolVLM-500M-Instruct-GGUF",
        file: "SmolVLM-500M-Instruct-Q8_0.gguf",
        mmproj: "mmproj-SmolVLM-500M-Instruct-Q8_0.gguf",
        quantization: "Q8_0",
        bytes: 546e6,
      },
    ],
    shape: smolvlm500,
    bits: eight,
    context: 8192,
    base: "SmolLM2-360M",
    goodAt: small,
    scores: { MathVista: 40.1, MMMU: 33.7, OCRBench: 61, MMStar: 38.3, AI2D: 59.5, ChartQA: 63.2, ScienceQA: 79.7, TextVQA: 60.5, DocVQA: 70.5 }, // prettier-ignore
  },
  {
    ...common,
    id: "smolvlm-2.2b",
    name: "SmolVLM 2.2B",
    sources: [{ format: "safetensors", repository: "HuggingFaceTB/SmolVLM-Instruct", bytes: 4.49e9 }],
    shape: smolvlm2200,
    context: 16384,
    base: "SmolLM2-1.7B",
    goodAt: skills,
    scores: { MathVista: 43.9, MMMU: 38.3, OCRBench: 65.5, MMStar: 41.8, AI2D: 64, ChartQA: 71.6, ScienceQA: 84.5, TextVQA: 72.1, DocVQA: 79.7 }, // prettier-ignore
  },
  {
    ...common,
    id: "smolvlm2-256m",
    name: "SmolVLM2 256M",
    sources: [{ format: "safetensors", repository: "HuggingFaceTB/SmolVLM2-256M-Video-Instruct", bytes: 1.03e9 }],
    shape: smolvlm256,
    bits: eight,
    context: 8192,
    base: "SmolLM2-135M",
    goodAt: small,
  },
  {
    ...common,
    id: "smolvlm2-500m",
    name: "SmolVLM2 500M",
    sources: [{ format: "safetensors", repository: "HuggingFaceTB/SmolVLM2-500M-Video-Instruct", bytes: 2.03e9 }],
    shape: smolvlm500,
    bits: eight,
    context: 8192,
    base: "SmolLM2-360M",
    goodAt: small,
  },
  {
    ...common,
    id: "smolvlm2-2.2b",
    name: "SmolVLM2 2.2B",
    sources: [{ format: "safetensors", repository: "HuggingFaceTB/SmolVLM2-2.2B-Instruct", bytes: 8.99e9 }],
    shape: smolvlm2200,
    context: 16384,
    base: "SmolLM2-1.7B",
    goodAt: skills,
    scores: { MathVista: 51.5, MMMU: 42, OCRBench: 72.9, MMStar: 46, AI2D: 70, ChartQA: 68.84, ScienceQA: 90, TextVQA: 73.21, DocVQA: 79.98 }, // prettier-ignore
  },
];
