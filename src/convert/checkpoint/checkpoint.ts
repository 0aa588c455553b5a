// Tensors by name, whichever files they lie in or whatever they are computed from: the one view that the converter has of weights.
// Independent of file formats and models.
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import type { BlockForm, PackedBlocks } from "#formats/gguf/pack.ts";
import { bf16ToF32, f16ToF32 } from "#formats/float.ts";

/** Types of elements by their safetensors names, with their bytes. */
export const dtypeBytes: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
export type FloatDtype = "F64" | "F32" | "F16" | "BF16";

/** A tensor that reads itself in runs of elements, in row-major order. */
export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The file, or what the tensor is computed from; for messages. */
  readonly origin: string;
  /** `count` elements from element `start`, as f32; throws on NaN and infinity, which no healthy checkpoint holds. */
  read(start: number, count: number): Promise<Float32Array<ArrayBuffer>>;
  /** The stored bytes, unchecked; only for tensors that are stored contiguously in a file. */
  readonly readStored?: ((start: number, count: number) => Promise<StoredValues>) | undefined;
  /** Its small integers as they are, where it is stored in blocks of such. */
  readonly blocks?: TensorBlocks | undefined;
  /** What of files a read of these elements touches; absent where they are computed, which takes files at random. */
  readonly spans?: ((start: number, count: number) => readonly Span[] | undefined) | undefined;
}

/** A tensor that is quantized already. */
export interface TensorBlocks {
  readonly form: BlockForm;
  /** Whole rows, in a form that holds them. */
  read(start: number, count: number, form: BlockForm): Promise<PackedBlocks>;
}

/** Some bytes of a file. */
export interface Span {
  readonly source: ByteSource;
  readonly offset: number;
  readonly bytes: number;
}

/** Elements as a file has them. */
export interface StoredValues {
  readonly dtype: "F32" | "F16" | "BF16";
  readonly bytes: Uint8Array<ArrayBuffer>; // little-endian
}

/** A tensor's place in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its first element begins. */
  readonly offset: number;
  /** Steps between elements per dimension, in elements, where they do not simply follow one another. */
  readonly strides?: readonly number[];
}

/** Tensors by name over all files of a checkpoint. */
export class Checkpoint {
  readonly tensors: ReadonlyMap<string, Tensor>;
  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.tensors = tensors;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** The tensor, checked to be a float tensor of exactly this shape. */
  tensor(name: string, shape: readonly number[]): Tensor {
    const found = this.tensors.get(name);
    if (!found) throw badCheckpoint(`the checkpoint has no tensor ${name}`);
    if (!sameShape(found.shape, shape)) {
      throw badCheckpoint(
        `tensor ${name} has shape ${shapeText(found.shape)}; config.json asks for ${shapeText(shape)}`,
      );
    }
    requireFloat(found);
    return found;
  }

  /** A tensor that is stored as 8-bit integers with a scale per row (`scalesOf`), as what these stand for; or as floats. */
  scaledTensor(name: string, shape: readonly number[]): Tensor {
    const found = this.tensors.get(name);
    if (found?.dtype !== "I8") return this.tensor(name, shape);
    if (!sameShape(found.shape, shape)) {
      throw badCheckpoint(
        `tensor ${name} has shape ${shapeText(found.shape)}; config.json asks for ${shapeText(shape)}`,
      );
    }
    const scales = this.tensor(scalesOf(name), shape.slice(0, 1));
    const perRow = elementsOf(shape.slice(1));
    const rowsOf = (start: number, count: number): readonly [number, number] => {
      const first = Math.floor(start / perRow);
      return [first, Math.ceil((start + count) / perRow) - first];
    };
    return computedTensor(found, {
      spans: (start, count) => joinSpans([found.spans?.(start, count), scales.spans?.(...rowsOf(start, count))]),
      async read(start, count) {
        const values = await found.read(start, count);
        const [first, rows] = rowsOf(start, count);
        const factors = await scales.read(first, rows);
        return values.map((value, i) => value * (factors[Math.floor((start + i) / perRow) - first] ?? NaN));
      },
    });
  }
}

/** Where the scales lie of a tensor that is stored as 8-bit integers. */
export function scalesOf(name: string): string {
  return `${name}_step`;
}

/** A tensor stored in a file. */
export function storedTensor(entry: TensorEntry, source: ByteSource, file: string): Tensor {
  const { name, dtype, shape } = entry;
  return {
    name,
    dtype,
    shape,
    origin: file,
    async read(start, count) {
      const type = dtype === "I8" ? dtype : requireFloat({ name, dtype });
      const values = entry.strides
        ? await gather(entry, entry.strides, type, source, start, count)
        : await run(type, source, entry.offset + start * (dtypeBytes[type] ?? 0), count);
      for (let i = 0; i < count; i++) {
        const value = values[i] ?? NaN;
        if (!Number.isFinite(value)) throw badCheckpoint(`tensor ${name} holds ${value}: the checkpoint is damaged`);
      }
      return values;
    },
    ...(entry.strides ? {} : storedReader(dtype, source, entry.offset)),
    spans: (start, count) => [storedSpan(entry, source, start, count)],
  };
}

/** Of a view whose elements do not follow one another the whole: they lie all over it. */
function storedSpan(
  { dtype, shape, offset, strides }: TensorEntry,
  source: ByteSource,
  start: number,
  count: number,
): Span {
  const width = dtypeBytes[dtype] ?? 0;
  if (!strides) return { source, offset: offset + start * width, bytes: count * width };
  const last = shape.reduce((sum, n, d) => sum + Math.max(0, n - 1) * (strides[d] ?? 0), 0);
  return { source, offset, bytes: (last + 1) * width };
}

/** The spans of several reads; undefined where those of one are not known. */
export function joinSpans(all: readonly (readonly Span[] | undefined)[]): readonly Span[] | undefined {
  const known = all.filter((spans) => spans !== undefined);
  return known.length === all.length ? known.flat() : undefined;
}

/** A tensor like this one whose values are computed; nothing of it is stored. */
export function computedTensor(
  like: Tensor,
  computed: Pick<Tensor, "read" | "spans"> & { readonly origin?: string },
): Tensor {
  return { ...like, readStored: undefined, blocks: undefined, spans: undefined, ...computed };
}

function storedReader(dtype: string, source: ByteSource, offset: number): Pick<Tensor, "readStored"> {
  if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") return {};
  const width = dtypeBytes[dtype] ?? 0;
  return {
    async readStored(start, count) {
      return { dtype, bytes: await source.read(offset + start * width, count * width) };
    },
  };
}

/** Elements in a tensor of this shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Bytes of a tensor as it would be stored. */
export function bytesOf({ shape, dtype }: Pick<Tensor, "shape" | "dtype">): number {
  return elementsOf(shape) * (dtypeBytes[dtype] ?? 0);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Whether a name is one of the buffers that older files carry along; they follow from the config. */
export function isBuffer(name: string): boolean {
  return name.endsWith("position_ids") || name.endsWith("rotary_emb.inv_freq");
}

/** "[32000, 4096]", for messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** The tensor's type, if it is one of weights. */
export function requireFloat({ name, dtype }: Pick<Tensor, "name" | "dtype">): FloatDtype {
  if (dtype === "F32" || dtype === "F16" || dtype === "BF16" || dtype === "F64") return dtype;
  throw badCheckpoint(`tensor ${name} is ${dtype}; only F32, F16, BF16 and F64 can be converted`);
}

async function run(
  dtype: FloatDtype | "I8",
  source: ByteSource,
  offset: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const width = dtypeBytes[dtype] ?? 0;
  const bytes = await source.read(offset, count * width);
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  if (dtype === "I8") return Float32Array.from(new Int8Array(buffer, byteOffset, count));
  if (dtype === "F32") return new Float32Array(buffer, byteOffset, count);
  if (dtype === "F64") return Float32Array.from(new Float64Array(buffer, byteOffset, count));
  const bits = new Uint16Array(buffer, byteOffset, count);
  return dtype === "F16" ? f16ToF32(bits) : bf16ToF32(bits);
}

/** Elements that do not follow one another (transposed or cut-out views): reads the span they lie in, and picks. */
async function gather(
  entry: TensorEntry,
  strides: readonly number[],
  dtype: FloatDtype | "I8",
  source: ByteSource,
  start: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const places = new Float64Array(count);
  const index = entry.shape.map(() => 0);
  let rest = start;
  for (let d = index.length - 1; d >= 0; d--) {
    const n = entry.shape[d] ?? 1;
    index[d] = rest % n;
    rest = Math.floor(rest / n);
  }
  let [first, last] = [Infinity, 0];
  for (let i = 0; i < count; i++) {
    let place = 0;
    for (let d = 0; d < index.length; d++) place += (index[d] ?? 0) * (strides[d] ?? 0);
    places[i] = place;
    first = Math.min(first, place);
    last = Math.max(last, place);
    for (let d = index.length - 1; d >= 0; d--) {
      const next = (index[d] ?? 0) + 1;
      index[d] = next === entry.shape[d] ? 0 : next;
      if (index[d] !== 0) break;
    }
  }
  if (count === 0) return new Float32Array(0);
  const span = await run(dtype, source, entry.offset + first * (dtypeBytes[dtype] ?? 0), last - first + 1);
  return Float32Array.from(places, (place) => span[place - first] ?? NaN);
}
