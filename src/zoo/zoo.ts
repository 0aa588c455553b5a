// Every model that the zoo knows, where each one runs, and what it costs. Knows no network: what a hub really has is asked before a download.
import type { HubPrecision } from "#weights/download/hub-plan.ts";
import { quantizationBits } from "#formats/gguf/quantizations.ts";
import { hubPrecision, judgeFit, neededMemory, type DeviceFacts, type Fit } from "#weights/fit.ts";
import { llava } from "./llava.ts";
import { parts } from "./parts.ts";
import type { Source, ZooRecord } from "./record.ts";
import { relatives } from "./relatives.ts";
import { packageSize, parametersOf, usualBits } from "./shape.ts";
import { smolvlm } from "./smolvlm.ts";

/** Models for everyone first; parts of models last. */
export const zoo: readonly ZooRecord[] = [...smolvlm, ...llava, ...relatives, ...parts];

/** The models that answer by themselves and run here. */
export const zooModels: readonly ZooRecord[] = zoo.filter(
  ({ kind, refused }) => kind === "model" && refused === undefined,
);

/** By its id, or by the repository of one of its sources. */
export function zooRecord(wanted: string): ZooRecord | undefined {
  return zoo.find(({ id }) => id === wanted) ?? zoo.find((record) => sourceAt(record, wanted) !== undefined);
}

/** The source that is in a repository. */
export function sourceAt({ sources }: ZooRecord, repository: string): Source | undefined {
  return sources.find((source) => source.repository === repository);
}

/** The repositories of a zoo record's sources, the first one first; the id itself where it is no record's. */
export function repositoriesOf(id: string): readonly string[] {
  return zoo.find((record) => record.id === id)?.sources.map(({ repository }) => repository) ?? [id];
}

/** The display name of a repository's model; undefined where the zoo does not have it. */
export function zooName(repository: string): string | undefined {
  return zoo.find(({ sources }) => sources.some((source) => source.repository === repository))?.name;
}

/** Whether transformers.js runs it. What is left runs in this engine, once it is converted. */
export function runsInTransformersJs({ sources }: ZooRecord): boolean {
  return sources[0].format === "onnx";
}

/** Undefined where it is not known. */
export function parametersOfRecord({ parameters, shape }: ZooRecord): number | undefined {
  return parameters ?? (shape && parametersOf(shape));
}

export interface Cost {
  /** Bytes to download. */
  readonly fetched: number;
  /** Bytes that stay in the browser. */
  readonly kept: number;
  /** Bytes of memory while it answers. */
  readonly memory: number;
  /** Bytes of the largest weight that is one GPU buffer; 0 where they are not known. */
  readonly largest: number;
  readonly needsF16: boolean;
  /** How well `fetched` is known: "least" where only the sizes for other devices were looked up, "about" where the shape tells. */
  readonly known: "exactly" | "about" | "least";
}

/** Bytes per weight of a whole checkpoint whose size was not looked up: they hold 16 bits. */
const checkpointBytes = 2;

/** Of CLIP's own checkpoint, which holds a model of texts, too: what LLaVA's models without a tower take theirs from. */
const towerBytes = 1.71e9;

/** What a source costs on a device. An estimate: the hub is asked before the first byte. */
export function costOf(record: ZooRecord, source: Source, precision: HubPrecision): Cost {
  if (source.format === "onnx") {
    const looked = source.bytes[precision];
    const bytes = looked ?? Math.min(...Object.values(source.bytes));
    const needsF16 = looked !== undefined && precision === "gpu-f16";
    return {
      fetched: bytes,
      kept: bytes,
      memory: neededMemory(bytes),
      largest: 0,
      needsF16,
      known: looked === undefined ? "least" : "exactly",
    };
  }
  const { shape, bits = usualBits } = record;
  const gguf = source.format === "gguf" ? quantizationBits(source.quantization) : undefined;
  // A GGUF file keeps its own bits.
  const decoder = gguf && gguf.kept / 8;
  const size = shape === undefined ? { bytes: source.bytes ?? 0, largestBytes: 0 } : packageSize(shape, bits, decoder);
  const tower = "tower" in source ? towerBytes : 0;
  const fetched = (source.bytes ?? (shape === undefined ? 0 : parametersOf(shape) * checkpointBytes)) + tower;
  const kept = size.bytes;
  return {
    fetched,
    kept,
    memory: neededMemory(kept),
    largest: size.largestBytes,
    needsF16: false,
    known: source.bytes === undefined ? "about" : "exactly",
  };
}

/** Whether a device can hold and run a model, as its first source makes it. */
export function fitOf(record: ZooRecord, device: DeviceFacts): Fit {
  const { kept, largest, needsF16 } = costOf(record, record.sources[0], hubPrecision(device));
  return judgeFit({ bytes: kept, largestBytes: largest, needsF16 }, device);
}
