// The plan of a decoder, read off graphs that the converter wrote, and off such graphs with one thing changed.
import { beforeAll, describe, expect, test } from "vitest";
import { readOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from "#formats/onnx-reader.ts";
import { decoderSizes, shapedDecoder, type ShapedArchitecture } from "#testing/shaped-decoder.node.ts";
import { planLlama, type LlamaPlan } from "./llama-plan.ts";

const { hidden, ffn, layers, heads, kvHeads, headSize, vocab } = decoderSizes;

async function graphOf(...kind: Parameters<typeof shapedDecoder>): Promise<OnnxGraph> {
  const { info, files } = await shapedDecoder(...kind);
  const blob = await files.blob(info.graphs.decoder.path);
  return readOnnx(new Uint8Array(await blob.arrayBuffer()));
}

/** Bytes of a tensor, wherever they are. */
const byteLength = ({ data }: OnnxTensor) => (data instanceof Uint8Array ? data.length : data.bytes);
const matricesOf = (plan: LlamaPlan) => [
  ...plan.layers.flatMap(({ qkv, out, gate, up, down }) => [qkv, out, gate, up, down]),
  plan.head,
];

describe.each([
  [4, "asymmetric", "llama"],
  [4, "symmetric", "qwen2"],
  [8, "symmetric", "llama"],
  [8, "asymmetric", "qwen2"],
] as const)("a decoder with %i bits, %s, %s", (bits, scheme, architecture) => {
  let plan: LlamaPlan;
  beforeAll(async () => {
    const found = planLlama(await graphOf(bits, scheme, architecture));
    if (!found) throw new Error("the graph is not recognised");
    plan = found;
  });

  test("has the checkpoint's shapes", () => {
    expect(plan).toMatchObject({ hidden, ffn, heads, kvHeads, headSize, vocab });
    expect(plan.epsilon).toBeGreaterThan(0);
    expect(plan.layers).toHaveLength(layers);
    for (const { qkv, out, gate, up, down, attentionNorm, mlpNorm } of plan.layers) {
      expect([qkv.rows, qkv.cols]).toEqual([(heads + 2 * kvHeads) * headSize, hidden]);
      expect([out.rows, out.cols]).toEqual([hidden, heads * headSize]);
      for (const matrix of [gate, up]) expect([matrix.rows, matrix.cols]).toEqual([ffn, hidden]);
      expect([down.rows, down.cols]).toEqual([hidden, ffn]);
      for (const norm of [attentionNorm, mlpNorm]) expect(byteLength(norm)).toBe(hidden * 4);
      expect(qkv.bias !== undefined).toBe(architecture === "qwen2");
      for (const matrix of [out, gate, up, down]) expect(matrix.bias).toBeUndefined();
    }
    expect([plan.head.rows, plan.head.cols]).toEqual([vocab, hidden]);
    expect(byteLength(plan.finalNorm)).toBe(hidden * 4);
  });

  test("turns by falling frequencies from one radian per position on", () => {
    const expected = Array.from({ length: headSize / 2 }, (_, i) => 10_000 ** ((-2 * i) / headSize));
    expect(plan.frequencies).toHaveLength(expected.length);
    for (const [i, frequency] of plan.frequencies.entries()) expect(frequency).toBeCloseTo(expected[i] ?? NaN, 6);
  });

  test("finds all weights of every matrix, each at a place of its own", () => {
    const places = new Set<string>();
    const tensors: OnnxTensor[] = [];
    for (const { rows, cols, data, scales, zeroPoints, bias, ...matrix } of matricesOf(plan)) {
      const blocks = cols / 32;
      expect(matrix.bits).toBe(bits);
      expect(byteLength(data)).toBe((rows * cols * bits) / 8);
      expect(byteLength(scales)).toBe(rows * blocks * 4);
      expect(zeroPoints && byteLength(zeroPoints)).toBe(
        scheme === "asymmetric" ? rows * Math.ceil((blocks * bits) / 8) : undefined,
      );
      tensors.push(data, scales, ...(zeroPoints ? [zeroPoints] : []), ...(bias ? [bias] : []));
    }
    const external = tensors.filter(({ data }) => !(data instanceof Uint8Array));
    for (const { data } of external) places.add(JSON.stringify(data));
    expect(external.length).toBeGreaterThan(0);
    expect(places.size).toBe(external.length);
  });
});

describe("what a decoder does differently from Llama is found:", () => {
  const planOf = async (architecture: ShapedArchitecture): Promise<LlamaPlan> => {
    const plan = planLlama(await graphOf(4, "asymmetric", architecture));
    if (!plan) throw new Error("the graph is not recognised");
    return plan;
  };
  const lengths = (plan: LlamaPlan, of: "queryNorm" | "keyNorm" | "attentionPostNorm" | "mlpPostNorm") =>
    plan.layers.map((layer) => layer[of] && byteLength(layer[of]));
  const none = [undefined, undefined, undefined];

  test("Mistral's windows", async () => {
    const plan = await planOf("mistral");
    expect(plan.layers.map(({ window }) => window)).toEqual([75, 75, 75]);
    expect(plan).toMatchObject({ activation: "silu", attentionCap: undefined, logitCap: undefined });
    expect(plan.attentionScale).toBeCloseTo(1 / Math.sqrt(headSize), 6);
  });

  test("Qwen3's norms of queries and keys, and a window in the last layer", async () => {
    const plan = await planOf("qwen3");
    expect([lengths(plan, "queryNorm"), lengths(plan, "keyNorm")]).toEqual([
      [headSize * 4, headSize * 4, headSize * 4],
      [headSize * 4, headSize * 4, headSize * 4],
    ]);
    expect(plan.layers.map(({ window }) => window)).toEqual([undefined, undefined, 21]);
    expect(plan).toMatchObject({ heads, kvHeads });
  });

  test("Gemma's gate", async () => {
    const plan = await planOf("gemma");
    expect(plan.activation).toBe("gelu_tanh");
    expect(lengths(plan, "attentionPostNorm")).toEqual(none);
  });

  test("Gemma 2's norms after attention and MLP, caps, scale, and windows in every other layer", async () => {
    const plan = await planOf("gemma2");
    expect(lengths(plan, "attentionPostNorm")).toEqual([hidden * 4, hidden * 4, hidden * 4]);
    expect(lengths(plan, "mlpPostNorm")).toEqual([hidden * 4, hidden * 4, hidden * 4]);
    expect(plan).toMatchObject({ heads, kvHeads, attentionCap: 4, logitCap: 6, activation: "gelu_tanh" });
    expect(plan.attentionScale).toBeCloseTo(1 / Math.sqrt(24), 6);
    expect(plan.layers.map(({ window }) => window)).toEqual([75, undefined, 75]);
  });
});

describe("a graph that computes something else is not recognised:", () => {
  let graph: OnnxGraph;
  beforeAll(async () => {
    graph = await graphOf(4, "asymmetric");
  });

  /** The graph with its first node of this kind changed. */
  const changed = (op: string, change: (node: OnnxNode) => Partial<OnnxNode>): OnnxGraph => {
    const at = graph.nodes.findIndex((node) => node.op === op);
    expect(at).toBeGreaterThanOrEqual(0);
    return { ...graph, nodes: graph.nodes.map((node, i) => (i === at ? { ...node, ...change(node) } : node)) };
  };
  const withNumber = (op: string, name: string, value: number) => (): OnnxGraph =>
    changed(op, ({ numbers }) => ({ numbers: new Map(numbers).set(name, value) }));

  test("unchanged, it is", () => {
    expect(planLlama(graph)).toBeDefined();
  });

  test.each<readonly [string, () => OnnxGraph]>([
    ["attention with capped scores as ONNX Runtime has them", withNumber("GroupQueryAttention", "softcap", 30)],
    ["layers of different scales", withNumber("GroupQueryAttention", "scale", 0.5)],
    ["positions that are not rotary", withNumber("GroupQueryAttention", "do_rotary", 0)],
    ["interleaved rotary pairs", withNumber("GroupQueryAttention", "rotary_interleaved", 1)],
    ["layers with different heads", withNumber("GroupQueryAttention", "num_heads", heads * 2)],
    ["norms with different epsilons", withNumber("SkipSimplifiedLayerNormalization", "epsilon", 0.5)],
    ["blocks of another size", withNumber("MatMulNBits", "block_size", 64)],
    ["weights of 2 bits", withNumber("MatMulNBits", "bits", 2)],
    ["another activation", () => changed("Sigmoid", () => ({ op: "Tanh" }))],
    ["a product that is not quantized", () => changed("MatMulNBits", () => ({ op: "MatMul" }))],
    ["weights that are not in the file", () => ({ ...graph, tensors: new Map() })],
    ["no layer at all", () => ({ ...graph, nodes: [] })],
    ["another node behind the logits", () => ({ ...graph, nodes: [...graph.nodes, ...graph.nodes.slice(-1)] })],
  ])("%s", (_, make) => {
    expect(planLlama(make())).toBeUndefined();
  });
});
