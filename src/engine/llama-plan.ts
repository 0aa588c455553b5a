// Recognises a decoder graph of Llama's kind with block-quantized matrices, as this project's converter writes it, and tells where its weights lie.
// A graph that computes anything else is not recognised: it then runs on the runtime, which knows all operators.
import type { OnnxGraph, OnnxNode, OnnxTensor } from "./onnx-reader.ts";

/** x · weightᵀ (+ bias), weights [rows, cols] in blocks of 32 with a scale each; see ExpansionTensor for the layout. */
export interface PlannedMatrix {
  readonly bits: 4 | 8;
  readonly rows: number;
  readonly cols: number;
  readonly data: OnnxTensor;
  readonly scales: OnnxTensor;
  readonly zeroPoints: OnnxTensor | undefined;
  readonly bias: OnnxTensor | undefined;
}

export interface PlannedLayer {
  readonly attentionNorm: OnnxTensor;
  /** Queries, keys and values, one after another. */
  readonly qkv: PlannedMatrix;
  readonly out: PlannedMatrix;
  readonly mlpNorm: OnnxTensor;
  readonly gate: PlannedMatrix;
  readonly up: PlannedMatrix;
  readonly down: PlannedMatrix;
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
  readonly layers: readonly PlannedLayer[];
  readonly finalNorm: OnnxTensor;
  readonly head: PlannedMatrix;
}

/** What a layer's nodes are, in order, and what may stand between them. */
const layerOps = ["norm", "qkv", "attention", "out", "norm", "gate", "Sigmoid", "Mul", "up", "Mul", "down"] as const;
const around = new Set(["ReduceSum", "Sub", "Shape", "Squeeze", "Range", "Cast", "Unsqueeze", "Cos", "Sin", "Neg"]);
const norms = new Set(["SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization"]);
const attentionNumbers = new Set(["num_heads", "kv_num_heads", "scale", "do_rotary", "rotary_interleaved"]);
const blockSize = 32;

/** Reads the plan off the graph; undefined where a part of it is not as expected. */
export function planLlama(graph: OnnxGraph): LlamaPlan | undefined {
  try {
    return read(graph);
  } catch (error) {
    if (error instanceof Unexpected) return undefined;
    throw error;
  }
}

class Unexpected extends Error {}

function expect<T>(value: T | undefined | false): T {
  if (value === undefined || value === false) throw new Unexpected();
  return value;
}

function read({ nodes, tensors }: OnnxGraph): LlamaPlan {
  const frequencies = expect(tensors.get("rotary.frequencies"));
  const steps = nodes.filter(({ op, inputs }) => !around.has(op) && !inputs.includes("rotary.frequencies"));
  let at = 0;
  const next = (): OnnxNode => {
    // The last layer drops positions; what they feed is told by the count of logits that are kept.
    while (steps[at]?.op === "Slice" || steps[at]?.op === "Reshape") at++;
    return expect(steps[at++]);
  };
  const tensor = (name: string | undefined): OnnxTensor => expect(tensors.get(name ?? ""));

  const matrix = (): PlannedMatrix => {
    const node = next();
    const [bits, rows, cols] = [node.numbers.get("bits"), node.numbers.get("N"), node.numbers.get("K")];
    expect(node.op === "MatMulNBits" && node.numbers.get("block_size") === blockSize);
    if (bits !== 4 && bits !== 8) throw new Unexpected();
    const added = steps[at];
    const hasBias = added?.op === "Add" && added.inputs[0] === node.outputs[0];
    if (hasBias) at++;
    expect((cols ?? 1) % blockSize === 0);
    return {
      bits,
      rows: expect(rows),
      cols: expect(cols),
      data: tensor(node.inputs[1]),
      scales: tensor(node.inputs[2]),
      zeroPoints: node.inputs[3] === undefined ? undefined : tensor(node.inputs[3]),
      bias: hasBias ? tensor(added.inputs[1]) : undefined,
    };
  };
  let epsilon: number | undefined;
  const norm = (): OnnxTensor => {
    const node = next();
    expect(norms.has(node.op));
    const own = expect(node.numbers.get("epsilon"));
    epsilon ??= own;
    expect(epsilon === own);
    return tensor(node.inputs[node.op.startsWith("Skip") ? 2 : 1]);
  };

  const layers: PlannedLayer[] = [];
  let attention: OnnxNode | undefined;
  while (steps.slice(at).some(({ op }) => op === "GroupQueryAttention")) {
    const parts: { norms: OnnxTensor[]; matrices: PlannedMatrix[] } = { norms: [], matrices: [] };
    for (const op of layerOps) {
      if (op === "norm") parts.norms.push(norm());
      else if (op === "attention") attention = sameAttention(next(), attention);
      else if (op === "Sigmoid" || op === "Mul") expect(next().op === op);
      else parts.matrices.push(matrix());
    }
    const [attentionNorm, mlpNorm] = parts.norms;
    const [qkv, out, gate, up, down] = parts.matrices;
    layers.push({
      attentionNorm: expect(attentionNorm),
      qkv: expect(qkv),
      out: expect(out),
      mlpNorm: expect(mlpNorm),
      gate: expect(gate),
      up: expect(up),
      down: expect(down),
    });
  }
  const finalNorm = norm();
  const head = matrix();
  expect(at === steps.length);

  const first = expect(layers[0]);
  const heads = expect(attention?.numbers.get("num_heads"));
  const kvHeads = expect(attention?.numbers.get("kv_num_heads"));
  const headSize = first.out.cols / heads;
  expect(headSize % blockSize === 0 && heads % kvHeads === 0);
  expect(first.qkv.rows === (heads + 2 * kvHeads) * headSize && first.gate.rows % blockSize === 0);
  expect(Math.abs((attention?.numbers.get("scale") ?? 0) * Math.sqrt(headSize) - 1) < 1e-6);
  const inline = expect(frequencies.data instanceof Uint8Array && frequencies.data);
  expect(inline.length === headSize * 2);
  return {
    hidden: first.qkv.cols,
    ffn: first.gate.rows,
    heads,
    kvHeads,
    headSize,
    vocab: head.rows,
    epsilon: expect(epsilon),
    frequencies: new Float32Array(inline.buffer, inline.byteOffset, headSize / 2),
    layers,
    finalNorm,
    head,
  };
}

/** Rotary, causal, without a window or a cap, and in every layer alike. */
function sameAttention(node: OnnxNode, before: OnnxNode | undefined): OnnxNode {
  expect(node.op === "GroupQueryAttention" && node.inputs[1] === "" && node.inputs[2] === "");
  expect([...node.numbers.keys()].every((name) => attentionNumbers.has(name)));
  expect(node.numbers.get("do_rotary") === 1 && (node.numbers.get("rotary_interleaved") ?? 0) === 0);
  for (const [name, value] of before?.numbers ?? []) expect(node.numbers.get(name) === value);
  return node;
}
