// Recognises a decoder graph of Llama's kind with block-quantized matrices, as this project's converter writes it, and finds its weights.
// A graph that computes anything else is not recognised and runs in a session of the runtime.
import { AttentionReader, type PlannedAttention } from "./attention-plan.ts";
import { blockSize, expect, floatOf, GraphWalk, walked, type PlannedMatrix } from "./graph-walk.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor } from "#formats/onnx-reader.ts";

interface PlannedLayer {
  readonly attentionNorm: OnnxTensor;
  /** Queries, keys and values, one after another. */
  readonly qkv: PlannedMatrix;
  /** Norms of each head's queries and keys, f32 [headSize]. */
  readonly queryNorm: OnnxTensor | undefined;
  readonly keyNorm: OnnxTensor | undefined;
  /** How many positions each one sees, itself included. */
  readonly window: number | undefined;
  readonly out: PlannedMatrix;
  /** Norms of what attention and MLP add. */
  readonly attentionPostNorm: OnnxTensor | undefined;
  readonly mlpNorm: OnnxTensor;
  readonly gate: PlannedMatrix;
  readonly up: PlannedMatrix;
  readonly down: PlannedMatrix;
  readonly mlpPostNorm: OnnxTensor | undefined;
}

export interface LlamaPlan {
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
  readonly epsilon: number;
  /** [headSize / 2], in radians per position. */
  readonly frequencies: Float32Array;
  /** What products of queries and keys are multiplied with. */
  readonly attentionScale: number;
  /** c of c · tanh(x / c), over scores and over logits. */
  readonly attentionCap: number | undefined;
  readonly logitCap: number | undefined;
  /** Of the gate. */
  readonly activation: GateActivation;
  readonly layers: readonly PlannedLayer[];
  readonly finalNorm: OnnxTensor;
  readonly head: PlannedMatrix;
}

type GateActivation = "silu" | "gelu_tanh" | "gelu";

/** Operators that compute positions and what they see, which the kernel does itself. */
const positionOps = new Set([
  ...["ReduceSum", "Sub", "Shape", "Squeeze", "Range", "Cast", "Unsqueeze", "Cos", "Sin", "Neg"],
  ...["GreaterOrEqual", "Less", "And", "Where"],
]);
const plainNorm = "SimplifiedLayerNormalization";
const addingNorm = "SkipSimplifiedLayerNormalization";

/** The graph's plan; undefined where a part of the graph is not as expected. */
export function planLlama(graph: OnnxGraph): LlamaPlan | undefined {
  return walked(() => read(graph));
}

function read(graph: OnnxGraph): LlamaPlan {
  const { nodes, tensors } = graph;
  const frequencies = expect(tensors.get("rotary.frequencies"));
  const headSize = expect(frequencies.dims[1]) * 2;
  const steps = nodes.filter(
    ({ op, inputs, numbers }) =>
      !positionOps.has(op) &&
      !inputs.includes("rotary.frequencies") &&
      // Shapes are put together along axis 0.
      !(op === "Concat" && numbers.get("axis") === 0),
  );
  // Slice and Reshape drop the rows without logits, or put heads in order; the kernel knows how they lie.
  const walk = new GraphWalk(steps, tensors, ["Slice", "Reshape", "Transpose"]);
  const reader = new LayerReader(walk, new AttentionReader(graph, walk, headSize));
  const layers: PlannedLayer[] = [];
  while (walk.has("GroupQueryAttention") || walk.has("Softmax")) layers.push(reader.layer(layers.length === 0));
  const finalNorm = reader.norm(addingNorm);
  const head = reader.matrix();
  const logitCap = readLogitCap(walk);
  walk.end();

  const first = expect(layers[0]);
  const { heads, kvHeads, scale, cap } = expect(reader.attention);
  expect(headSize % blockSize === 0 && heads % kvHeads === 0 && first.out.cols === heads * headSize);
  expect(first.qkv.rows === (heads + 2 * kvHeads) * headSize && first.gate.rows % blockSize === 0);
  const inline = expect(frequencies.data instanceof Uint8Array && frequencies.data);
  expect(inline.length === headSize * 2);
  return {
    hidden: first.qkv.cols,
    ffn: first.gate.rows,
    heads,
    kvHeads,
    headSize,
    vocab: head.rows,
    epsilon: expect(reader.epsilon),
    frequencies: new Float32Array(inline.buffer, inline.byteOffset, headSize / 2),
    attentionScale: scale,
    attentionCap: cap,
    logitCap,
    activation: expect(reader.activation),
    layers,
    finalNorm,
    head,
  };
}

/** Takes layers off the walk, and keeps what has to be the same in all of them. */
class LayerReader {
  readonly #walk: GraphWalk;
  readonly #attention: AttentionReader;
  epsilon: number | undefined;
  activation: GateActivation | undefined;
  attention: PlannedAttention | undefined;

  constructor(walk: GraphWalk, attention: AttentionReader) {
    this.#walk = walk;
    this.#attention = attention;
  }

  layer(isFirst: boolean): PlannedLayer {
    const attentionNorm = this.norm(isFirst ? plainNorm : addingNorm);
    const qkv = this.matrix();
    const attention = this.#attention.next((node) => this.#normOf(node));
    const { scale, cap } = (this.attention ??= attention);
    expect(attention.scale === scale && attention.cap === cap);
    expect(attention.heads === this.attention.heads && attention.kvHeads === this.attention.kvHeads);
    const out = this.matrix();
    const attentionPostNorm = this.#postNorm();
    const mlpNorm = this.norm(addingNorm);
    const gate = this.matrix();
    const activation = this.#gateActivation();
    this.activation ??= activation;
    expect(activation === this.activation);
    const up = this.matrix();
    this.#walk.next("Mul");
    const down = this.matrix();
    const mlpPostNorm = this.#postNorm();
    const { queryNorm, keyNorm, window } = attention;
    return {
      ...{ attentionNorm, qkv, queryNorm, keyNorm, window, out, attentionPostNorm },
      ...{ mlpNorm, gate, up, down, mlpPostNorm },
    };
  }

  matrix(): PlannedMatrix {
    const found = this.#walk.matrix();
    expect(found.cols % blockSize === 0);
    return found;
  }

  norm(op: string): OnnxTensor {
    return this.#normOf(this.#walk.next(op));
  }

  /** A norm that adds nothing, where one stands next. */
  #postNorm(): OnnxTensor | undefined {
    return this.#walk.peek()?.op === plainNorm ? this.norm(plainNorm) : undefined;
  }

  /** The weights of a norm, which has the epsilon of all others. */
  #normOf(node: OnnxNode): OnnxTensor {
    const own = expect(node.numbers.get("epsilon"));
    this.epsilon ??= own;
    expect(this.epsilon === own);
    return this.#walk.tensor(node.inputs[node.op === addingNorm ? 2 : 1]);
  }

  #gateActivation(): GateActivation {
    const { op } = this.#walk.next();
    if (op === "FastGelu") return "gelu_tanh";
    if (op === "Gelu") return "gelu";
    expect(op === "Sigmoid");
    this.#walk.next("Mul");
    return "silu";
  }
}

/** logits ─ Div(cap) ─ Tanh ─ Mul(cap), where the logits are capped. */
function readLogitCap(walk: GraphWalk): number | undefined {
  if (walk.peek()?.op !== "Div") return undefined;
  const cap = floatOf(walk.tensor(walk.next("Div").inputs[1]));
  walk.next("Tanh");
  expect(floatOf(walk.tensor(walk.next("Mul").inputs[1])) === cap);
  return cap;
}
