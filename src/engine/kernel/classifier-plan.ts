// Recognizes the second tower of a mixture in a vision graph as src/convert/onnx/mixture.ts writes it: an EfficientNet-Lite classifier before
// the transformer, and after the projector the tokens of its top-k classes.
import type { OnnxNode, OnnxTensor } from "#formats/onnx-reader.ts";
import { expect, type GraphWalk, type PlannedMatrix } from "./graph-walk.ts";

export interface PlannedConvolution {
  /** f32 [outputs, inputs / group, kernel, kernel]. */
  readonly weight: OnnxTensor;
  readonly bias: OnnxTensor;
  readonly stride: number;
  readonly kernel: number;
  /** Cells of padding at the top and on the left. */
  readonly padding: number;
}

/** An inverted residual block. */
interface PlannedInvertedResidual {
  readonly expand: PlannedMatrix | undefined;
  readonly depthwise: PlannedConvolution;
  readonly project: PlannedMatrix;
  readonly residual: boolean;
}

/** A scaling per channel: x · gain + shift, f32 [3, 1, 1] each. */
export interface PlannedScaling {
  readonly gain: OnnxTensor;
  readonly shift: OnnxTensor;
}

export interface PlannedClassifier {
  /** Scales the graph's pixels to the classifier's. */
  readonly pixels: PlannedScaling;
  readonly stem: PlannedConvolution;
  readonly blocks: readonly PlannedInvertedResidual[];
  /** The resize matrix, f32 [tower's side, picture's side], and the limits that the resized pixels are clipped to. */
  readonly resize: OnnxTensor;
  readonly lowest: OnnxTensor;
  readonly highest: OnnxTensor;
  /** Scales the classifier's pixels to the transformer's. */
  readonly towerPixels: PlannedScaling;
}

/** The classifier's head and the class tokens that follow the projector's output. */
export interface PlannedClassTokens {
  readonly head: PlannedMatrix;
  readonly classes: PlannedMatrix;
  /** The k of top-k: how many classes become tokens. */
  readonly count: number;
  /** The classes' embeddings, f32 [classes, hidden]. */
  readonly vectors: OnnxTensor;
  /** f32 [1]: added to a probability before its logarithm is taken. */
  readonly least: OnnxTensor;
  /** The MLP over [probability, its logarithm]: f32 [2, width], [width], [width, hidden], [hidden]. */
  readonly shares: { readonly first: OnnxTensor; readonly firstBias: OnnxTensor; readonly second: OnnxTensor; readonly secondBias: OnnxTensor }; // prettier-ignore
  /** The embedding of each rank, f32 [count, hidden]. */
  readonly rank: OnnxTensor;
}

/** A linear classifier over the mean of the feature map: above 0 for a photograph. */
export interface PlannedPhotograph {
  readonly weight: OnnxTensor; // f32 [channels, 1]
  readonly bias: OnnxTensor; // f32 [1]
}

/** Reads the nodes from the picture to the transformer's pixels. */
export function readClassifier(walk: GraphWalk): PlannedClassifier {
  const pixels = scaling(walk);
  const stem = convolution(walk, 1);
  walk.next("Transpose");
  const blocks: PlannedInvertedResidual[] = [];
  // The Transpose of a constant, instead of the map, marks the end of the last block.
  for (let next = walk.peek(); next?.op !== "Transpose" || !walk.isTensor(next.inputs[0]); next = walk.peek()) {
    blocks.push(invertedResidual(walk, next?.inputs[0]));
  }
  const turned = walk.next("Transpose");
  const resize = walk.tensor(turned.inputs[0]);
  const across = walk.next("MatMul");
  const down = walk.next("MatMul");
  expect(across.inputs[1] === turned.outputs[0] && down.inputs[0] === turned.inputs[0]);
  const clip = walk.next("Clip");
  const [lowest, highest] = [walk.tensor(clip.inputs[1]), walk.tensor(clip.inputs[2])];
  return { pixels, stem, blocks, resize, lowest, highest, towerPixels: scaling(walk) };
}

function invertedResidual(walk: GraphWalk, input: string | undefined): PlannedInvertedResidual {
  let expanded: PlannedMatrix | undefined;
  if (walk.peek()?.op === "MatMulNBits") {
    expanded = walk.matrix();
    relu6(walk);
  }
  walk.next("Transpose");
  const depthwise = convolution(walk, undefined);
  walk.next("Transpose");
  const project = walk.matrix();
  const sum = walk.peek();
  const residual = sum?.op === "Add";
  if (residual) expect(walk.next().inputs[0] === input);
  return { expand: expanded, depthwise, project, residual };
}

/** Reads a convolution; `group` undefined expects a depthwise one. */
function convolution(walk: GraphWalk, group: number | undefined): PlannedConvolution {
  const node = walk.next("Conv");
  const [weight, bias] = [walk.tensor(node.inputs[1]), walk.tensor(node.inputs[2])];
  const [outputs, , kernel] = weight.dims;
  const [stride, padding] = [node.lists.get("strides")?.[0], node.lists.get("pads")?.[0]];
  expect(node.numbers.get("group") === (group ?? outputs));
  relu6(walk);
  return { weight, bias, stride: expect(stride), kernel: expect(kernel), padding: padding ?? 0 };
}

function relu6(walk: GraphWalk): void {
  const node = walk.next("Clip");
  expect(firstFloat(walk.tensor(node.inputs[1])) === 0 && firstFloat(walk.tensor(node.inputs[2])) === 6);
}

function scaling(walk: GraphWalk): PlannedScaling {
  const [gain, shift] = [walk.next("Mul"), walk.next("Add")];
  return { gain: walk.tensor(gain.inputs[1]), shift: walk.tensor(shift.inputs[1]) };
}

/** Reads the product that spreads the map's cells over patches and the Concat of both towers' features; returns the matrix, f32 [patches, cells]. */
export function readJoin(walk: GraphWalk, tower: string | undefined): OnnxTensor {
  const spread = walk.next("MatMul");
  const join = walk.next("Concat");
  expect(join.inputs[0] === tower && join.inputs[1] === spread.outputs[0] && join.numbers.get("axis") === 2);
  return walk.tensor(spread.inputs[0]);
}

/** Reads the nodes after the projector. */
export function readClassTokens(walk: GraphWalk): PlannedClassTokens {
  const head = walk.matrix();
  relu6(walk);
  walk.next("ReduceMean");
  const classes = walk.matrix();
  walk.next("Softmax");
  const top = walk.next("TopK");
  const gathered = walk.next("Gather");
  const least = walk.tensor(walk.next("Add").inputs[1]);
  for (const op of ["Log", "Unsqueeze", "Unsqueeze", "Concat"]) walk.next(op);
  const [first, firstBias] = [walk.next("MatMul"), walk.next("Add")];
  walk.next("Gelu");
  const [second, secondBias] = [walk.next("MatMul"), walk.next("Add")];
  const ranked = walk.next("Add");
  walk.next("Add");
  walk.next("Concat");
  const count = expect(walk.tensor(ranked.inputs[1]).dims[0]);
  expect(firstInteger(walk.tensor(top.inputs[1])) === count);
  return {
    head,
    classes,
    count,
    vectors: walk.tensor(gathered.inputs[0]),
    least,
    shares: {
      first: walk.tensor(first.inputs[1]),
      firstBias: walk.tensor(firstBias.inputs[1]),
      second: walk.tensor(second.inputs[1]),
      secondBias: walk.tensor(secondBias.inputs[1]),
    },
    rank: walk.tensor(ranked.inputs[1]),
  };
}

export function readPhotograph(walk: GraphWalk): PlannedPhotograph {
  walk.next("ReduceMean");
  const weight = walk.next("MatMul");
  const bias: OnnxNode = walk.next("Add");
  return { weight: walk.tensor(weight.inputs[1]), bias: walk.tensor(bias.inputs[1]) };
}

function firstFloat({ data }: OnnxTensor): number | undefined {
  if (!(data instanceof Uint8Array) || data.length < 4) return undefined;
  return new DataView(data.buffer, data.byteOffset).getFloat32(0, true);
}

export function firstInteger({ data }: OnnxTensor): number | undefined {
  if (!(data instanceof Uint8Array) || data.length < 8) return undefined;
  return Number(new DataView(data.buffer, data.byteOffset).getBigInt64(0, true));
}
