// Tensors of GGUF files that read themselves as f32, and rows of them in the order of Hugging Face.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { storedTensor, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import { dequantizeGguf, isReadable } from "#formats/gguf/dequantize.ts";
import { formOf, packBlocks, type PackedBlocks } from "#formats/gguf/pack.ts";
import type { GgufTensor } from "#formats/gguf/header.ts";

/** A tensor in its file. Throws EngineError("bad-checkpoint") for types that are not read. */
export function openGgufTensor(entry: GgufTensor, source: ByteSource, file: string): Tensor {
  const { name, type, shape, offset } = entry;
  if (!isReadable(type)) {
    throw badCheckpoint(
      `${file} has the tensor ${name} as ${type.name}, which can't be read; take a file quantized as Q4_K_M, Q8_0 or F16`,
    );
  }
  if (!type.blocks) return storedTensor({ name, dtype: type.name, shape, offset }, source, file);
  const { elements, bytes, blocks: kind } = type;
  const check = (value: number): void => {
    if (!Number.isFinite(value)) throw badCheckpoint(`tensor ${name} of ${file} holds ${value}: the file is damaged`);
  };
  /** The blocks that these elements lie in. */
  const blocksOf = (start: number, count: number) => {
    const first = Math.floor(start / elements);
    const last = Math.ceil((start + count) / elements);
    return { first, span: { source, offset: offset + first * bytes, bytes: (last - first) * bytes } };
  };
  return {
    name,
    dtype: "F32",
    shape,
    origin: file,
    spans: (start, count) => [blocksOf(start, count).span],
    blocks: {
      form: formOf(kind),
      async read(start, count, form) {
        const { span } = blocksOf(start, count);
        const packed = packBlocks(kind, type, await source.read(span.offset, span.bytes), form);
        for (const values of [packed.scales, packed.offsets ?? []]) values.forEach(check);
        return packed;
      },
    },
    async read(start, count) {
      const { first, span } = blocksOf(start, count);
      const all = dequantizeGguf(type, await source.read(span.offset, span.bytes));
      const values = all.length === count ? all : all.slice(start - first * elements, start - first * elements + count);
      values.forEach(check);
      return values;
    },
  };
}

/**
 * The rows of a matrix (or the elements of a bias) of queries or keys in the order of Hugging Face. llama.cpp's arch "llama" turns
 * neighbouring rows of a head by a position's angle, Hugging Face a row of the first half with one of the second.
 */
export function inHalves(tensor: Tensor, headSize: number): Tensor {
  const cols = tensor.shape.length === 1 ? 1 : (tensor.shape.at(-1) ?? 1);
  const half = headSize / 2;
  /** The row in the file. */
  const rowOf = (row: number): number => {
    const inHead = row % headSize;
    return row - inHead + 2 * (inHead % half) + (inHead < half ? 0 : 1);
  };
  /** The whole heads that these elements lie in: a half's rows lie between the other's. */
  const headsOf = (start: number, count: number) => {
    const top = Math.floor(start / cols / headSize) * headSize;
    const bottom = Math.ceil((start + count) / cols / headSize) * headSize;
    return { top, at: top * cols, count: (bottom - top) * cols };
  };
  return {
    ...tensor,
    readStored: undefined,
    blocks: tensor.blocks && {
      form: tensor.blocks.form,
      async read(start, count, form) {
        const heads = headsOf(start, count);
        const all = await tensor.blocks?.read(heads.at, heads.count, form);
        if (!all) throw new RangeError("a tensor has lost its blocks");
        const [firstRow, endRow] = [start / cols, (start + count) / cols];
        const rows = Array.from({ length: endRow - firstRow }, (_, i) => rowOf(firstRow + i) - heads.top);
        const rowsIn = (heads.count / cols) | 0;
        const { data, scales, offsets } = all;
        const picked: PackedBlocks = { data: pick(data, rowsIn, rows), scales: pick(scales, rowsIn, rows) };
        return offsets ? { ...picked, offsets: pick(offsets, rowsIn, rows) } : picked;
      },
    },
    spans(start, count) {
      const heads = headsOf(start, count);
      return tensor.spans?.(heads.at, heads.count);
    },
    async read(start, count) {
      const heads = headsOf(start, count);
      const values = await tensor.read(heads.at, heads.count);
      const [firstRow, endRow] = [Math.floor(start / cols), Math.ceil((start + count) / cols)];
      const out = new Float32Array((endRow - firstRow) * cols);
      for (let row = firstRow; row < endRow; row++) {
        const from = (rowOf(row) - heads.top) * cols;
        out.set(values.subarray(from, from + cols), (row - firstRow) * cols);
      }
      return out.length === count ? out : out.slice(start - firstRow * cols, start - firstRow * cols + count);
    },
  };
}

/** Some of an array's rows, of which it has `rowsIn`. */
function pick<T extends Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  values: T,
  rowsIn: number,
  rows: readonly number[],
): T {
  const width = values.length / rowsIn;
  const out = values.slice(0, rows.length * width) as T; // slice keeps the type of the array
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}
