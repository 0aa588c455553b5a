// For tests: runs a package's three graphs on any build of ONNX Runtime, with a growing cache. Knows no tokenizer.
import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-common";
import { EngineError } from "#engine/errors.ts";
import type { PackageFiles } from "#engine/types.ts";
import type { Manifest, ManifestGraph } from "#weights/manifest.ts";

/** What the builds of ONNX Runtime have in common. */
export interface Ort {
  readonly InferenceSession: {
    create(graph: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (
    type: "float32" | "int64" | "int32",
    data: Float32Array | BigInt64Array | Int32Array,
    dims: readonly number[],
  ) => TypedTensor<"float32"> | TypedTensor<"int64"> | TypedTensor<"int32">;
}

/** Sizes the runner must know to begin with an empty cache. */
export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
}

type Cache = ReadonlyMap<string, Tensor>;

export interface GraphRunner {
  /** [images, 3, size, size] → [images · tokens, hidden], flat. */
  features(pixels: Float32Array, size: number): Promise<Float32Array>;
  embed(ids: readonly number[]): Promise<Float32Array>;
  /** Adds rows [count, hidden] behind `past` of length `pastLength`; `keep` 0 returns the logits of all positions. */
  decode(
    rows: Float32Array,
    count: number,
    past: Cache | undefined,
    pastLength: number,
    keep: number,
  ): Promise<{ readonly logits: Float32Array; readonly cache: Cache }>;
  release(): Promise<void>;
}

/** External data for an expanded graph, by the name it refers to. */
export type ExternalFiles = readonly { readonly path: string; readonly data: Uint8Array | Blob }[];

/** Loads the three graphs; parts named in `expanded` as f32 graphs on that data. */
export async function runGraphs(
  ort: Ort,
  manifest: Manifest,
  files: PackageFiles,
  shape: CacheShape,
  expanded: { readonly vision?: ExternalFiles; readonly decoder?: ExternalFiles } = {},
): Promise<GraphRunner> {
  const bytes = async (path: string) => new Uint8Array(await (await files.blob(path)).arrayBuffer());
  const create = async (path: string, data: ExternalFiles) => {
    const externalData = await Promise.all(
      data.map(async (file) => ({
        path: file.path,
        data: file.data instanceof Blob ? new Uint8Array(await file.data.arrayBuffer()) : file.data,
      })),
    );
    return ort.InferenceSession.create(await bytes(path), { externalData, logSeverityLevel: 3 });
  };
  const stored = async (graph: ManifestGraph) => {
    const name = (path: string) => path.slice(path.lastIndexOf("/") + 1);
    return create(
      graph.path,
      await Promise.all(graph.data.map(async (path) => ({ path: name(path), data: await bytes(path) }))),
    );
  };
  const { graphs } = manifest;
  const part = (graph: ManifestGraph, data: ExternalFiles | undefined) =>
    data && graph.expanded ? create(graph.expanded.path, data) : stored(graph);
  const vision = await part(graphs.vision, expanded.vision);
  const embedding = await stored(graphs.embed);
  const decoder = await part(graphs.decoder, expanded.decoder);

  const f32 = (data: Float32Array, dims: readonly number[]) => new ort.Tensor("float32", data, dims);
  const i64 = (data: readonly number[], dims: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(data, BigInt), dims);
  const i32 = (data: readonly number[], dims: readonly number[]) =>
    new ort.Tensor("int32", Int32Array.from(data), dims);
  const emptyCache = (): Cache =>
    new Map(
      Array.from({ length: shape.layers }, (_, i) => [`present.${i}.key`, `present.${i}.value`])
        .flat()
        .map((name) => [name, f32(new Float32Array(0), [1, shape.kvHeads, 0, shape.headSize])]),
    );
  return {
    async features(pixels, size) {
      const images = pixels.length / (3 * size * size);
      return numbers(await vision.run({ pixel_values: f32(pixels, [images, 3, size, size]) }), "image_features");
    },
    async embed(ids) {
      return numbers(await embedding.run({ input_ids: i64(ids, [1, ids.length]) }), "inputs_embeds");
    },
    async decode(rows, count, past, pastLength, keep) {
      const total = pastLength + count;
      const wanted = keep === 0 ? count : keep;
      const kept = Array.from({ length: wanted }, (_, i) => count - wanted + i);
      const lengths: Record<string, Tensor> = decoder.inputNames.includes("kept_positions")
        ? {
            seqlens_k: i32([total - 1], [1]),
            total_sequence_length: i32([total], []),
            kept_positions: i32(kept, [kept.length]),
          }
        : {
            attention_mask: i64(new Array<number>(total).fill(1), [1, total]),
            num_logits_to_keep: i64([keep], []),
          };
      const feeds: Record<string, Tensor> = { inputs_embeds: f32(rows, [1, count, rows.length / count]), ...lengths };
      for (const [name, tensor] of past ?? emptyCache()) feeds[name.replace("present", "past_key_values")] = tensor;
      const outputs = await decoder.run(feeds);
      const cache = new Map(Object.entries(outputs).filter(([name]) => name.startsWith("present.")));
      return { logits: numbers(outputs, "logits"), cache };
    },
    async release() {
      for (const session of [vision, embedding, decoder]) await session.release();
    },
  };
}

function numbers(outputs: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new EngineError("internal", `the graph has no f32 output ${name}`);
}

/** Embeddings of a prompt whose image tokens are replaced by the features, in order. */
export async function promptRows(
  runner: GraphRunner,
  ids: readonly number[],
  imageToken: number,
  features: Float32Array,
): Promise<Float32Array> {
  const rows = (await runner.embed(ids)).slice();
  const hidden = rows.length / ids.length;
  let next = 0;
  ids.forEach((id, i) => {
    if (id !== imageToken) return;
    rows.set(features.subarray(next * hidden, (next + 1) * hidden), i * hidden);
    next++;
  });
  return rows;
}

/** Greedy continuation of a prompt; never stops by itself. */
export async function greedyIds(
  runner: GraphRunner,
  rows: Float32Array,
  length: number,
  count: number,
): Promise<number[]> {
  let { logits, cache } = await runner.decode(rows, length, undefined, 0, 1);
  const out: number[] = [];
  for (;;) {
    const id = indexOfLargest(logits);
    out.push(id);
    if (out.length === count) return out;
    ({ logits, cache } = await runner.decode(await runner.embed([id]), 1, cache, length + out.length - 1, 1));
  }
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  values.forEach((value, i) => {
    if (value > (values[best] ?? -Infinity)) best = i;
  });
  return best;
}

/** Largest |difference| between two runs of numbers of the same length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  return worst;
}
