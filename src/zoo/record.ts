// What the zoo says of a model. Types only; the records are in llava.ts, smolvlm.ts, relatives.ts and parts.ts.
import type { HubDtype } from "#weights/manifest.ts";
import type { HubPart, HubPrecision } from "#weights/download/hub-plan.ts";
import type { ModelShape, PackageBits } from "./shape.ts";

type Family = "smolvlm" | "llava-onevision" | "llava-1.5" | "llava-1.6" | "interleave" | "relatives" | "legacy";

/**
 * "model" answers by itself. The others are put together with the model that they name as `base`: an adapter (LoRA), a projector from the
 * first stage of training, a delta, the difference to a language model.
 */
export type Kind = "model" | "adapter" | "projector" | "delta";

/** What a model is good at, as its card or its training says. */
export type Skill =
  | "photos" // everyday photos
  | "text" // reads text in a picture
  | "documents" // scanned pages, forms
  | "charts"
  | "fine" // sees a picture in tiles, so fine details
  | "several" // compares several pictures
  | "medicine" // X-rays, microscopy
  | "weak-devices"; // small and quick

/** Published benchmarks, under their usual names. Percent, except for MME (points). */
type Benchmark =
  | "VQAv2"
  | "GQA"
  | "VizWiz"
  | "ScienceQA"
  | "TextVQA"
  | "POPE"
  | "MME"
  | "MMBench"
  | "MMBench-CN"
  | "SEED"
  | "LLaVA-Wild"
  | "MM-Vet"
  | "MMMU"
  | "MathVista"
  | "MMStar"
  | "AI2D"
  | "ChartQA"
  | "DocVQA"
  | "InfoVQA"
  | "OCRBench";

/** Weights of a repository that the converter reads; other repositories bring what it does not hold. */
export interface CheckpointSource {
  readonly format: "safetensors" | "pytorch";
  readonly repository: string;
  /** Of its weights; absent where they were not looked up, and the parameters at 16 bits tell. */
  readonly bytes?: number;
  /** "owner/name" of the language model that a delta, an adapter or a projector belongs to. */
  readonly base?: string;
  /** "owner/name" of the vision tower, where the checkpoint does not hold it. */
  readonly tower?: string;
}

/** Files of llama.cpp: the language model, and the picture's part ("mmproj"). */
interface GgufSource {
  readonly format: "gguf";
  readonly repository: string;
  readonly file: string;
  readonly mmproj: string;
  /** The quantization in the file's name, such as "Q4_K_M". */
  readonly quantization: string;
  /** Of both files. */
  readonly bytes: number;
}

/** ONNX files that transformers.js runs. */
interface OnnxSource {
  readonly format: "onnx";
  readonly repository: string;
  /** Bytes of the files that each precision needs; absent where they are not known. */
  readonly bytes: Readonly<Partial<Record<HubPrecision, number>>>;
  /** Bytes of each part's files in `onnx/` by dtype, as far as they are known; a test checks `bytes` against the choice of hub-plan.ts. */
  readonly parts?: Readonly<Record<HubPart, Readonly<Partial<Record<HubDtype, number>>>>>;
}

export type Source = CheckpointSource | GgufSource | OnnxSource;

export interface ZooRecord {
  readonly id: string;
  readonly name: string;
  readonly family: Family;
  readonly kind: Kind;
  /** The first is what one click takes: the one of the fewest bytes, where the weights are as good. Never empty. */
  readonly sources: readonly [Source, ...Source[]];
  /** Absent where transformers.js runs it, and of parts. */
  readonly shape?: ModelShape;
  /** Where they are not the usual ones: the smallest models lose too much in 4 bits. */
  readonly bits?: PackageBits;
  /** The number of parameters, where there is no shape to compute it from. */
  readonly parameters?: number;
  /** In tokens; absent where it is not known. */
  readonly context?: number;
  /** The license as the hub names it; "not stated" where the repository names none. */
  readonly license: string;
  /** The license or the card allows research only. */
  readonly researchOnly: boolean;
  /** The language model that it was trained from. */
  readonly base: string;
  /** Languages of questions by the model card, as BCP 47 tags, the best supported first. */
  readonly languages: readonly string[];
  readonly goodAt: readonly Skill[];
  readonly scores?: Readonly<Partial<Record<Benchmark, number>>>;
  /** Who published the scores. */
  readonly scoresFrom?: "LLaVA model zoo" | "model card" | "repository";
  /** Not yet run on its real weights (`npm run verify:hub -- <id>` does that). */
  readonly notYetRun: boolean;
  /** Why it can't be run here, where it can't. */
  readonly refused?: "mpt";
}
