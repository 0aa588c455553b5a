// Block-wise quantization of matrix rows, in the layout of ONNX Runtime's MatMulNBits and GatherBlockQuantized.
// value ≈ (q − zero) · scale, blocks of 32 along a row, low nibble first; symmetric: zero = 2^(bits−1).
// Where it is known how much each column matters, the errors are weighted by that, as llama.cpp does by its importance matrix
// (E[x²] of the column's inputs): what counts is the error of the product, and a few channels carry most of it (AWQ, 2306.00978).
// The arithmetic is WebAssembly (kernels/quantize.ts), the same on every host; this file lays out its memory.
import { quantizeKernelBytes, type QuantizeKernel } from "./quantize-kernel.ts";

export const blockSize = 32;

/** Whether blocks have zero points of their own. */
export type Scheme = "symmetric" | "asymmetric";

export interface QuantizedRows {
  readonly data: Uint8Array<ArrayBuffer>; // [rows, blocks, 32 * bits / 8]
  readonly scales: Float32Array<ArrayBuffer>; // [rows, blocks]
  /** Only of the asymmetric scheme: [rows, ceil(blocks * bits / 8)]. */
  readonly zeroPoints?: Uint8Array<ArrayBuffer>;
}

/** Blocks of one row; the last may be padded with zeros. */
export function blocksPerRow(cols: number): number {
  return Math.ceil(cols / blockSize);
}

/** Bytes of one row's packed zero points. */
export function zeroRowBytes(cols: number, bits: 4 | 8): number {
  return Math.ceil((blocksPerRow(cols) * bits) / 8);
}

/** Rows of a matrix as a checkpoint stores them. */
export interface StoredRows {
  readonly dtype: "F32" | "F16" | "BF16";
  /** [rows, cols], little-endian. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What is to become of some rows. */
export interface QuantizeJob extends StoredRows {
  readonly cols: number;
  readonly bits: 4 | 8;
  readonly scheme: Scheme;
  /** [cols]; weights the squared errors. */
  readonly importance?: Float32Array | undefined;
  /** The bytes are of no use to anyone afterwards: another thread may take them. */
  readonly spent?: boolean;
}

/** Quantizes rows, on this thread or on others. The caller that creates it ends it. */
export interface Quantizer {
  /** How many jobs it works on at a time. */
  readonly width: number;
  /** Undefined where a value is NaN or infinite. */
  quantize(job: QuantizeJob): Promise<QuantizedRows | undefined>;
}

/** One call of the kernel as plain data, so that a worker thread can make it without knowing anything else. */
export interface KernelCall {
  /** The memory that the call needs. */
  readonly end: number;
  readonly inputs: readonly { readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly args: Parameters<QuantizeKernel["quantize"]>;
  /** Where data, scales and zero points lie afterwards. */
  readonly outputs: readonly { readonly at: number; readonly bytes: number }[];
}

const types = { F32: 0, F16: 1, BF16: 2 };
/** The kernel's own numbers and the scratch of a block lie below. */
const firstFree = 2 ** 16;

/** Addresses in the kernel's memory during one call. */
export function kernelCall({ dtype, bytes, cols, bits, scheme, importance }: QuantizeJob): KernelCall {
  const rows = bytes.length / (cols * (dtype === "F32" ? 4 : 2));
  const blocks = blocksPerRow(cols);
  let end = firstFree;
  const place = (length: number) => {
    const at = end;
    end = Math.ceil((at + length) / 64) * 64;
    return { at, bytes: length };
  };
  const from = place(bytes.length).at;
  const weights = importance && blockWeights(importance, cols);
  const weightsAt = weights ? place(weights.byteLength).at : 0;
  const data = place((rows * blocks * blockSize * bits) / 8);
  const scales = place(rows * blocks * 4);
  const zeros = scheme === "asymmetric" ? place(rows * zeroRowBytes(cols, bits)) : undefined;
  return {
    end,
    inputs: [{ at: from, bytes }, ...(weights ? [{ at: weightsAt, bytes: new Uint8Array(weights.buffer) }] : [])],
    args: [from, types[dtype], rows, cols, bits, weightsAt, data.at, scales.at, zeros?.at ?? 0],
    outputs: zeros ? [data, scales, zeros] : [data, scales],
  };
}

/** Reads the quantized rows from the call's outputs. */
export function quantizedRows(outputs: readonly Uint8Array<ArrayBuffer>[]): QuantizedRows {
  const [data, scales, zeroPoints] = outputs;
  if (!data || !scales) throw new RangeError("the kernel yields data and scales");
  return { data, scales: new Float32Array(scales.buffer), ...(zeroPoints ? { zeroPoints } : {}) };
}

let here: { readonly kernel: QuantizeKernel; readonly memory: WebAssembly.Memory } | undefined;

/** Does the job in this thread; undefined where a value is NaN or infinite. */
export function quantizeStored(job: QuantizeJob): QuantizedRows | undefined {
  here ??= startKernel();
  const { kernel, memory } = here;
  const call = kernelCall(job);
  const missing = call.end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const all = new Uint8Array(memory.buffer);
  for (const { at, bytes } of call.inputs) all.set(bytes, at);
  if (!kernel.quantize(...call.args)) return undefined;
  return quantizedRows(call.outputs.map(({ at, bytes }) => new Uint8Array(memory.buffer.slice(at, at + bytes))));
}

/** Quantizes in this thread. */
export const quantizerHere: Quantizer = { width: 1, quantize: (job) => Promise.resolve(quantizeStored(job)) };

/** Quantizes `values` [rows, cols], which are finite; `importance` [cols] weights the squared errors. */
export function quantizeRows(
  values: Float32Array<ArrayBuffer>,
  cols: number,
  bits: 4 | 8,
  scheme: Scheme = "symmetric",
  importance?: Float32Array,
): QuantizedRows {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const found = quantizeStored({ dtype: "F32", bytes, cols, bits, scheme, importance });
  if (!found) throw new RangeError("only finite values can be quantized");
  return found;
}

function startKernel() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(quantizeKernelBytes()), { env: { memory } });
  return { kernel: instance.exports as unknown as QuantizeKernel, memory }; // what kernels/quantize.ts exports
}

/** What each block's errors count, [blocks · 32]: ones without importance. A channel that was silent still counts a little. */
export function blockWeights(importance: Float32Array | undefined, cols: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(blocksPerRow(cols) * blockSize).fill(1);
  if (!importance) return weights;
  if (importance.length !== cols) throw new RangeError(`${importance.length} importances for ${cols} columns`);
  for (let start = 0; start < cols; start += blockSize) {
    const block = importance.subarray(start, start + blockSize);
    const mean = block.reduce((sum, value) => sum + value, 0) / block.length;
    if (mean > 0 && Number.isFinite(mean)) block.forEach((value, i) => (weights[start + i] = value / mean + silent));
  }
  return weights;
}

/** The weight of a channel that the calibration never used, of the block's mean. */
const silent = 0.01;
