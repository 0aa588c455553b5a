// Models by others on LLaVA's recipe. Data only. The last ones have a vision tower or a layout that the converter does not read:
// transformers.js runs them.
import type { ZooRecord } from "./record.ts";
import { clip336, llama3, mistral7, phi3Mini, siglip384Whole } from "./shapes.ts";

const relative = { family: "relatives", kind: "model", languages: ["en"], notYetRun: true } as const;

export const relatives: readonly ZooRecord[] = [
  {
    ...relative,
    id: "llava-phi-3-mini",
    name: "LLaVA Phi-3 mini",
    sources: [
      {
        format: "gguf",
        repository: "xtuner/llava-phi-3-mini-gguf",
        file: "llava-phi-3-mini-int4.gguf",
        mmproj: "llava-phi-3-mini-mmproj-f16.gguf",
        quantization: "Q4_K_M",
        bytes: 2.928e9,
      },
      { format: "safetensors", repository: "xtuner/llava-phi-3-mini-hf" },
    ],
    shape: { tower: clip336, decoder: phi3Mini, projector: "mlp2x" },
    context: 4096,
    license: "not stated",
    researchOnly: false,
    base: "Phi-3 mini 4K",
    goodAt: ["photos"],
    scores: { MMBench: 69.2, MMMU: 41.4, SEED: 70, AI2D: 69.3, ScienceQA: 73.7, POPE: 87.3, GQA: 61.5, TextVQA: 57.8, MMStar: 43.7 }, // prettier-ignore
    scoresFrom: "model card",
  },
  {
    ...relative,
    id: "bakllava-1",
    name: "BakLLaVA 1",
    sources: [{ format: "safetensors", repository: "llava-hf/bakLlava-v1-hf" }],
    shape: { tower: clip336, decoder: mistral7, projector: "mlp2x" },
    // Mistral's sliding attention window is no longer than this.
    context: 4096,
    license: "Apache-2.0",
    researchOnly: false,
    base: "Mistral 7B v0.1",
    goodAt: ["photos"],
  },
  {
    ...relative,
    id: "llava-med-1.5",
    name: "LLaVA-Med 1.5",
    sources: [
      {
        format: "safetensors",
        repository: "microsoft/llava-med-v1.5-mistral-7b",
        bytes: 15.13e9,
        tower: "openai/clip-vit-large-patch14-336",
      },
    ],
    shape: { tower: clip336, decoder: mistral7, projector: "mlp2x" },
    context: 32768,
    license: "Apache-2.0",
    researchOnly: true,
    base: "Mistral 7B Instruct v0.2",
    goodAt: ["medicine"],
  },
  {
    ...relative,
    id: "bunny-llama-3-8b",
    name: "Bunny Llama 3 8B",
    sources: [{ format: "safetensors", repository: "BAAI/Bunny-Llama-3-8B-V", bytes: 16.97e9 }],
    shape: { tower: siglip384Whole, decoder: llama3, projector: "mlp2x" },
    context: 8192,
    license: "Apache-2.0",
    researchOnly: false,
    base: "Llama 3 8B Instruct",
    goodAt: ["photos"],
    scores: { MME: 1588.9, MMBench: 76.7, "MMBench-CN": 72.3, SEED: 65.9, MMMU: 42.8, VQAv2: 82.6, GQA: 64.8, ScienceQA: 80.4, POPE: 86.9 }, // prettier-ignore
    scoresFrom: "repository",
  },
  {
    ...relative,
    id: "nanollava-1.5",
    name: "nanoLLaVA 1.5",
    sources: [
      {
        format: "onnx",
        repository: "onnx-community/nanoLLaVA-1.5",
        bytes: { "gpu-f16": 810e6 },
        parts: {
          embed_tokens: { fp16: 311e6 },
          vision_encoder: { q4f16: 229e6 },
          decoder_model_merged: { q4f16: 270e6 },
        },
      },
    ],
    parameters: 1050e6,
    license: "Apache-2.0",
    researchOnly: false,
    base: "Qwen1.5 0.5B",
    goodAt: ["photos"],
  },
  {
    ...relative,
    id: "fastvlm-0.5b",
    name: "FastVLM 0.5B",
    sources: [{ format: "onnx", repository: "onnx-community/FastVLM-0.5B-ONNX", bytes: { "gpu-f16": 807e6 } }],
    parameters: 759e6,
    license: "Apple AMLR",
    researchOnly: true,
    base: "Qwen2 0.5B",
    goodAt: ["photos", "text"],
  },
];
