// LoRA beside the decoder's matrices in the kernel's memory: how many bytes it takes, and its numbers as kernels/lora.ts reads them. Knows no
// package.
import * as loraLayout from "#engine/kernel/layout/lora.ts";
import * as layerLayout from "#engine/kernel/layout/llama-layer.ts";
import { blockSize } from "./graph-walk.ts";
import type { LlamaPlan } from "./llama-plan.ts";
import { tableWords } from "./memory.ts";

/** The matrices of a layer that LoRA may stand beside. */
const loraSites = ["qkv", "out", "gate", "up", "down"] as const;
export type LoraSite = (typeof loraSites)[number];

/** `down` [inputs, rank] and `up` [rank, outputs], which is multiplied by alpha / rank already. */
export interface LoraMatrices {
  readonly down: Float32Array;
  readonly up: Float32Array;
}

/** LoRA for a decoder. Queries, keys and values are parts of one site; each of the other sites has one part. */
export interface LlamaLora {
  /** The rank of each part, 0 where it has none. */
  ranksOf(layer: number, site: LoraSite): readonly number[];
  read(layer: number, site: LoraSite, part: number): Promise<LoraMatrices>;
}

/** LoRA's bytes for a place in the memory, and what the layers' table says of it. */
export interface PackedLora {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Address of the record of each layer's sites, 0 where there is none. */
  readonly records: readonly Readonly<Record<LoraSite, number>>[];
}

const recordFields: Readonly<Record<LoraSite, number>> = {
  qkv: layerLayout.qkvLora,
  out: layerLayout.outLora,
  gate: layerLayout.gateLora,
  up: layerLayout.upLora,
  down: layerLayout.downLora,
};

/** Places and words of the layers' table that make the kernel use this LoRA, or none. */
export function tableOf(
  plan: LlamaPlan,
  table: number,
  lora: PackedLora | undefined,
): { readonly at: number; readonly word: number }[] {
  return plan.layers.flatMap((_, layer) =>
    loraSites.map((site) => ({
      at: table + layer * layerLayout.bytes + recordFields[site],
      word: lora?.records[layer]?.[site] ?? 0,
    })),
  );
}

/** Rows of the matrix of each part of a site. */
function outputsOf({ layers, heads, kvHeads, headSize }: LlamaPlan, layer: number, site: LoraSite): readonly number[] {
  if (site === "qkv") return [heads, kvHeads, kvHeads].map((count) => count * headSize);
  return [layers[layer]?.[site].rows ?? 0];
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Where everything of a LoRA lies, from 0 on. */
function layOut(plan: LlamaPlan, lora: LlamaLora, mostRows: number) {
  let end = 0;
  const place = (bytes: number): number => {
    const at = end;
    end += aligned(bytes);
    return at;
  };
  const all = plan.layers.flatMap((planned, layer) =>
    loraSites.flatMap((site) => {
      const ranks = lora.ranksOf(layer, site);
      if (sum(ranks) === 0) return [];
      return [{ layer, site, ranks, columns: planned[site].cols, outputs: outputsOf(plan, layer, site) }];
    }),
  );
  const most = Math.max(0, ...all.map(({ ranks }) => sum(ranks)));
  // Gates and what they let through are computed together, all others one after another.
  const [low, lowOfUp] = [place(mostRows * most * 4), place(mostRows * most * 4)];
  const sites = all.map((site) => ({
    ...site,
    low: site.site === "up" ? lowOfUp : low,
    record: place(loraLayout.bytes),
    down: place(sum(site.ranks) * site.columns * 2),
    scales: place((sum(site.ranks) * site.columns * 4) / blockSize),
    ups: site.ranks.map((rank, part) => place(rank * (site.outputs[part] ?? 0) * 4)),
  }));
  return { sites, bytes: end };
}

/** Bytes that this LoRA takes beside the decoder, for at most so many rows at a time. */
export function loraBytes(plan: LlamaPlan, lora: LlamaLora, mostRows: number): number {
  return layOut(plan, lora, mostRows).bytes;
}

/** Reads all of a LoRA, for the memory from `base` on, a multiple of 64. */
export async function packLora(plan: LlamaPlan, lora: LlamaLora, mostRows: number, base: number): Promise<PackedLora> {
  const { sites, bytes: length } = layOut(plan, lora, mostRows);
  const bytes = new Uint8Array(length);
  const records = plan.layers.map((): Record<LoraSite, number> => ({ qkv: 0, out: 0, gate: 0, up: 0, down: 0 }));
  for (const { layer, site, ranks, columns, outputs, low, record, down, scales, ups } of sites) {
    const parts: number[] = [];
    let [end, first] = [0, 0];
    for (const [part, rank] of ranks.entries()) {
      end += outputs[part] ?? 0;
      parts.push(end, rank, first, base + (ups[part] ?? 0));
      if (rank > 0) {
        const matrices = await lora.read(layer, site, part);
        const own = {
          values: new Int16Array(bytes.buffer, down + first * columns * 2, rank * columns),
          scales: new Float32Array(
            bytes.buffer,
            scales + (first * columns * 4) / blockSize,
            (rank * columns) / blockSize,
          ),
        };
        quantizeDown(matrices.down, rank, columns, own);
        new Float32Array(bytes.buffer, ups[part], matrices.up.length).set(matrices.up);
      }
      first += rank;
    }
    const words = tableWords(recordLayout, {
      ranks: first,
      columns,
      down: base + down,
      scales: base + scales,
      low: base + low,
      parts,
    });
    new Int32Array(bytes.buffer, record, words.length).set(words);
    const own = records[layer];
    if (own) own[site] = base + record;
  }
  return { bytes, records };
}

const recordLayout = {
  ranks: loraLayout.ranks,
  columns: loraLayout.columns,
  down: loraLayout.down,
  scales: loraLayout.scales,
  low: loraLayout.low,
  parts: loraLayout.parts,
  bytes: loraLayout.bytes,
};

/** `down` [columns, rank] as [rank, columns] in integers, with a scale per block of columns. */
function quantizeDown(
  down: Float32Array,
  rank: number,
  columns: number,
  to: { readonly values: Int16Array; readonly scales: Float32Array },
): void {
  for (let r = 0; r < rank; r++) {
    for (let block = 0; block < columns / blockSize; block++) {
      const start = block * blockSize;
      let most = 0;
      for (let i = 0; i < blockSize; i++) most = Math.max(most, Math.abs(down[(start + i) * rank + r] ?? 0));
      const scale = most / loraLayout.mostDown;
      to.scales[(r * columns) / blockSize + block] = scale;
      if (scale === 0) continue;
      for (let i = 0; i < blockSize; i++) {
        // Elements 0, 4, 8 …, then 1, 5, 9 …: the order of quantized rows.
        const element = (i % 8) * 4 + Math.floor(i / 8);
        to.values[r * columns + start + i] = Math.round((down[(start + element) * rank + r] ?? 0) / scale);
      }
    }
  }
}
