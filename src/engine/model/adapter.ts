// A LoRA adapter: read from its package and checked against the base, then uploaded to the device once as inputs of the decoder's graph, or handed
// to this project's own kernel. Of graphs it knows only the names of these inputs; knows no checkpoint.
import * as v from "valibot";
import { readJson } from "./config.ts";
import { EngineError } from "#engine/errors.ts";
import type { FeatureStore } from "./image-features.ts";
import type { LlamaLora, LoraMatrices, LoraSite } from "#engine/kernel/lora-room.ts";
import type { AdaptableGraph, AdapterIndex, AdapterInfo, AdapterSite } from "#engine/package.ts";
import type { Runtime, RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";

/** An adapter's package. */
export interface AdapterPackage {
  readonly info: AdapterInfo;
  readonly files: PackageFiles;
  /** Where image features are kept, for an adapter with a projector of its own. */
  readonly keptFeatures?: FeatureStore | undefined;
}

/** Values of the decoder's inputs `lora.…`; owns its tensors. */
export interface AdapterTensors {
  readonly inputs: Readonly<Record<string, RuntimeTensor>>;
  dispose(): void;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const IndexSchema: v.GenericSchema<AdapterIndex> = v.object({
  version: v.literal(1),
  weights: v.array(v.object({ layer: count, of: v.string(), rank: v.pipe(count, v.minValue(1)), offset: count })),
});
type Entry = AdapterIndex["weights"][number];

/** Inputs that change nothing: zeros of rank 1, shared by all layers. Empty tensors would do, but not on every device. */
export function noAdapter(runtime: Runtime, { sites }: AdaptableGraph, layers: number): AdapterTensors {
  const tensors: RuntimeTensor[] = [];
  const inputs: Record<string, RuntimeTensor> = {};
  for (const site of sites) {
    const [down, up] = [runtime.allocate([site.inputs, 1]), runtime.allocate([1, outputsOf(site)])];
    tensors.push(down, up);
    for (let layer = 0; layer < layers; layer++) {
      inputs[inputName(layer, site, "down")] = down;
      inputs[inputName(layer, site, "up")] = up;
    }
  }
  return { inputs, dispose: () => tensors.forEach((tensor) => tensor.dispose()) };
}

/** An adapter whose package fits the base; its matrices are read when they are asked for. */
export interface OpenedAdapter {
  /** The rank for a layer's matrix, named as in the base's sites; 0 where the adapter leaves the matrix alone. */
  rankOf(layer: number, of: string): number;
  /** `down` [inputs, rank] and `up` [rank, outputs], which is multiplied by alpha / rank. */
  read(layer: number, of: string): Promise<LoraMatrices>;
}

/** What an adapter has to fit. */
export interface AdapterBase {
  readonly name: string;
  readonly graph: AdaptableGraph;
  readonly layers: number;
}

/** Opens an adapter. Throws "bad-package" with the reason where it does not fit the base. */
export async function openAdapter(base: AdapterBase, { info, files }: AdapterPackage): Promise<OpenedAdapter> {
  const { fits, bits, index: indexPath, data: dataPath, baseName } = info.adapter;
  const { graph, layers } = base;
  if (fits !== graph.fits) {
    const whose = baseName === base.name ? `other weights of ${baseName}` : `${baseName}, not to ${base.name}`;
    throw new EngineError("bad-package", `the adapter ${info.model.name} belongs to ${whose}`);
  }
  const parsed = v.safeParse(IndexSchema, await readJson(files, indexPath));
  if (!parsed.success) throw new EngineError("bad-package", `${indexPath}: ${parsed.issues[0].message}`);
  const entries = new Map<string, Entry>();
  for (const entry of parsed.output.weights) entries.set(`${entry.layer}.${entry.of}`, entry);
  const shapes = new Map(
    graph.sites.flatMap(({ inputs, parts }) => parts.map(({ of, outputs }) => [of, { inputs, outputs }] as const)),
  );
  const sizeOf = (of: string): number => {
    const { inputs, outputs } = shapes.get(of) ?? { inputs: 0, outputs: 0 };
    return inputs + outputs;
  };
  const stray = parsed.output.weights.find(({ layer, of }) => layer >= layers || !shapes.has(of));
  if (stray) {
    throw new EngineError("bad-package", `${indexPath}: layer ${stray.layer} of the base has no ${stray.of}`);
  }
  const data = await files.blob(dataPath);
  const ends = parsed.output.weights.map(({ of, rank, offset }) => offset + (sizeOf(of) * rank * bits) / 8);
  const end = ends.reduce((most, at) => Math.max(most, at), 0);
  if (end > data.size) throw new EngineError("bad-package", `${dataPath} has ${data.size} bytes, not ${end} or more`);
  return {
    rankOf: (layer, of) => entries.get(`${layer}.${of}`)?.rank ?? 0,
    async read(layer, of) {
      const { rank, offset } = entries.get(`${layer}.${of}`) ?? { rank: 0, offset: 0 };
      const buffer = await data.slice(offset, offset + (sizeOf(of) * rank * bits) / 8).arrayBuffer();
      const values = bits === 32 ? new Float32Array(buffer) : halvesToFloats(new Uint16Array(buffer));
      const length = (shapes.get(of)?.inputs ?? 0) * rank;
      return { down: values.subarray(0, length), up: values.subarray(length) };
    },
  };
}

/** Uploads the adapter's matrices as inputs of the base's graph. Leaves no tensors behind where it fails. */
export async function uploadAdapter(
  runtime: Runtime,
  { graph, layers }: AdapterBase,
  adapter: OpenedAdapter,
): Promise<AdapterTensors> {
  const tensors: RuntimeTensor[] = [];
  const inputs: Record<string, RuntimeTensor> = {};
  const dispose = (): void => tensors.forEach((tensor) => tensor.dispose());
  const add = (name: string, values: Float32Array<ArrayBuffer>, dims: readonly number[]): void => {
    const tensor = runtime.upload(values, dims);
    tensors.push(tensor);
    inputs[name] = tensor;
  };
  try {
    for (let layer = 0; layer < layers; layer++) {
      for (const site of graph.sites) {
        const { down, up, rank } = await joinParts(site, layer, adapter);
        add(inputName(layer, site, "down"), down, [site.inputs, rank]);
        add(inputName(layer, site, "up"), up, [rank, outputsOf(site)]);
      }
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { inputs, dispose };
}

/** The adapter as this project's own kernel asks for it. */
export function kernelLora({ graph }: AdapterBase, adapter: OpenedAdapter): LlamaLora {
  const partsOf = (name: LoraSite): AdapterSite["parts"] => graph.sites.find((site) => site.name === name)?.parts ?? [];
  return {
    ranksOf: (layer, site) => partsOf(site).map(({ of }) => adapter.rankOf(layer, of)),
    read: (layer, site, part) => adapter.read(layer, partsOf(site)[part]?.of ?? ""),
  };
}

/**
 * Joins the matrices of a site's parts to one pair: `down` side by side [inputs, rank], `up` as blocks on a diagonal [rank, outputs], where `rank` is the
 * sum of the parts' ranks. Parts without an adapter get zeros.
 */
async function joinParts(
  { inputs, parts }: AdapterSite,
  layer: number,
  adapter: OpenedAdapter,
): Promise<{
  readonly down: Float32Array<ArrayBuffer>;
  readonly up: Float32Array<ArrayBuffer>;
  readonly rank: number;
}> {
  const ranks = parts.reduce((sum, { of }) => sum + adapter.rankOf(layer, of), 0);
  const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
  const rank = Math.max(1, ranks);
  const down = new Float32Array(inputs * rank);
  const up = new Float32Array(rank * outputs);
  let [firstRank, firstOutput] = [0, 0];
  for (const part of parts) {
    const own = adapter.rankOf(layer, part.of);
    if (own > 0) {
      const read = await adapter.read(layer, part.of);
      for (let row = 0; row < inputs; row++) {
        down.set(read.down.subarray(row * own, (row + 1) * own), row * rank + firstRank);
      }
      for (let row = 0; row < own; row++) {
        const values = read.up.subarray(row * part.outputs, (row + 1) * part.outputs);
        up.set(values, (firstRank + row) * outputs + firstOutput);
      }
      firstRank += own;
    }
    firstOutput += part.outputs;
  }
  return { down, up, rank };
}

function inputName(layer: number, { name }: AdapterSite, side: "down" | "up"): string {
  return `lora.${layer}.${name}.${side}`;
}

function outputsOf({ parts }: AdapterSite): number {
  return parts.reduce((sum, { outputs }) => sum + outputs, 0);
}

let halves: Float32Array | undefined;

/** f16 → f32 by a table of all halves, several times faster than computing each. */
function halvesToFloats(bits: Uint16Array): Float32Array<ArrayBuffer> {
  halves ??= Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) return sign * mantissa * 2 ** -24;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
    return sign * (1024 + mantissa) * 2 ** (exponent - 25);
  });
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halves[bits[i] ?? 0] ?? 0;
  return out;
}
