// Looks up rows of a quantized embedding table, without a runtime. Knows no words.
import { EngineError } from "#engine/errors.ts";
import { blockSize, expect, GraphWalk, walked } from "./graph-walk.ts";
import { readTensor, type WeightFiles } from "./memory.ts";
import type { OnnxGraph, OnnxTensor } from "#formats/onnx-reader.ts";

/** A table [rows, cols] in blocks of 32 columns with a scale each, and no zero points. */
export interface EmbedPlan {
  readonly bits: 4 | 8;
  readonly rows: number;
  readonly cols: number;
  readonly data: OnnxTensor;
  readonly scales: OnnxTensor;
}

/** The plan of a graph that only looks up rows; undefined for other graphs. */
export function planEmbed(graph: OnnxGraph): EmbedPlan | undefined {
  return walked(() => {
    const walk = new GraphWalk(graph.nodes, graph.tensors, []);
    const node = walk.next("GatherBlockQuantized");
    walk.end();
    const bits = node.numbers.get("bits");
    expect(bits === 4 || bits === 8);
    expect(node.inputs.length === 3 && node.numbers.get("block_size") === blockSize);
    expect((node.numbers.get("gather_axis") ?? 0) === 0 && (node.numbers.get("quantize_axis") ?? 1) === 1);
    const [data, scales] = [walk.tensor(node.inputs[0]), walk.tensor(node.inputs[2])];
    const [rows, blocks] = scales.dims;
    const cols = expect(blocks) * blockSize;
    // Unsigned integers, with zero in the middle of their range.
    expect(data.type === 2 && data.dims[0] === rows && data.dims[1] === (cols * expect(bits)) / 8);
    return { bits: bits === 4 ? 4 : 8, rows: expect(rows), cols, data, scales };
  });
}

export interface EmbedTable {
  /** Token ids → rows [ids, cols]; throws "bad-input" for an id that the table does not have. */
  rows(ids: readonly number[]): Float32Array<ArrayBuffer>;
}

export async function loadEmbed(plan: EmbedPlan, from: WeightFiles): Promise<EmbedTable> {
  const { bits, cols } = plan;
  const data = await readTensor(plan.data, from);
  const raw = await readTensor(plan.scales, from);
  const scales = new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
  const rowBytes = (cols * bits) / 8;
  const blocks = cols / blockSize;
  return {
    rows(ids) {
      const out = new Float32Array(ids.length * cols);
      for (const [i, id] of ids.entries()) {
        if (!(id >= 0 && id < plan.rows)) throw new EngineError("bad-input", `there is no token ${id}`);
        const row = data.subarray(id * rowBytes, (id + 1) * rowBytes);
        for (let j = 0; j < cols; j++) {
          const byte = row[bits === 8 ? j : j >> 1] ?? 0;
          const q = bits === 8 ? byte - 128 : (j & 1 ? byte >> 4 : byte & 15) - 8;
          out[i * cols + j] = q * (scales[id * blocks + (j >> 5)] ?? 0);
        }
      }
      return out;
    },
  };
}
