// A package's weights as tensors of a GGUF file: blocks of 32 at 4 bits with zero points are Q4_1, without them Q4_0, at 8 bits Q8_0; only the
// scales are rounded, to 16 bits. Knows no model.
import type { PlannedMatrix } from "#engine/kernel/graph-walk.ts";
import { readOnnx, type OnnxGraph, type OnnxTensor } from "#formats/onnx-reader.ts";
import type { PackageFiles } from "#engine/types.ts";
import { f32ToF16Bits } from "#formats/float.ts";
import type { GgufTensor } from "./gguf.ts";

/** Rows of a matrix that become a tensor; `turned`: llama.cpp turns neighbouring rows of a head where Hugging Face turns its halves. */
export interface Part {
  /** Without `.weight`. */
  readonly name: string;
  readonly from: number;
  readonly rows: number;
  /** Rows of a head. */
  readonly turned?: number;
}

/** One graph's weights; the tensors that were asked for gather in `tensors`. */
export class GraphWeights {
  readonly tensors: GgufTensor[] = [];
  readonly graph: OnnxGraph;
  readonly #files: PackageFiles;
  readonly #folder: string;

  private constructor(graph: OnnxGraph, files: PackageFiles, folder: string) {
    this.graph = graph;
    this.#files = files;
    this.#folder = folder;
  }

  static async open(files: PackageFiles, path: string): Promise<GraphWeights> {
    const graph = readOnnx(new Uint8Array(await (await files.blob(path)).arrayBuffer()));
    return new GraphWeights(graph, files, path.slice(0, path.lastIndexOf("/") + 1));
  }

  /** 32-bit floats as they are. */
  async floats(name: string, tensor: OnnxTensor): Promise<void> {
    this.tensors.push({ name, type: "f32", dims: tensor.dims, data: await this.#bytesOf(tensor) });
  }

  /** The matrix's rows, and its bias's where it has one. */
  async matrix(matrix: Omit<PlannedMatrix, "rows" | "run" | "offsets">, parts: readonly Part[]): Promise<void> {
    const whole = {
      data: await this.#bytesOf(matrix.data),
      scales: floatsOf(await this.#bytesOf(matrix.scales)),
      zeros: matrix.zeroPoints && (await this.#bytesOf(matrix.zeroPoints)),
    };
    const bias = matrix.bias && floatsOf(await this.#bytesOf(matrix.bias));
    for (const part of parts) {
      this.tensors.push(blocksOf(matrix, whole, part));
      if (!bias) continue;
      const rows = Float32Array.from({ length: part.rows }, (_, i) => bias[part.from + rowOf(i, part.turned)] ?? 0);
      this.tensors.push({
        name: `${part.name}.bias`,
        type: "f32",
        dims: [part.rows],
        data: new Uint8Array(rows.buffer),
      });
    }
  }

  async #bytesOf({ data }: OnnxTensor): Promise<Uint8Array<ArrayBuffer>> {
    if (data instanceof Uint8Array) return data;
    const blob = await this.#files.blob(this.#folder + data.file);
    return new Uint8Array(await blob.slice(data.offset, data.offset + data.bytes).arrayBuffer());
  }
}

interface Blocks {
  readonly data: Uint8Array;
  readonly scales: Float32Array;
  readonly zeros: Uint8Array | undefined;
}

function blocksOf({ bits, cols }: Pick<PlannedMatrix, "bits" | "cols">, whole: Blocks, part: Part): GgufTensor {
  const blocks = cols / 32;
  const hasMinimum = bits === 4 && whole.zeros !== undefined;
  const blockBytes = bits === 8 ? 34 : hasMinimum ? 20 : 18;
  const out = new Uint8Array(part.rows * blocks * blockBytes);
  const view = new DataView(out.buffer);
  const zeroBytes = bits === 4 ? Math.ceil(blocks / 2) : blocks;
  for (let i = 0; i < part.rows; i++) {
    const row = part.from + rowOf(i, part.turned);
    for (let b = 0; b < blocks; b++) {
      const block = row * blocks + b;
      const scale = whole.scales[block] ?? 0;
      const at = (i * blocks + b) * blockBytes;
      view.setUint16(at, f32ToF16Bits(scale), true);
      const from = block * 4 * bits;
      if (bits === 8) {
        const zero = whole.zeros?.[row * zeroBytes + b] ?? 128;
        for (let j = 0; j < 32; j++) view.setInt8(at + 2 + j, (whole.data[from + j] ?? 0) - zero);
        continue;
      }
      if (whole.zeros) {
        const both = whole.zeros[row * zeroBytes + (b >> 1)] ?? 0;
        view.setUint16(at + 2, f32ToF16Bits(-scale * (b & 1 ? both >> 4 : both & 15)), true);
      }
      // Theirs: the first half in the low nibbles, the second in the high ones; ours: neighbours in a byte.
      const nibble = (j: number): number => {
        const byte = whole.data[from + (j >> 1)] ?? 0;
        return j & 1 ? byte >> 4 : byte & 15;
      };
      const target = at + (hasMinimum ? 4 : 2);
      for (let j = 0; j < 16; j++) out[target + j] = nibble(j) | (nibble(j + 16) << 4);
    }
  }
  const type = bits === 8 ? "q8_0" : hasMinimum ? "q4_1" : "q4_0";
  return { name: `${part.name}.weight`, type, dims: [part.rows, cols], data: out };
}

function rowOf(i: number, headSize: number | undefined): number {
  if (headSize === undefined) return i;
  const inHead = i % headSize;
  return i - inHead + (inHead & 1) * (headSize / 2) + (inHead >> 1);
}

function floatsOf(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
