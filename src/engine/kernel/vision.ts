// Runs a vision tower and its projector on this project's own WebAssembly kernel (kernels/vision.ts), several threads over one memory that holds
// the weights as they are in the package. Knows no runtime; who helps is its host's business.
import { EngineError } from "#engine/errors.ts";
import { classifierFits, placeClassifier } from "./classifier.ts";
import { geluTanh, gelu, quickGelu } from "./layout/activations.ts";
import * as blockLayout from "./layout/vision-block.ts";
import * as layout from "./layout/vision-header.ts";
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
import type { Activation, PlannedNorm, VisionPlan } from "./vision-plan.ts";

/** What a picture becomes. */
interface Seen {
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

/** A tower with its weights; one run at a time. */
export interface VisionTower {
  /** Normalised pixels [channels, size, size] → features. */
  run(pixels: Float32Array): Seen;
  release(): void;
}

const activations: Readonly<Record<Activation, number>> = { quick_gelu: quickGelu, gelu_tanh: geluTanh, gelu };

export interface TowerOptions extends WeightFiles {
  readonly plan: VisionPlan;
  /** Pixels on a picture's side. */
  readonly image: number;
  readonly helpers: KernelHelpers | undefined;
}

/** Whether the kernel's arithmetic fits these shapes. */
export function fitsKernel(plan: VisionPlan, image: number): boolean {
  const { hidden, headSize, patch, positions, classRow, classifier } = plan;
  const patches = Math.floor(towerSide(plan, image) / patch) ** 2; // pixels beyond the last whole patch are not looked at
  if (classifier && !classifierFits(classifier, { image, hidden, patches, projected: 0 })) return false;
  return (
    hidden % 32 === 0 &&
    headSize % 8 === 0 &&
    positions.dims[0] === patches + (classRow ? 1 : 0) &&
    plan.blocks.every(({ qkv, out, wide, narrow }) => {
      const fits = qkv.cols === hidden && out.cols === hidden && wide.cols === hidden && narrow.rows === hidden;
      return fits && wide.rows === plan.ffn && narrow.cols === plan.ffn;
    })
  );
}

/** Pixels on a side of the transformer's picture; a mixture makes it smaller itself. */
function towerSide({ classifier }: VisionPlan, image: number): number {
  return classifier?.classifier.resize.dims[0] ?? image;
}

/** Reads the weights into a new memory; rejects with "out-of-memory" where they do not fit. */
export async function loadTower(options: TowerOptions): Promise<VisionTower> {
  const { plan } = options;
  const image = towerSide(plan, options.image);
  const { hidden, ffn, heads, headSize, channels, patch } = plan;
  const rows = plan.positions.dims[0] ?? 0;
  const projected = plan.projector.at(-1)?.rows ?? 0;
  const inputs = channels * patch * patch;
  const fours = Math.ceil(rows / 4) * 4 + 4;
  const panels = Math.ceil(rows / 8);
  const blocksOf = (columns: number): number => Math.ceil(columns / 32);
  const widest = Math.max(ffn, plan.projector[0]?.rows ?? 0);
  const threads = 1 + (options.helpers?.count ?? 0);

  const own = new KernelMemory();
  const normWords = ({ weight, bias }: PlannedNorm): number[] => [own.placeTensor(weight), own.placeTensor(bias)];
  const blockWords = plan.blocks.flatMap((block) =>
    tableWords(blockLayout, {
      attentionNorm: normWords(block.attentionNorm),
      mlpNorm: normWords(block.mlpNorm),
      qkv: own.matrixWords(block.qkv),
      out: own.matrixWords(block.out),
      wide: own.matrixWords(block.wide),
      narrow: own.matrixWords(block.narrow),
    }),
  );
  const projectorWords = plan.projector.flatMap((matrix) => own.matrixWords(matrix));
  const preNormWords = plan.preNorm && normWords(plan.preNorm);
  const attention = 16 * headSize + 128 * panels + 16 * hidden;
  const products = unpackedBytes(blocksOf(Math.max(widest, hidden)) * 32) + rows * 128;
  const patches = rows - plan.dropped;
  const placed = plan.classifier && placeClassifier(own, plan.classifier, { image: options.image, hidden, patches, projected }); // prettier-ignore
  const scratchBytes = Math.ceil(Math.max(attention, products, hidden * 4, placed?.scratchBytes ?? 0) / 64) * 64;
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
    image,
    dropped: plan.dropped,
    projections: plan.projector.length,
    pixels: own.place(channels * image * image * 4),
    patches: own.place(fours * inputs * 4),
    patchWeights: own.place(hidden * inputs * 4),
    classRow: plan.classRow ? own.placeTensor(plan.classRow) : 0,
    positions: own.placeTensor(plan.positions),
    preNorm: preNormWords ? own.place(preNormWords.length * 4) : 0,
    stream: own.place(fours * hidden * 4),
    update: own.place(rows * hidden * 4),
    quantized: own.place(rows * hidden * 2),
    quantizedScales: own.place((rows * hidden) / 8),
    wide: own.place(rows * blocksOf(widest) * 64),
    wideScales: own.place(rows * blocksOf(widest) * 4),
    qkv: own.place(fours * 3 * hidden * 4),
    keys: own.place(heads * panels * headSize * 32),
    values: own.place(rows * hidden * 4),
    blockTable: own.place(blockWords.length * 4),
    projector: own.place(projectorWords.length * 4),
    out: own.place(rows * projected * 4),
    scratch: own.place(threads * scratchBytes),
    scratchBytes,
    classifier: placed?.table ?? 0,
  };

  await own.make(0, options);
  own.fields(layout, fields);
  own.words(fields.blockTable, blockWords);
  own.words(fields.projector, projectorWords);
  if (preNormWords) own.words(fields.preNorm, preNormWords);
  const kernel = await floatsOf(plan.kernel, options);
  const panelled = own.floats.subarray(fields.patchWeights >> 2);
  for (let n = 0; n < hidden; n++) {
    const to = (n >> 3) * inputs * 8 + (n & 7);
    for (let i = 0; i < inputs; i++) panelled[to + i * 8] = kernel[n * inputs + i] ?? 0;
  }
  if (plan.kernelBias) {
    const bias = await floatsOf(plan.kernelBias, options);
    const positions = own.floats.subarray(fields.positions >> 2);
    const from = plan.classRow ? hidden : 0;
    for (let i = from; i < rows * hidden; i++) positions[i] = (positions[i] ?? 0) + (bias[i % hidden] ?? 0);
  }
  const newline = plan.newline && (await floatsOf(plan.newline, options));
  const classifier = await placed?.fill(options);
  const team = await own.start(visionKernelBytes(), options.helpers);

  return {
    run(pixels) {
      if (pixels.length !== channels * options.image ** 2)
        throw new EngineError("internal", "a picture of another size");
      own.floats.set(classifier ? classifier.look(pixels) : pixels, fields.pixels >> 2);
      team.run();
      const kept = rows - plan.dropped;
      const copy = (at: number, count: number): Float32Array<ArrayBuffer> =>
        new Float32Array(own.floats.subarray(at >> 2, (at >> 2) + count));
      const told = classifier?.told();
      const features = copy(fields.out, kept * projected);
      return {
        features: told ? joinFloats(features, told.tokens) : features,
        projected,
        tower: plan.yieldsTower ? copy(fields.stream + plan.dropped * hidden * 4, kept * hidden) : undefined,
        hidden,
        newline,
        photograph: told?.photograph,
      };
    },
    release: () => team.release(),
  };
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
