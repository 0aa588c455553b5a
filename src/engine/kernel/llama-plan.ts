// Recognises a decoder graph of Llama's kind with block-quantized matrices, as this project's converter writes it, and finds its weights.
// A graph that computes anything else is not recognised and runs in a session of the runtime.
import { blockSize, expect, GraphWalk, walked, type PlannedMatrix } from "./graph-walk.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor } from "#formats/onnx-reader.ts";

interface PlannedLayer {
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

/** A layer's nodes, in order. */
const layerOps = ["norm", "qkv", "attention", "out", "norm", "gate", "Sigmoid", "Mul", "up", "Mul", "down"] as const;
/** Operators that compute positions, which the kernel does itself. */
const positionOps = new Set([
  "ReduceSum",
  "Sub",
  "Shape",
  "Squeeze",
  "Range",
  "Cast",
  "Unsqueeze",
  "Cos",
  "Sin",
  "Neg",
]);
const norms = new Set(["SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization"]);
const attentionNumbers = new Set(["num_heads", "kv_num_heads", "scale", "do_rotary", "rotary_interleaved"]);

/** The graph's plan; undefined where a part of the graph is not as expected. */
export function planLlama(graph: OnnxGraph): LlamaPlan | undefined {
  return walked(() => read(graph));
}

function read({ nodes, tensors }: OnnxGraph): LlamaPlan {
  const frequencies = expect(tensors.get("rotary.frequencies"));
  const steps = nodes.filter(({ op, inputs }) => !positionOps.has(op) && !inputs.includes("rotary.frequencies"));
  // Slice and Reshape drop the rows without logits; the kernel knows how many those are.
  const walk = new GraphWalk(steps, tensors, ["Slice", "Reshape"]);
  const matrix = (): PlannedMatrix => {
    const found = walk.matrix();
    expect(found.cols % blockSize === 0);
    return found;
  };
  let epsilon: number | undefined;
  const norm = (): OnnxTensor => {
    const node = walk.next();
    expect(norms.has(node.op));
    const own = expect(node.numbers.get("epsilon"));
    epsilon ??= own;
    expect(epsilon === own);
    return walk.tensor(node.inputs[node.op.startsWith("Skip") ? 2 : 1]);
  };

  const layers: PlannedLayer[] = [];
  let attention: OnnxNode | undefined;
  while (walk.has("GroupQueryAttention")) {
    const parts: { norms: OnnxTensor[]; matrices: PlannedMatrix[] } = { norms: [], matrices: [] };
    for (const op of layerOps) {
      if (op === "norm") parts.norms.push(norm());
      else if (op === "attention") attention = sameAttention(walk.next(), attention);
      else if (op === "Sigmoid" || op === "Mul") walk.next(op);
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
  walk.end();

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

/** Attention must be rotary and causal, without a window or a cap, and the same in every layer. */
function sameAttention(node: OnnxNode, before: OnnxNode | undefined): OnnxNode {
  expect(node.op === "GroupQueryAttention" && node.inputs[1] === "" && node.inputs[2] === "");
  expect([...node.numbers.keys()].every((name) => attentionNumbers.has(name)));
  expect(node.numbers.get("do_rotary") === 1 && (node.numbers.get("rotary_interleaved") ?? 0) === 0);
  for (const [name, value] of before?.numbers ?? []) expect(node.numbers.get(name) === value);
  return node;
}
