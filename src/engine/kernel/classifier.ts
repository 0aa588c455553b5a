// The second tower of a mixture on the vision kernel (kernels/classifier.ts): where its weights and feature maps lie in the kernel's memory.
import type { OnnxTensor } from "#formats/onnx-reader.ts";
import type { PlannedClassifier, PlannedClassTokens, PlannedConvolution, PlannedPhotograph, PlannedScaling } from "./classifier-plan.ts"; // prettier-ignore
import { LoadedClassifier, type Classifier, type Constants } from "./classifier-run.ts";
import * as layout from "#engine/kernel/layout/classifier.ts";
import * as blockLayout from "#engine/kernel/layout/classifier-block.ts";
import { readTensor, tableWords, unpackedBytes, type KernelMemory, type WeightFiles } from "./memory.ts";

export interface ClassifierPlan {
  readonly classifier: PlannedClassifier;
  /** f32 [patches, cells]: the weight of each cell in each patch; at most four of a row are not zero. */
  readonly spread: OnnxTensor;
  readonly tokens: PlannedClassTokens;
  readonly photograph: PlannedPhotograph;
}

/** Sizes of the transformer that the classifier is joined with. */
export interface TransformerSizes {
  /** Side in pixels of the picture that both towers see. */
  readonly image: number;
  readonly hidden: number;
  readonly patches: number;
  /** Width of an image token's features. */
  readonly projected: number;
}

/** A classifier whose addresses are assigned. Call `fill` once the memory is allocated. */
export interface PlacedClassifier {
  readonly table: number;
  /** Scratch that each thread needs. */
  readonly scratchBytes: number;
  fill(from: WeightFiles): Promise<Classifier>;
}

interface Block {
  readonly inputs: number;
  readonly middle: number;
  readonly outputs: number;
  readonly side: number;
  readonly outSide: number;
}

const [fewCells, manyCells] = [16, 64]; // as in kernels/classifier.ts
const blocksOf = (channels: number): number => Math.ceil(channels / 32);

/** Whether the kernel's arithmetic fits these shapes. */
export function classifierFits(
  { classifier, spread, tokens }: ClassifierPlan,
  { hidden, patches, image }: TransformerSizes,
): boolean {
  const blocks = blockSizes(classifier, image);
  const last = blocks.at(-1);
  return (
    last !== undefined &&
    hidden % 32 === 0 &&
    spread.dims[0] === patches &&
    spread.dims[1] === last.outSide ** 2 &&
    classifier.resize.dims[1] === image &&
    [classifier.stem.weight.dims[0] ?? 0, ...blocks.flatMap(({ middle, outputs }) => [middle, outputs])].every(
      (n) => n % 8 === 0,
    ) &&
    tokens.head.cols === last.outputs &&
    tokens.head.rows % 4 === 0 &&
    tokens.classes.cols === tokens.head.rows
  );
}

function blockSizes({ stem, blocks }: PlannedClassifier, image: number): Block[] {
  let [side, inputs] = [Math.ceil(image / stem.stride), stem.weight.dims[0] ?? 0];
  return blocks.map(({ depthwise, project }) => {
    const outSide = Math.ceil(side / depthwise.stride);
    const block = { inputs, middle: depthwise.weight.dims[0] ?? 0, outputs: project.rows, side, outSide };
    [side, inputs] = [outSide, project.rows];
    return block;
  });
}

/** The number of cells of a block's largest work item. */
function largestPiece({ side, outSide }: Block): number {
  const lines = Math.max(1, Math.floor((outSide <= 16 ? fewCells : manyCells) / outSide));
  return Math.max(side * side <= 256 ? fewCells : manyCells, lines * outSide);
}

/** Settles where everything of the classifier lies. Longer than most functions, because each place is named in the tables that end it. */
export function placeClassifier(
  own: KernelMemory,
  plan: ClassifierPlan,
  transformer: TransformerSizes,
): PlacedClassifier {
  const { classifier, tokens } = plan;
  const { image, hidden, patches } = transformer;
  const sizes = blockSizes(classifier, image);
  const last = sizes.at(-1) ?? { outputs: 0, outSide: 0 };
  const [cells, channels] = [last.outSide ** 2, last.outputs];
  const stem = classifier.stem.weight.dims[0] ?? 0;
  const stemSide = Math.ceil(image / classifier.stem.stride);
  const mapBytes = 4 * Math.max(stem * stemSide ** 2, ...sizes.map(({ outputs, outSide }) => outputs * outSide ** 2));
  const wideBytes = 4 * Math.max(...sizes.map(({ middle, side }) => middle * side ** 2));
  const kernels: { readonly at: number; readonly convolution: PlannedConvolution }[] = [];
  const kernelPlace = (convolution: PlannedConvolution): number => {
    const at = own.place(4 * elements(convolution.weight));
    kernels.push({ at, convolution });
    return at;
  };
  const blockWords = sizes.flatMap(({ inputs, middle, outputs, side, outSide }, i) => {
    const block = classifier.blocks[i];
    if (!block) return [];
    const { depthwise, expand, project, residual } = block;
    return tableWords(blockLayout, {
      inputs,
      middle,
      outputs,
      stride: depthwise.stride,
      kernel: depthwise.kernel,
      side,
      outSide,
      padding: depthwise.padding,
      residual: residual ? 1 : 0,
      depthwise: kernelPlace(depthwise),
      depthwiseBias: own.placeTensor(depthwise.bias),
      expands: expand ? 1 : 0,
      expand: expand ? own.matrixWords(expand) : 0,
      project: own.matrixWords(project),
    });
  });
  const matrix = (words: number[]): { readonly at: number; readonly words: number[] } => ({
    at: own.place(words.length * 4),
    words,
  });
  const [head, classes] = [matrix(own.matrixWords(tokens.head)), matrix(own.matrixWords(tokens.classes))];
  const joinedBlocks = hidden / 32 + blocksOf(channels);
  const places: Record<Exclude<keyof typeof layout, "bytes">, number> = {
    blocks: sizes.length,
    image,
    stem,
    stemPadding: classifier.stem.padding,
    cells,
    channels,
    head: head.at,
    classes: classes.at,
    pixels: own.place(12 * image * image),
    stemKernel: kernelPlace(classifier.stem),
    stemBias: own.placeTensor(classifier.stem.bias),
    firstMap: own.place(mapBytes),
    secondMap: own.place(mapBytes),
    wide: own.place(wideBytes),
    blockTable: own.place(4 * blockWords.length),
    quantized: own.place(64 * cells * blocksOf(channels)),
    quantizedScales: own.place(4 * cells * blocksOf(channels)),
    pooled: own.place(128 * blocksOf(tokens.head.rows)),
    pooledQuantized: own.place(64 * blocksOf(tokens.head.rows)),
    pooledScales: own.place(4 * blocksOf(tokens.head.rows)),
    logits: own.place(4 * tokens.classes.rows),
    spread: own.place(32 * patches),
    // Whole fours and sixes of rows, as the projector reads them.
    joined: own.place(64 * (patches + 5) * joinedBlocks),
    joinedScales: own.place(4 * (patches + 5) * joinedBlocks),
  };
  const table = tableWords(layout, places);
  const tableAt = own.place(4 * table.length);
  const blockScratch = sizes.map((size) => {
    const widest = blocksOf(Math.max(size.inputs, size.middle));
    return unpackedBytes(widest * 32) + widest * 128 + 128 + largestPiece(size) * widest * 68;
  });
  const headScratch = unpackedBytes(blocksOf(Math.max(channels, tokens.head.rows)) * 32) + 128 * Math.max(cells, 1);
  return {
    table: tableAt,
    scratchBytes: Math.max(...blockScratch, headScratch, 128 + 4 * channels),
    async fill(from) {
      own.words(tableAt, table);
      own.words(places.blockTable, blockWords);
      own.words(head.at, head.words);
      own.words(classes.at, classes.words);
      for (const { at, convolution } of kernels) {
        const weight = await floatsOf(convolution.weight, from);
        own.floats.set(tapsFirst(weight, convolution.weight.dims), at >> 2);
      }
      own.words(places.spread, [...corners(await floatsOf(plan.spread, from), patches, cells)]);
      return new LoadedClassifier(own, plan, transformer, { ...places, table: tableAt, map: mapAfter(sizes.length, places) }, await constantsOf(plan, from)); // prettier-ignore
    },
  };
}

/** The address of the map that the last block writes; blocks alternate between the two. */
function mapAfter(
  blocks: number,
  { firstMap, secondMap }: { readonly firstMap: number; readonly secondMap: number },
): number {
  return blocks % 2 === 0 ? firstMap : secondMap;
}

/** Transposes convolution weights [outputs, inputs, kernel, kernel] to [kernel, kernel, inputs, outputs]. */
function tapsFirst(weight: Float32Array, dims: readonly number[]): Float32Array<ArrayBuffer> {
  const [outputs = 1, inputs = 1, kernel = 1] = dims;
  const taps = kernel * kernel;
  const turned = new Float32Array(weight.length);
  for (let out = 0; out < outputs; out++)
    for (let i = 0; i < inputs; i++)
      for (let tap = 0; tap < taps; tap++)
        turned[(tap * inputs + i) * outputs + out] = weight[(out * inputs + i) * taps + tap] ?? 0;
  return turned;
}

/** Per patch four cells and then their four weights (f32), as 32-bit words; the cells of a bilinear interpolation. */
function corners(spread: Float32Array, patches: number, cells: number): Int32Array {
  const words = new Int32Array(patches * 8);
  const weights = new Float32Array(words.buffer);
  for (let patch = 0; patch < patches; patch++) {
    let corner = 0;
    for (let cell = 0; cell < cells && corner < 4; cell++) {
      const weight = spread[patch * cells + cell] ?? 0;
      if (weight === 0) continue;
      words[patch * 8 + corner] = cell;
      weights[patch * 8 + 4 + corner] = weight;
      corner++;
    }
  }
  return words;
}

async function constantsOf({ classifier, tokens, photograph }: ClassifierPlan, from: WeightFiles): Promise<Constants> {
  const floats = (tensor: OnnxTensor) => floatsOf(tensor, from);
  const scaling = async ({ gain, shift }: PlannedScaling) => ({ gain: await floats(gain), shift: await floats(shift) });
  const { first, firstBias, second, secondBias } = tokens.shares;
  return {
    pixels: await scaling(classifier.pixels),
    towerPixels: await scaling(classifier.towerPixels),
    resize: await floats(classifier.resize),
    limits: [(await floats(classifier.lowest))[0] ?? 0, (await floats(classifier.highest))[0] ?? 0],
    vectors: await floats(tokens.vectors),
    least: (await floats(tokens.least))[0] ?? 0,
    shares: {
      first: await floats(first),
      firstBias: await floats(firstBias),
      second: await floats(second),
      secondBias: await floats(secondBias),
    },
    rank: await floats(tokens.rank),
    photograph: { weight: await floats(photograph.weight), bias: await floats(photograph.bias) },
  };
}

function elements({ dims }: OnnxTensor): number {
  return dims.reduce((product, n) => product * n, 1);
}

async function floatsOf(tensor: OnnxTensor, from: WeightFiles): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await readTensor(tensor, from);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
