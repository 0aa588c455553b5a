// Runs a vision tower and its projector on this project's own WebAssembly kernel (kernels/vision.ts): several threads over one memory that holds the
// weights as they are in the package. Knows no runtime; its host starts the helper threads.
import { EngineError } from "#engine/errors.ts";
import { classifierFits, placeClassifier } from "./classifier.ts";
import * as numbers from "#engine/kernel/layout/activations.ts";
import * as blockLayout from "#engine/kernel/layout/vision-block.ts";
import * as layout from "#engine/kernel/layout/vision-header.ts";
import {
  floatWord,
  KernelMemory,
  readTensor,
  tableWords,
  unpackedBytes,
  type KernelHelpers,
  type WeightFiles,
} from "./memory.ts";
import type { OnnxTensor } from "#formats/onnx-reader.ts";
import { visionKernelBytes } from "./vision-kernel.ts";
import { visionRelaxedKernelBytes } from "./vision-relaxed-kernel.ts";
import type { Activation, PlannedBlock, PlannedNorm, VisionPlan } from "./vision-plan.ts";

/** What the tower computes for a picture. */
interface VisionResult {
  /** [rows, projected]. */
  readonly features: Float32Array<ArrayBuffer>;
  readonly projected: number;
  /** The projector's input, [rows, hidden], where the graph yields that. */
  readonly tower: Float32Array<ArrayBuffer> | undefined;
  readonly hidden: number;
  /** [projected], where the graph yields that. */
  readonly newline: Float32Array<ArrayBuffer> | undefined;
  /** Of a mixture: above 0 where its classifier takes the picture for a photograph. */
  readonly photograph: number | undefined;
}

/** A tower and its projector with their weights. One run at a time. */
export interface VisionTower {
  /** Normalised pixels [channels, size, size] → features. */
  run(pixels: Float32Array): VisionResult;
  release(): void;
}

const activations: Readonly<Record<Activation, number>> = {
  quick_gelu: numbers.quickGelu,
  gelu_tanh: numbers.geluTanh,
  gelu: numbers.gelu,
  relu: numbers.relu,
  silu: numbers.silu,
};

export interface TowerOptions extends WeightFiles {
  readonly plan: VisionPlan;
  /** Pixels on a picture's side. */
  readonly image: number;
  readonly helpers: KernelHelpers | undefined;
}

/** Whether the kernel's arithmetic fits these shapes. */
export function fitsKernel(plan: VisionPlan, image: number): boolean {
  const { hidden, headSize, patch, positions, classRow, classifier, shuffle } = plan;
  const side = Math.floor(towerSide(plan, image) / patch); // pixels beyond the last whole patch are ignored
  const patches = side ** 2;
  if (classifier && !classifierFits(classifier, { image, hidden, patches, projected: 0 })) return false;
  return (
    hidden % 32 === 0 &&
    headSize % 8 === 0 &&
    side % shuffle === 0 &&
    positions.dims[0] === patches + (classRow ? 1 : 0) &&
    plan.blocks.every(({ qkv, out, wide, narrow }) => {
      const fits = qkv.cols === hidden && out.cols === hidden && wide.cols === hidden && narrow.rows === hidden;
      return fits && wide.rows === plan.ffn && narrow.cols === plan.ffn;
    })
  );
}

/** Pixels on a side of the transformer's picture, which a mixture scales down itself. */
function towerSide({ classifier }: VisionPlan, image: number): number {
  return classifier?.classifier.resize.dims[0] ?? image;
}

/** Reads the weights into a new memory; rejects with "out-of-memory" where they do not fit. */
export async function loadTower(options: TowerOptions): Promise<VisionTower> {
  const { plan, helpers } = options;
  const { hidden, channels } = plan;
  const memory = new KernelMemory();
  const { fields, tables, placed } = layOut(memory, plan, options.image, 1 + (helpers?.count ?? 0));
  await memory.make(0, options);
  memory.fields(layout, fields);
  memory.words(fields.blockTable, tables.blocks);
  memory.words(fields.projector, tables.projector);
  if (tables.preNorm) memory.words(fields.preNorm, tables.preNorm);
  if (tables.postNorm) memory.words(fields.postNorm, tables.postNorm);
  writePatchWeights(memory.floats.subarray(fields.patchWeights >> 2), await floatsOf(plan.kernel, options), hidden);
  if (plan.kernelBias) {
    const size = fields.rows * hidden;
    const positions = memory.floats.subarray(fields.positions >> 2, (fields.positions >> 2) + size);
    addToRows(positions.subarray(plan.classRow ? hidden : 0), await floatsOf(plan.kernelBias, options));
  }
  const newline = plan.newline && (await floatsOf(plan.newline, options));
  const classifier = await placed?.fill(options);
  const team = await memory.start(kernelBytes(), helpers);

  return {
    run(pixels) {
      if (pixels.length !== channels * options.image ** 2)
        throw new EngineError("internal", "a picture of another size");
      memory.floats.set(classifier ? classifier.setPixels(pixels) : pixels, fields.pixels >> 2);
      team.run();
      const rows = (fields.rows - plan.dropped) / plan.shuffle ** 2;
      const projected = projectedSize(plan);
      const copy = (at: number, count: number): Float32Array<ArrayBuffer> =>
        new Float32Array(memory.floats.subarray(at >> 2, (at >> 2) + count));
      const classified = classifier?.result();
      const features = copy(fields.out, rows * projected);
      return {
        features: classified ? joinFloats(features, classified.tokens) : features,
        projected,
        tower: plan.yieldsTower ? copy(fields.stream + plan.dropped * hidden * 4, rows * hidden) : undefined,
        hidden,
        newline,
        photograph: classified?.photograph,
      };
    },
    release: () => team.release(),
  };
}

/** The kernel with relaxed SIMD where there is that. */
function kernelBytes(): Uint8Array<ArrayBuffer> {
  const relaxed = visionRelaxedKernelBytes();
  return WebAssembly.validate(relaxed) ? relaxed : visionKernelBytes();
}

/** Whether kernels/digits.ts can multiply with all matrices of the tower: weights have to fit 8 bits with a sign. */
function fitsDigits({ blocks, projector }: VisionPlan): boolean {
  const matrices = [...blocks.flatMap(({ qkv, out, wide, narrow }) => [qkv, out, wide, narrow]), ...projector];
  return matrices.every(
    ({ bits, run, rows, zeroPoints, offsets }) =>
      run === 32 && rows % 8 === 0 && !offsets && (bits === 4 || zeroPoints === undefined),
  );
}

/** Where everything goes, for pictures of `image` × `image` pixels, and the tables that say so. */
function layOut(memory: KernelMemory, plan: VisionPlan, image: number, threads: number) {
  const { hidden, ffn, heads, headSize, channels, patch, dropped } = plan;
  const side = towerSide(plan, image);
  const rows = plan.positions.dims[0] ?? 0;
  const projected = projectedSize(plan);
  const padded = Math.ceil(rows / 6) * 6 + 6; // whole fours and sixes; the projector's rows may begin behind the class row
  const deepest = Math.max(widestRow(plan), hidden, plan.projector[0]?.cols ?? 0);
  const place = (bytes: number): number => memory.place(bytes);
  const normWords = ({ weight, bias }: PlannedNorm): number[] => [memory.placeTensor(weight), memory.placeTensor(bias)];
  const tables = {
    blocks: plan.blocks.flatMap((block) => blockWords(memory, block, normWords)),
    projector: plan.projector.flatMap((matrix) => memory.matrixWords(matrix)),
    preNorm: plan.preNorm && normWords(plan.preNorm),
    postNorm: plan.postNorm && normWords(plan.postNorm),
  };
  const attentionScratch = blocksOf(rows) * (4 * 32 * 4 + 4 * 32 * 2 + 4 * 4);
  const matmulScratch = unpackedBytes(blocksOf(deepest) * 32) + padded * 128;
  const placed =
    plan.classifier && placeClassifier(memory, plan.classifier, { image, hidden, patches: rows - dropped, projected });
  const mostScratch = Math.max(attentionScratch, matmulScratch, hidden * 4, placed?.scratchBytes ?? 0);
  const scratchBytes = roundUp(mostScratch);
  const fields: Record<keyof typeof layout, number> = {
    rows,
    hidden,
    ffn,
    heads,
    headSize,
    blocks: plan.blocks.length,
    epsilon: floatWord(plan.epsilon),
    activation: activations[plan.activation],
    channels,
    patch,
    image: side,
    dropped,
    projections: plan.projector.length,
    ...placeShared(memory, plan, side, padded),
    patchWeights: place(hidden * channels * patch * patch * 4),
    classRow: plan.classRow ? memory.placeTensor(plan.classRow) : 0,
    positions: memory.placeTensor(plan.positions),
    preNorm: tables.preNorm ? place(tables.preNorm.length * 4) : 0,
    stream: place(padded * hidden * 4),
    update: place(padded * hidden * 4),
    quantized: place(padded * hidden * 2),
    quantizedScales: place((padded * hidden) / 8),
    blockTable: place(tables.blocks.length * 4),
    projector: place(tables.projector.length * 4),
    out: place((Math.ceil((rows - dropped) / plan.shuffle ** 2) + 6) * projected * 4),
    scratch: place(threads * scratchBytes),
    scratchBytes,
    classifier: placed?.table ?? 0,
    postNorm: tables.postNorm ? place(tables.postNorm.length * 4) : 0,
    shuffle: plan.shuffle,
    projectorActivation: activations[plan.projectorActivation],
    digits: fitsDigits(plan) ? 1 : 0,
  };
  return { fields, tables, placed };
}

const blocksOf = (columns: number): number => Math.ceil(columns / 32);
const roundUp = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Numbers in a row between two matrices of a block or of the projector, at most. */
const widestRow = (plan: VisionPlan): number => Math.max(plan.ffn, plan.projector[0]?.rows ?? 0);

/**
 * Buffers of three times of a picture, which share one place: its pixels and patches; a block's keys and values; and the rows between the matrices of
 * its MLP, or of the projector. `padded` is the number of rows.
 */
function placeShared(memory: KernelMemory, plan: VisionPlan, side: number, padded: number) {
  const { heads, headSize, channels, patch } = plan;
  const wide = blocksOf(widestRow(plan));
  const sizes = {
    first: [channels * side * side * 4, padded * channels * patch * patch * 4],
    // Panels of eight rows of keys, and blocks of 32 rows of values.
    attention: [
      heads * headSize * (padded + 4) * 4,
      heads * headSize * padded * 2,
      heads * headSize * blocksOf(padded) * 4,
    ],
    mlp: [padded * wide * 64, padded * wide * 4],
  };
  const bytes = Object.values(sizes).map((all) => all.map(roundUp).reduce((sum, one) => sum + one));
  const at = memory.place(Math.max(...bytes));
  const [keys = 0, values = 0] = sizes.attention;
  return {
    pixels: at,
    patches: at + roundUp(sizes.first[0] ?? 0),
    keys: at,
    values: at + roundUp(keys),
    valueScales: at + roundUp(keys) + roundUp(values),
    wide: at,
    wideScales: at + roundUp(sizes.mlp[0] ?? 0),
  };
}

function blockWords(memory: KernelMemory, block: PlannedBlock, normWords: (norm: PlannedNorm) => number[]): number[] {
  return tableWords(blockLayout, {
    attentionNorm: normWords(block.attentionNorm),
    mlpNorm: normWords(block.mlpNorm),
    qkv: memory.matrixWords(block.qkv),
    out: memory.matrixWords(block.out),
    wide: memory.matrixWords(block.wide),
    narrow: memory.matrixWords(block.narrow),
  });
}

/** Numbers in a row of features. */
function projectedSize({ projector }: VisionPlan): number {
  return projector.at(-1)?.rows ?? 0;
}

/** A convolution's weights [hidden, inputs] → panels [hidden / 8, inputs, 8]. */
function writePatchWeights(panels: Float32Array, weights: Float32Array, hidden: number): void {
  const inputs = weights.length / hidden;
  for (let n = 0; n < hidden; n++) {
    const to = (n >> 3) * inputs * 8 + (n & 7);
    for (let i = 0; i < inputs; i++) panels[to + i * 8] = weights[n * inputs + i] ?? 0;
  }
}

/** Adds a row to every row of the matrix. */
function addToRows(matrix: Float32Array, row: Float32Array): void {
  for (let i = 0; i < matrix.length; i++) matrix[i] = (matrix[i] ?? 0) + (row[i % row.length] ?? 0);
}

function joinFloats(first: Float32Array, second: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

async function floatsOf(tensor: OnnxTensor, from: WeightFiles): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await readTensor(tensor, from);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
