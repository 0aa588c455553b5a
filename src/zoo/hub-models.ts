// Models for photographs on the model hub, data only. Sizes are those of the files that a device downloads, as listed in November 2026; the
// page asks the hub again before it downloads anything.
import type { HubPart, HubPrecision } from "#weights/download/hub-plan.ts";
import type { HubDtype } from "#weights/manifest.ts";

/** A repository on the hub that src/hub can run. */
export interface HubModelRecord {
  readonly id: string;
  readonly name: string;
  /** "owner/name". */
  readonly repository: string;
  /** For display; the hub's own name of the license is fetched with its listing. */
  readonly license: string;
  /** The license allows research only. */
  readonly researchOnly: boolean;
  readonly parameters: number;
  /** Languages of questions by the model card, as BCP 47 tags, the best supported first. */
  readonly languages: readonly string[];
  readonly architecture: string;
  /** Download size by what a device computes with; absent where it is not known. */
  readonly bytes: Readonly<Partial<Record<HubPrecision, number>>>;
  /** Bytes of each part's files in `onnx/` by dtype, as far as they are known; a test checks `bytes` against the choice of hub-plan.ts. */
  readonly parts?: Readonly<Record<HubPart, Readonly<Partial<Record<HubDtype, number>>>>>;
  /** Not yet run on its real weights (`npm run verify:hub -- <id>` does that). */
  readonly notYetRun: boolean;
}

export const hubModels: readonly HubModelRecord[] = [
  {
    id: "smolvlm-256m",
    name: "SmolVLM 256M",
    repository: "HuggingFaceTB/SmolVLM-256M-Instruct",
    license: "Apache-2.0",
    researchOnly: false,
    parameters: 256e6,
    languages: ["en"],
    architecture: "idefics3",
    bytes: { "gpu-f16": 189e6, "gpu-f32": 264e6, cpu: 264e6 },
    notYetRun: true,
  },
  {
    id: "smolvlm-500m",
    name: "SmolVLM 500M",
    repository: "HuggingFaceTB/SmolVLM-500M-Instruct",
    license: "Apache-2.0",
    researchOnly: false,
    parameters: 507e6,
    languages: ["en"],
    architecture: "idefics3",
    bytes: { "gpu-f16": 358e6 },
    notYetRun: true,
  },
  {
    id: "llava-onevision-0.5b",
    name: "LLaVA-OneVision 0.5B",
    repository: "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
    license: "Apache-2.0",
    researchOnly: false,
    parameters: 894e6,
    languages: ["en", "zh"],
    architecture: "llava_onevision",
    bytes: { "gpu-f16": 787e6, "gpu-f32": 1129e6, cpu: 1129e6 },
    parts: {
      embed_tokens: { fp32: 545e6, fp16: 272e6 },
      vision_encoder: { fp16: 800e6, q4: 257e6, q4f16: 228e6 },
      decoder_model_merged: { fp32: 1990e6, fp16: 997e6, q4: 327e6, q4f16: 287e6 },
    },
    notYetRun: true,
  },
  {
    id: "llava-interleave-0.5b",
    name: "LLaVA-Interleave 0.5B",
    repository: "llava-hf/llava-interleave-qwen-0.5b-hf",
    license: "Tongyi Qianwen Research",
    researchOnly: true,
    parameters: 880e6,
    languages: ["en"],
    architecture: "llava",
    bytes: { "gpu-f16": 1382e6 },
    parts: {
      embed_tokens: { fp16: 311e6 },
      vision_encoder: { fp16: 801e6 },
      decoder_model_merged: { q4: 308e6, q4f16: 270e6 },
    },
    notYetRun: true,
  },
  {
    id: "nanollava-1.5",
    name: "nanoLLaVA 1.5",
    repository: "onnx-community/nanoLLaVA-1.5",
    license: "Apache-2.0",
    researchOnly: false,
    parameters: 1050e6,
    languages: ["en"],
    architecture: "llava",
    bytes: { "gpu-f16": 810e6 },
    parts: { embed_tokens: { fp16: 311e6 }, vision_encoder: { q4f16: 229e6 }, decoder_model_merged: { q4f16: 270e6 } },
    notYetRun: true,
  },
  {
    id: "fastvlm-0.5b",
    name: "FastVLM 0.5B",
    repository: "onnx-community/FastVLM-0.5B-ONNX",
    license: "Apple AMLR",
    researchOnly: true,
    parameters: 759e6,
    languages: ["en"],
    architecture: "llava_qwen2",
    bytes: { "gpu-f16": 807e6 },
    notYetRun: true,
  },
];

/** The download size on a device; not `exact` where only the size for other devices, the smallest of them, is known. */
export function sizeOn(
  { bytes }: HubModelRecord,
  precision: HubPrecision | undefined,
): { readonly bytes: number; readonly exact: boolean } {
  const known = precision === undefined ? undefined : bytes[precision];
  return known === undefined
    ? { bytes: Math.min(...Object.values(bytes)), exact: false }
    : { bytes: known, exact: true };
}

/** The repository of a zoo record; the id itself where the zoo does not have it. */
export function repositoryOf(id: string): string {
  return hubModels.find((record) => record.id === id)?.repository ?? id;
}

/** The display name of a repository's model; undefined where the zoo does not have it. */
export function hubModelName(repository: string): string | undefined {
  return hubModels.find((record) => record.repository === repository)?.name;
}
