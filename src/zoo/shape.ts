// The sizes of a model's parts, and what follows from them: how many parameters it has, and how large its package will be. Pure
// arithmetic; `shape.test.ts` compares it with what the converter writes.

/** A transformer over the patches of a picture. */
export interface TowerShape {
  readonly hidden: number;
  readonly intermediate: number;
  /** Of the checkpoint. */
  readonly layers: number;
  /** How many of the layers run: up to the one that features are taken from. */
  readonly layersUsed: number;
  readonly imageSize: number;
  readonly patchSize: number;
  /** CLIP's class token has a position of its own. */
  readonly hasClassToken: boolean;
}

/** A language model with gated feed-forward layers. */
export interface DecoderShape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Rows of the embedding table. */
  readonly vocabulary: number;
  /** The output's matrix is the embedding table. */
  readonly isTied: boolean;
}

export interface ModelShape {
  readonly tower: TowerShape;
  readonly decoder: DecoderShape;
  readonly projector: "linear" | "mlp2x";
  /** A square of this many patches a side becomes one row of the projector's input. */
  readonly shuffle?: number;
}

/** Bits per weight in a package; 16 and 32 are floats. */
type Bits = 4 | 8 | 16 | 32;

export interface PackageBits {
  readonly vision: Bits;
  readonly embed: Bits;
  readonly decoder: Bits;
}

/** What the converter does unless it is told otherwise. */
export const usualBits: PackageBits = { vision: 8, embed: 4, decoder: 4 };

interface PackageSize {
  readonly bytes: number;
  /** Of the largest weight that is one GPU buffer. */
  readonly largestBytes: number;
}

/** Bytes per weight, with scales of 32 bits for each 32 weights, and zero points of 4 bits in matrices of 4 bits. */
const matrixBytes: Readonly<Record<Bits, number>> = { 4: 0.5 + 4.5 / 32, 8: 1 + 4 / 32, 16: 2, 32: 4 };
const tableBytes: Readonly<Record<Bits, number>> = { ...matrixBytes, 4: 0.5 + 4 / 32 };
/** Graphs, tokenizer and config files. */
const otherBytes = 4e6;

/** Of everything that the checkpoint holds. */
export function parametersOf({ tower, decoder, ...rest }: ModelShape): number {
  return (
    towerMatrices({ ...tower, layersUsed: tower.layers }) +
    positionsOf(tower) +
    projectorMatrices({ tower, decoder, ...rest }) +
    decoderMatrices(decoder) +
    tableOf(decoder) * (decoder.isTied ? 1 : 2)
  );
}

/** The package that the converter makes of such a model; within a few percent. `kept`: bytes per weight of a decoder that keeps its own bits. */
export function packageSize(shape: ModelShape, bits: PackageBits = usualBits, kept?: number): PackageSize {
  const { tower, decoder } = shape;
  const table = tableOf(decoder);
  const vision = (towerMatrices(tower) + projectorMatrices(shape)) * matrixBytes[bits.vision] + positionsOf(tower) * 4;
  const perWeight = kept ?? matrixBytes[bits.decoder];
  const language = (decoderMatrices(decoder) + table) * perWeight;
  return {
    bytes: vision + language + table * tableBytes[bits.embed] + otherBytes,
    largestBytes: table * Math.max(tableBytes[bits.embed], perWeight),
  };
}

function towerMatrices({ hidden, intermediate, layersUsed }: TowerShape): number {
  return layersUsed * (4 * hidden * hidden + 2 * hidden * intermediate);
}

/** Patch convolution and positions, which stay floats. */
function positionsOf({ hidden, imageSize, patchSize, hasClassToken }: TowerShape): number {
  const patches = Math.floor(imageSize / patchSize) ** 2;
  return hidden * (3 * patchSize ** 2 + patches + (hasClassToken ? 2 : 0));
}

function projectorMatrices({ tower, decoder, projector, shuffle = 1 }: ModelShape): number {
  const inputs = tower.hidden * shuffle ** 2;
  return inputs * decoder.hidden + (projector === "mlp2x" ? decoder.hidden ** 2 : 0);
}

/** Without embedding table and output. */
function decoderMatrices({ hidden, intermediate, layers, heads, kvHeads }: DecoderShape): number {
  const keys = (hidden / heads) * kvHeads;
  return layers * (2 * hidden * hidden + 2 * hidden * keys + 3 * hidden * intermediate);
}

function tableOf({ vocabulary, hidden }: DecoderShape): number {
  return vocabulary * hidden;
}
