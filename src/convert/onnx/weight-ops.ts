// Writes the operators that hold weights (matrix product, embedding table, plain vectors) at 4, 8, 16 or 32 bits.
// With `expanded` the same graph gets f32 weights that are described, not stored: a host fills them from the quantized ones.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { f32ToF16Bits } from "#formats/float.ts";
import type { Matrix, MatrixBlocks, Vector } from "#convert/checkpoint/llava-tensors.ts";
import { blocksPerRow, blockSize, quantizerHere, zeroRowBytes, type Quantizer, type QuantizedRows, type QuantizeJob, type Scheme, type StoredRows } from "#convert/quantize/quantize.ts"; // prettier-ignore
import type { GraphBuilder, Value, Weight } from "./graph.ts";
import { rowSteps, wholeStep, type WeightStep } from "./weight-steps.ts";

export type Bits = 4 | 8 | 16 | 32;

/** Values held at once while a matrix is read in rows. */
const chunkElements = 2 ** 21;
/** Fewer where several threads quantize them: at a matrix's end they wait for the last one. */
const quantizedElements = 2 ** 20;

/** Same parameters of a graph, other storage. */
export interface GraphOptions {
  readonly bits: Bits;
  /** Defaults to asymmetric at 4 bits: nearer and no slower (docs/log.md). At 8 bits there is little to gain. */
  readonly scheme?: Scheme | undefined;
  readonly expanded?: boolean;
  /** Where weights are quantized; defaults to this thread. */
  readonly quantizer?: Quantizer | undefined;
  /** How much each input channel of a matrix matters, by the matrix's name. */
  readonly importances?: Importances | undefined;
  /** Matrices that a checkpoint has quantized already stay as they are, whatever `bits` says. */
  readonly keep?: boolean | undefined;
  /** The graph also yields, for every matrix, the sum of squares of each input channel: `squaresOutput(name)`, f32 [cols]. */
  readonly observed?: boolean | undefined;
  /** See buildDecoder. */
  readonly replayable?: boolean | undefined;
  /** With room for an adapter: see buildDecoder and buildVisionEncoder. */
  readonly adaptable?: boolean | undefined;
}

/** Sums or means of squares of a matrix's input channels, [cols]; undefined where nothing is known of it. */
export type Importances = (matrix: string) => Float32Array | undefined;

const squaresSuffix = "/input_squares";

/** The output of an observed graph with the squares of a matrix's inputs. */
function squaresOutput(matrix: string): string {
  return matrix + squaresSuffix;
}

/** The matrix whose inputs an observed graph's output sums up; undefined for other outputs. */
export function matrixOfSquares(output: string): string | undefined {
  return output.endsWith(squaresSuffix) ? output.slice(0, -squaresSuffix.length) : undefined;
}

export class WeightOps {
  readonly #graph: GraphBuilder;
  readonly #bits: Bits;
  readonly #expanded: boolean;
  readonly #scheme: Scheme;
  readonly #keep: boolean;
  readonly #importances: Importances | undefined;
  readonly #observed: boolean;
  readonly #quantizer: Quantizer;

  constructor(graph: GraphBuilder, options: GraphOptions) {
    this.#graph = graph;
    this.#bits = options.bits;
    this.#expanded = options.expanded ?? false;
    this.#scheme = options.scheme ?? (options.bits === 4 ? "asymmetric" : "symmetric");
    this.#keep = options.keep ?? false;
    this.#importances = options.importances;
    this.#quantizer = options.quantizer ?? quantizerHere;
    this.#observed = options.observed === true && !this.#expanded;
  }

  /** A vector of weights, f32 in every package: norms, biases and positions are too small to save on. */
  vector(vector: Vector): Value {
    const { name, dims } = vector;
    const bytes = dims.reduce((product, n) => product * n, 4);
    return this.#graph.weight({
      name,
      dtype: "float32",
      dims,
      bytes,
      steps: () => [wholeStep({ name, bytes }, vector.spans(), async () => bytesOf(await vector.read()))],
      ...(this.#expanded ? { origin: { kind: "copy", of: name } } : {}),
    });
  }

  /** A convolution's kernel: f16 with a Cast at 16 bits, else f32 (its operator knows no blocks). */
  kernel(path: string, vector: Vector): Value {
    if (this.#bits !== 16) return this.vector(vector);
    const name = `${vector.name}.f16`;
    const bytes = vector.dims.reduce((product, n) => product * n, 2);
    const read = async () => bytesOf(toF16(await vector.read(), vector.name));
    const half = this.#graph.weight({
      name,
      dtype: "float16",
      dims: vector.dims,
      bytes,
      steps: () => [wholeStep({ name, bytes }, vector.spans(), read)],
    });
    return this.#graph.node(path, "Cast", [half], { to: { int: 1 } });
  }

  /**
   * x · matrixᵀ, for x [..., cols] and a matrix [rows, cols] as PyTorch keeps it.
   *   4, 8 bits: MatMulNBits(x, data, scales[, zero points])     16: MatMul(x, Cast(f16))     32: MatMul(x, f32)
   * The result is called `output` when that is given.
   */
  linear(path: string, x: Value, matrix: Matrix, bias?: Vector, output?: Value): Value {
    if (bias === undefined) return this.#product(path, x, matrix, output ?? `${path}/product`);
    const product = this.#product(path, x, matrix, `${path}/product`);
    const sum = output ?? `${path}/Add:0`;
    this.#graph.nodeTo([sum], path, "Add", [product, this.vector(bias)]);
    return sum;
  }

  #product(path: string, x: Value, matrix: Matrix, output: Value): Value {
    const bits = this.#bits;
    if (this.#observed) this.#observe(path, x, matrix);
    const kept = this.#keep ? matrix.blocks : undefined;
    if (kept && !this.#expanded) return this.#keptProduct(path, x, matrix, kept, output);
    if (bits === 32 || this.#expanded) {
      this.#graph.nodeTo([output], path, "MatMul", [x, this.#graph.weight(this.#f32(matrix, true))]);
      return output;
    }
    if (bits === 16) {
      const half = this.#graph.weight(f16Weight(matrix, true));
      this.#graph.nodeTo([output], path, "MatMul", [x, this.#graph.node(path, "Cast", [half], { to: { int: 1 } })]);
      return output;
    }
    const { data, scales, zeroPoints } = quantizedWeights(matrix, bits, "blocks", this.#quantizer, this.#scheme, this.#importances?.(matrix.name)); // prettier-ignore
    const inputs = [x, this.#graph.weight(data), this.#graph.weight(scales)];
    if (zeroPoints) inputs.push(this.#graph.weight(zeroPoints));
    this.#graph.nodeTo([output], path, "MatMulNBits", inputs, {
      K: { int: matrix.cols },
      N: { int: matrix.rows },
      bits: { int: bits },
      block_size: { int: blockSize },
      accuracy_level: { int: 0 },
    });
    return output;
  }

  /**
   * x ─┬─ MatMulNBits(x, data, scales) ─────────────────────────────────────────────── Add
   *    └─ Reshape [.., runs, run] ─ ReduceSum(run) ─ MatMul(offsets [rows, runs] on its side) ─┘   (with offsets only)
   */
  #keptProduct(path: string, x: Value, matrix: Matrix, kept: MatrixBlocks, output: Value): Value {
    const graph = this.#graph;
    const { bits, run } = kept.form;
    const { data, scales, offsets } = keptWeights(matrix, kept, "blocks");
    const product = offsets ? `${path}/integers` : output;
    graph.nodeTo([product], path, "MatMulNBits", [x, graph.weight(data), graph.weight(scales)], {
      K: { int: matrix.cols },
      N: { int: matrix.rows },
      bits: { int: bits },
      block_size: { int: run },
      accuracy_level: { int: 0 },
    });
    if (!offsets) return output;
    const at = `${path}/offsets`;
    const columns = graph.node(at, "Transpose", [graph.weight(offsets)], { perm: { ints: [1, 0] } });
    const runs = matrix.cols / run;
    const cut = graph.node(at, "Reshape", [x, graph.int64(`runs_${runs}_${run}`, [0, 0, runs, run])]);
    const sums = graph.node(at, "ReduceSum", [cut, graph.int64("last_axis", [-1])], { keepdims: { int: 0 } });
    graph.nodeTo([output], at, "Add", [product, graph.node(at, "MatMul", [sums, columns])]);
    return output;
  }

  /**
   * Rows of a table by id, as f32 [..., cols].
   *   4, 8 bits: GatherBlockQuantized(data, ids, scales)     16: Cast(Gather(f16, ids))     32: Gather(f32, ids)
   * A quantized table is symmetric in every scheme.
   */
  gather(path: string, table: Matrix, ids: Value, outputs: readonly [string]): void {
    // Rows come out as wide as whole blocks; a table that blocks don't fill is kept at 16 bits.
    const { form } = (this.#keep && table.blocks) || {};
    // What can't be kept is hardly changed at 8 bits.
    const wanted = form && this.#bits === 4 ? 8 : this.#bits;
    const bits = wanted <= 8 && table.cols % blockSize !== 0 ? 16 : wanted;
    if (form && table.blocks && form.run === blockSize && !form.offsets && !this.#expanded) {
      const { data, scales } = keptWeights(table, table.blocks, "rows");
      this.#gatherBlocks(path, data, scales, ids, form.bits, outputs);
    } else if (bits === 32 || this.#expanded) {
      this.#graph.nodeTo(outputs, path, "Gather", [this.#graph.weight(this.#f32(table, false, "symmetric")), ids]);
    } else if (bits === 16) {
      const half = this.#graph.weight(f16Weight(table, false));
      const rows = this.#graph.node(path, "Gather", [half, ids]);
      this.#graph.nodeTo(outputs, path, "Cast", [rows], { to: { int: 1 } });
    } else {
      const { data, scales } = quantizedWeights(table, bits, "rows", this.#quantizer, "symmetric");
      this.#gatherBlocks(path, data, scales, ids, bits, outputs);
    }
  }

  #gatherBlocks(path: string, data: Weight, scales: Weight, ids: Value, bits: 4 | 8, outputs: readonly [string]): void {
    const inputs = [this.#graph.weight(data), ids, this.#graph.weight(scales)];
    this.#graph.nodeTo(outputs, path, "GatherBlockQuantized", inputs, {
      bits: { int: bits },
      block_size: { int: blockSize },
      gather_axis: { int: 0 },
      quantize_axis: { int: 1 },
    });
  }

  /** Summed inside the graph, so that no more than one number per channel leaves it: x [..., cols] → [cols]. */
  #observe(path: string, x: Value, { name, cols }: Matrix): void {
    const output = squaresOutput(name);
    const rows = this.#graph.node(`${path}/rows`, "Reshape", [x, this.#graph.int64(`rows_of_${cols}`, [-1, cols])]);
    const axes = this.#graph.int64("axis0", [0]);
    this.#graph.nodeTo([output], `${path}/squares`, "ReduceSumSquare", [rows, axes], { keepdims: { int: 0 } });
    this.#graph.output(output, "float32", [cols]);
  }

  /** Which weights of the stored graph an expanded one is filled from; undefined where those are not quantized. */
  #origins({ name, blocks }: Matrix, scheme: Scheme) {
    const form = this.#keep ? blocks?.form : undefined;
    if (form) {
      const { data, scales, offsets } = quantizedNames(name, form.bits);
      return { data, scales, bits: form.bits, block: form.run, ...(form.offsets ? { offsets } : {}) };
    }
    const bits = this.#bits;
    if (bits !== 4 && bits !== 8) return undefined;
    const { data, scales, zeroPoints } = quantizedNames(name, bits);
    return { data, scales, bits, block: blockSize, ...(scheme === "asymmetric" ? { zeroPoints } : {}) };
  }

  #f32(matrix: Matrix, transpose: boolean, scheme = this.#scheme): Weight {
    const { rows, cols } = matrix;
    const origins = this.#expanded ? this.#origins(matrix, scheme) : undefined;
    const name = `${matrix.name}.f32`;
    return {
      name,
      dtype: "float32",
      dims: transpose ? [cols, rows] : [rows, cols],
      bytes: rows * cols * 4,
      steps: () =>
        plainSteps(name, matrix, 4, transpose, {
          turned: () => transposed(matrix, new Float32Array(rows * cols), (values) => values),
          rows: (values) => values,
        }),
      ...(origins ? { origin: { kind: "quantized", ...origins, rows, cols, transpose } } : {}),
      ...(this.#expanded && !origins ? { origin: { kind: "copy", of: name } } : {}),
    };
  }
}

function f16Weight(matrix: Matrix, transpose: boolean): Weight {
  const { rows, cols } = matrix;
  const name = `${matrix.name}.f16`;
  return {
    name,
    dtype: "float16",
    dims: transpose ? [cols, rows] : [rows, cols],
    bytes: rows * cols * 2,
    steps: () =>
      plainSteps(name, matrix, 2, transpose, {
        turned: () => transposed(matrix, new Uint16Array(rows * cols), (values) => toF16(values, matrix.name)),
        rows: (values) => toF16(values, matrix.name),
      }),
  };
}

/** The steps of a matrix that is not quantized: run by run, or at once where it is turned on its side. */
function plainSteps(
  weight: string,
  matrix: Matrix,
  width: 2 | 4,
  transpose: boolean,
  make: {
    readonly turned: () => Promise<Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>;
    readonly rows: (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  },
): WeightStep[] {
  const { rows, cols } = matrix;
  const bytesPerRow = cols * width;
  if (transpose) {
    const whole = { name: weight, bytes: rows * bytesPerRow };
    return [wholeStep(whole, matrix.spans(0, rows), async () => bytesOf(await make.turned()))];
  }
  return rowSteps(
    { count: rows, perStep: rowsPerStep(matrix, chunkElements), breaks: matrix.breaks },
    [{ weight, bytesPerRow }],
    (start, count) => matrix.spans(start, count),
    async (start, count) => [bytesOf(make.rows(await matrix.readRows(start, count)))],
  );
}

function quantizedNames(name: string, bits: 4 | 8) {
  return {
    data: `${name}.q${bits}`,
    scales: `${name}.scales`,
    zeroPoints: `${name}.zero_points`,
    offsets: `${name}.offsets`,
  };
}

/** The weights of a matrix that a checkpoint has quantized already, integer by integer. */
function keptWeights(
  matrix: Matrix,
  { form, readRows }: MatrixBlocks,
  shape: "blocks" | "rows",
): { readonly data: Weight; readonly scales: Weight; readonly offsets?: Weight } {
  const { rows, cols } = matrix;
  const runs = cols / form.run;
  const rowBytes = (cols * form.bits) / 8;
  const names = quantizedNames(matrix.name, form.bits);
  const perRun = (name: string): Weight => {
    return { name, dtype: "float32", dims: [rows, runs], bytes: rows * runs * 4, steps: () => [] };
  };
  const parts = [
    { weight: names.data, bytesPerRow: rowBytes },
    { weight: names.scales, bytesPerRow: runs * 4 },
    ...(form.offsets ? [{ weight: names.offsets, bytesPerRow: runs * 4 }] : []),
  ];
  const make = async (start: number, count: number): Promise<readonly Uint8Array[]> => {
    const { data, scales, offsets } = await readRows(start, count, form);
    return [data, bytesOf(scales), ...(offsets ? [bytesOf(offsets)] : [])];
  };
  return {
    data: {
      name: names.data,
      dtype: "uint8",
      dims: shape === "blocks" ? [rows, runs, rowBytes / runs] : [rows, rowBytes],
      bytes: rows * rowBytes,
      steps: () =>
        rowSteps(
          { count: rows, perStep: rowsPerStep(matrix, quantizedElements), breaks: matrix.breaks },
          parts,
          (start, count) => matrix.spans(start, count),
          make,
        ),
    },
    scales: perRun(names.scales),
    ...(form.offsets ? { offsets: perRun(names.offsets) } : {}),
  };
}

/** The weights of a quantized matrix. Scales and zero points are made by the steps of the data. */
function quantizedWeights(
  matrix: Matrix,
  bits: 4 | 8,
  shape: "blocks" | "rows",
  quantizer: Quantizer,
  scheme: Scheme,
  importance?: Float32Array,
): { readonly data: Weight; readonly scales: Weight; readonly zeroPoints?: Weight } {
  const { name, rows, cols } = matrix;
  const blocks = blocksPerRow(cols);
  const blockBytes = (blockSize * bits) / 8;
  const names = quantizedNames(name, bits);
  const zeroBytes = zeroRowBytes(cols, bits);
  const parts = [
    { weight: names.data, bytesPerRow: blocks * blockBytes },
    { weight: names.scales, bytesPerRow: blocks * 4 },
    ...(scheme === "asymmetric" ? [{ weight: names.zeroPoints, bytesPerRow: zeroBytes }] : []),
  ];
  const make = async (start: number, count: number): Promise<readonly Uint8Array[]> => {
    const how = { cols, bits, scheme, importance };
    const { data, scales, zeroPoints } = await quantizeChunk(matrix, start, count, quantizer, how);
    return [data, bytesOf(scales), ...(zeroPoints ? [zeroPoints] : [])];
  };
  const madeAlong = (): readonly WeightStep[] => [];
  return {
    data: {
      name: names.data,
      dtype: "uint8",
      dims: shape === "blocks" ? [rows, blocks, blockBytes] : [rows, blocks * blockBytes],
      bytes: rows * blocks * blockBytes,
      width: quantizer.width + 1,
      steps: () =>
        rowSteps(
          { count: rows, perStep: rowsPerStep(matrix, quantizedElements), breaks: matrix.breaks },
          parts,
          (start, count) => matrix.spans(start, count),
          make,
        ),
    },
    scales: { name: names.scales, dtype: "float32", dims: [rows, blocks], bytes: rows * blocks * 4, steps: madeAlong },
    ...(scheme === "asymmetric"
      ? {
          zeroPoints: {
            name: names.zeroPoints,
            dtype: "uint8",
            dims: [rows, zeroBytes],
            bytes: rows * zeroBytes,
            steps: madeAlong,
          },
        }
      : {}),
  };
}

/** Reads some rows, as a file has them where that can be, and quantizes them. */
async function quantizeChunk(
  matrix: Matrix,
  start: number,
  count: number,
  quantizer: Quantizer,
  how: Omit<QuantizeJob, keyof StoredRows>,
): Promise<QuantizedRows> {
  const stored = await matrix.readStored?.(start, count);
  const found = stored && (await quantizer.quantize({ ...stored, ...how, spent: true }));
  if (found) return found;
  // The rows are computed, or a value is NaN; reading them again finds out which.
  const bytes = bytesOf(await matrix.readRows(start, count));
  const computed = await quantizer.quantize({ dtype: "F32", bytes, ...how });
  if (!computed) throw badCheckpoint(`${matrix.name} holds a value that is no number`);
  return computed;
}

/** Rows of about so many elements. */
function rowsPerStep({ cols }: Matrix, elements: number): number {
  return Math.max(1, Math.floor(elements / cols));
}

async function* rowChunks(matrix: Matrix): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const step = rowsPerStep(matrix, chunkElements);
  for (let row = 0; row < matrix.rows; row += step) yield matrix.readRows(row, Math.min(step, matrix.rows - row));
}

/** Fills `out` [cols, rows] with the matrix [rows, cols] on its side. */
async function transposed<T extends Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(
  matrix: Matrix,
  out: T,
  convert: (values: Float32Array<ArrayBuffer>) => Float32Array | Uint16Array,
): Promise<T> {
  const { rows, cols } = matrix;
  let top = 0;
  for await (const values of rowChunks(matrix)) {
    const converted = convert(values);
    const count = values.length / cols;
    for (let row = 0; row < count; row++) {
      for (let col = 0; col < cols; col++) out[col * rows + top + row] = converted[row * cols + col] ?? 0;
    }
    top += count;
  }
  return out;
}

function toF16(values: Float32Array, name: string): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const bits = f32ToF16Bits(values[i] ?? 0);
    if ((bits & 0x7fff) === 0x7c00) {
      throw badCheckpoint(`${name} holds ${values[i]}, too large for 16 bits; use --bits 32`);
    }
    out[i] = bits;
  }
  return out;
}

function bytesOf(values: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
