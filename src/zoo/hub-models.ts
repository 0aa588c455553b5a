// Models for photographs on the model hub, data only. Sizes are those of the files that a device needs, as they were listed in
// November 2026; the page asks the hub again before it fetches anything.
import type { HubPart, HubPrecision } from "#weights/download/hub-plan.ts";
import type { HubDtype } from "#weights/manifest.ts";

/** A repository on the hub that src/hub can run. */
export interface HubModelRecord {
  readonly id: string;
  readonly name: string;
  /** "owner/name". */
  readonly repository: string;
  /** As people write it; the hub's own word comes with the look at it. */
  readonly license: string;
  /** The licence allows research only. */
  readonly researchOnly: boolean;
  readonly parameters: number;
  /** In which it can be asked, as its model card says; tags of HTML, the best first. */
  readonly languages: readonly string[];
  readonly architecture: string;
  /** By what a device computes with; absent where it was not looked up. */
  readonly bytes: Readonly<Partial<Record<HubPrecision, number>>>;
  /** Bytes of each part's files in `onnx/` by what it is stored in, as far as they were looked up; which of them a device gets, hub.ts chooses. */
  readonly parts?: Readonly<Record<HubPart, Readonly<Partial<Record<HubDtype, number>>>>>;
  /** Nobody has run it here on its real weights yet (`npm run verify:hub -- <id>` does). */
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

/** What a device that computes so has to download; not `exact` where only other devices' files, which are smaller, were looked up. */
export function sizeOn(
  { bytes }: HubModelRecord,
  precision: HubPrecision | undefined,
): { readonly bytes: number; readonly exact: boolean } {
  const known = precision === undefined ? undefined : bytes[precision];
  return known === undefined
    ? { bytes: Math.min(...Object.values(bytes)), exact: false }
    : { bytes: known, exact: true };
}

/** The repository that a zoo id stands for; the id itself where it is none of the zoo's. */
export function repositoryOf(id: string): string {
  return hubModels.find((record) => record.id === id)?.repository ?? id;
}

/** What a repository's model is called here; undefined where it is none of the zoo's. */
export function hubModelName(repository: string): string | undefined {
  return hubModels.find((record) => record.repository === repository)?.name;
}
