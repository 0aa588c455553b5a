// Recognises a vision graph (CLIP or SigLIP, then a projector) with block-quantized matrices, as this project's converter writes it, and finds its
// weights. A graph that computes anything else is not recognised and runs in a session of the runtime.
import { firstInteger, readClassifier, readClassTokens, readJoin, readPhotograph } from "./classifier-plan.ts";
import type { ClassifierPlan } from "./classifier.ts";
import { expect, GraphWalk, walked, type PlannedMatrix } from "./graph-walk.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor } from "#formats/onnx-reader.ts";

export interface PlannedNorm {
  readonly weight: OnnxTensor;
  readonly bias: OnnxTensor;
}

export interface PlannedBlock {
  readonly attentionNorm: PlannedNorm;
  /** Queries, keys and values, one after another. */
  readonly qkv: PlannedMatrix;
  readonly out: PlannedMatrix;
  readonly mlpNorm: PlannedNorm;
  readonly wide: PlannedMatrix;
  readonly narrow: PlannedMatrix;
}

export interface VisionPlan {
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly headSize: number;
  readonly epsilon: number;
  /** The blocks' activation, and the projector's between two matrices. */
  readonly activation: Activation;
  readonly projectorActivation: Activation;
  readonly channels: number;
  /** Pixels on a patch's side. */
  readonly patch: number;
  /** The patches' convolution, f32 [hidden, channels, patch, patch]. */
  readonly kernel: OnnxTensor;
  readonly kernelBias: OnnxTensor | undefined;
  /** The row before the patches', f32 [hidden]. */
  readonly classRow: OnnxTensor | undefined;
  /** f32 [rows, hidden]. */
  readonly positions: OnnxTensor;
  readonly preNorm: PlannedNorm | undefined;
  readonly blocks: readonly PlannedBlock[];
  readonly postNorm: PlannedNorm | undefined;
  /** First rows that the projector does not get: the class row, or none. */
  readonly dropped: number;
  /** Side of the square of patches that become one row of the projector's input (Idefics3's pixel shuffle); 1 where there is none. */
  readonly shuffle: number;
  /** One matrix, or two with a Gelu between. */
  readonly projector: readonly PlannedMatrix[];
  /** f32 [projected]. */
  readonly newline: OnnxTensor | undefined;
  readonly yieldsTower: boolean;
  /** A mixture's second tower. */
  readonly classifier: ClassifierPlan | undefined;
}

export type Activation = "quick_gelu" | "gelu_tanh" | "gelu" | "relu" | "silu";

const activations = new Map<string, Activation>([
  ["QuickGelu", "quick_gelu"],
  ["FastGelu", "gelu_tanh"],
  ["Gelu", "gelu"],
  ["Relu", "relu"],
  ["Sigmoid", "silu"],
]);

/** The graph's plan; undefined where a part of the graph is not as expected. */
export function planVision(graph: OnnxGraph): VisionPlan | undefined {
  return walked(() => read(graph));
}

/** Takes an activation; SiLU is two operators, x · sigmoid(x). */
function takeActivation(walk: GraphWalk): Activation {
  const found = expect(activations.get(walk.next().op));
  if (found === "silu") walk.next("Mul");
  return found;
}

/** Longer than functions are elsewhere: the nodes are matched in the graph's order, and each by the outputs of those before it. */
function read({ nodes, tensors }: OnnxGraph): VisionPlan {
  const newlineNode = nodes.find(({ outputs }) => outputs[0] === "image_newline");
  const yieldsTower = nodes.some(({ outputs }) => outputs[0] === "tower_features");
  const walk = new GraphWalk(
    nodes.filter((node) => node !== newlineNode),
    tensors,
    ["Shape", "Reshape", "Identity"],
  );
  // A Concat of shapes stands before each Expand.
  const joined = (): OnnxNode => {
    for (;;) {
      const node = walk.next("Concat");
      if (node.numbers.get("axis") === 1) return node;
      if (walk.peek()?.op === "Expand") return walk.next();
    }
  };
  const classifier = walk.peek()?.op === "Mul" ? readClassifier(walk) : undefined;
  const conv = walk.next("Conv");
  const kernel = walk.tensor(conv.inputs[1]);
  const [hidden, channels, patch, across] = kernel.dims;
  expect(patch !== undefined && patch === across);
  const kernelBias = conv.inputs[2] === undefined ? undefined : walk.tensor(conv.inputs[2]);
  const rows = walk.next("Transpose").outputs[0];
  let classRow: OnnxTensor | undefined;
  let embedded = rows;
  if (walk.peek()?.op === "Concat") {
    const expanded = joined();
    classRow = walk.tensor(expanded.inputs[0]);
    const all = joined();
    expect(all.inputs[0] === expanded.outputs[0] && all.inputs[1] === rows && all.inputs.length === 2);
    embedded = all.outputs[0];
  }
  const placed = walk.next("Add");
  expect(placed.inputs[0] === embedded);
  const positions = walk.tensor(placed.inputs[1]);
  let stream = placed.outputs[0];

  let epsilon: number | undefined;
  const norm = (input: string | undefined): PlannedNorm & { readonly output: string | undefined } => {
    const node = walk.next("LayerNormalization");
    expect(node.inputs[0] === input && node.numbers.get("axis") === -1);
    const own = expect(node.numbers.get("epsilon"));
    epsilon ??= own;
    expect(epsilon === own);
    return { weight: walk.tensor(node.inputs[1]), bias: walk.tensor(node.inputs[2]), output: node.outputs[0] };
  };
  const residual = (): void => {
    const sum = walk.next("Add");
    expect(sum.inputs[0] === stream);
    stream = sum.outputs[0];
  };

  let preNorm: PlannedNorm | undefined;
  if (classRow) {
    const found = norm(stream);
    [preNorm, stream] = [found, found.output];
  }
  const blocks: PlannedBlock[] = [];
  let [heads, activation]: [number | undefined, Activation | undefined] = [undefined, undefined];
  while (walk.has("MultiHeadAttention")) {
    const attentionNorm = norm(stream);
    const qkv = walk.matrix();
    expect(walk.next("Split").numbers.get("axis") === 2);
    const attention = walk.next("MultiHeadAttention");
    expect(attention.inputs.length === 3 && [...attention.numbers.keys()].every((name) => name === "num_heads"));
    const ownHeads = expect(attention.numbers.get("num_heads"));
    heads ??= ownHeads;
    const out = walk.matrix();
    residual();
    const mlpNorm = norm(stream);
    const wide = walk.matrix();
    const own = takeActivation(walk);
    activation ??= own;
    const narrow = walk.matrix();
    residual();
    expect(heads === ownHeads && activation === own);
    blocks.push({ attentionNorm, qkv, out, mlpNorm, wide, narrow });
  }
  let postNorm: PlannedNorm | undefined;
  if (walk.peek()?.op === "LayerNormalization") {
    const found = norm(stream);
    [postNorm, stream] = [found, found.output];
  }
  const dropped = walk.peek()?.op === "Slice" ? 1 : 0;
  if (dropped > 0) {
    const slice = walk.next();
    expect(slice.inputs[0] === stream && classRow && firstInteger(walk.tensor(slice.inputs[1])) === 1);
    expect(firstInteger(walk.tensor(slice.inputs[2])) === positions.dims[0]);
    stream = slice.outputs[0];
  }
  const spread = classifier && readJoin(walk, stream);
  // The shuffle swaps two axes twice; by how many patches shows in the width of the rows that it yields.
  const isShuffled = walk.peek()?.op === "Transpose";
  if (isShuffled) for (let swaps = 0; swaps < 2; swaps++) walk.next("Transpose");
  const projector = [walk.matrix()];
  let projectorActivation: Activation = "gelu";
  if (activations.has(walk.peek()?.op ?? "")) {
    projectorActivation = takeActivation(walk);
    projector.push(walk.matrix());
  }
  // What is left belongs to the newline row.
  while (newlineNode && walk.peek()?.op === "Concat") walk.next();
  const mixture = classifier &&
    spread && { classifier, spread, tokens: readClassTokens(walk), photograph: readPhotograph(walk) };
  walk.end();

  const first = expect(blocks[0]);
  const width = expect(hidden);
  const headSize = width / expect(heads);
  const shuffle = isShuffled ? Math.sqrt((projector[0]?.cols ?? 0) / width) : 1;
  expect(Number.isInteger(shuffle) && !(isShuffled && (classRow !== undefined || yieldsTower || classifier)));
  expect(first.qkv.rows === 3 * width && first.qkv.cols === width && positions.dims[1] === width);
  return {
    hidden: width,
    ffn: first.wide.rows,
    heads: expect(heads),
    headSize,
    epsilon: expect(epsilon),
    activation: expect(activation),
    projectorActivation,
    channels: expect(channels),
    patch: expect(patch),
    kernel,
    kernelBias,
    classRow,
    positions,
    preNorm,
    blocks,
    postNorm,
    dropped,
    shuffle,
    projector,
    newline: newlineNode && walk.tensor(newlineNode.inputs[0]),
    yieldsTower,
    classifier: mixture,
  };
}
