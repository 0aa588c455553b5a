// For tests: a decoder as other projects' early exporters wrote it, from plain operators. Positions are an input, all logits are
// returned, and the cache grows by concatenation. Same weights as ours, another signature.
import type { TextConfig } from "#convert/config/text-config.ts";
import type { LlavaTensors, Vector } from "#convert/checkpoint/llava-tensors.ts";
import { GraphBuilder, type Placement, type Value } from "#convert/onnx/graph.ts";
import { WeightOps } from "#convert/onnx/weight-ops.ts";

/** The graph and its external data, under the name it refers to it by; for decoders with one key and value head. */
export async function oldDecoder(
  config: TextConfig,
  tensors: LlavaTensors,
  dataFile: string,
): Promise<{ readonly graph: Uint8Array<ArrayBuffer>; readonly data: Uint8Array<ArrayBuffer> }> {
  const graph = build(config, tensors);
  const placements = new Map<string, Placement>();
  const data = new Uint8Array(graph.weights.reduce((sum, weight) => sum + weight.bytes, 0));
  let end = 0;
  for (const weight of graph.weights) {
    placements.set(weight.name, { location: dataFile, offset: end });
    for (const step of weight.steps()) {
      for (const bytes of await step.make()) {
        data.set(bytes, end);
        end += bytes.length;
      }
    }
  }
  return { graph: graph.encode(placements), data };
}

/** Longer than most functions: the whole graph, in the order in which data flows, as an exporter writes it. */
function build(config: TextConfig, tensors: LlavaTensors): GraphBuilder {
  const { hidden, ffn, heads, kvHeads, headSize, layers } = config;
  const graph = new GraphBuilder("old_decoder");
  const ops = new WeightOps(graph, { bits: 32 });
  let count = 0;
  const op = (name: string, inputs: readonly Value[], attributes = {}): Value =>
    graph.node(`n${count++}`, name, inputs, attributes);
  const ints = (values: readonly number[]): Value => graph.int64(`c${count++}`, values);
  const float = (value: number): Value => graph.float32(`c${count++}`, Float32Array.of(value));
  const vector = (name: string, size: number): Vector => tensors.vector("text", name, [size]);

  const embeds = graph.input("inputs_embeds", "float32", ["batch_size", "sequence_length", hidden]);
  const mask = graph.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
  const positions = graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
  graph.input("use_cache_branch", "bool", [1]); // the plain operators need no second branch, but the flag has to be given
  const past = Array.from({ length: layers }, (_, i) =>
    ["key", "value"].map((kind) =>
      graph.input(`past_key_values.${i}.${kind}`, "float32", ["batch_size", kvHeads, "past_sequence_length", headSize]),
    ),
  );

  // Rotary tables of the positions [b, 1, s, headSize / 2], and what each may look at [b, 1, s, total].
  const angle = op("Mul", [
    op("Unsqueeze", [op("Cast", [positions], { to: { int: 1 } }), ints([1, 3])]),
    graph.float32("frequencies", config.inverseFrequencies, [1, 1, 1, headSize / 2]),
  ]);
  const [cos, sin] = [op("Cos", [angle]), op("Sin", [angle])];
  const total = op("Squeeze", [op("Shape", [mask], { start: { int: 1 }, end: { int: 2 } }), ints([0])]);
  const places = op("Range", [graph.int64("zero", [0], []), total, graph.int64("step", [1], [])]);
  const before = op("LessOrEqual", [places, op("Unsqueeze", [positions, ints([1, 3])])]);
  const seen = op("And", [before, op("Greater", [op("Unsqueeze", [mask, ints([1, 2])]), ints([0])])]);
  const bias = op("Where", [seen, float(0), float(-1e9)]);

  const norm = (x: Value, name: string): Value => {
    const squares = op("ReduceMean", [op("Mul", [x, x]), ints([-1])], { keepdims: { int: 1 } });
    const root = op("Sqrt", [op("Add", [squares, float(config.epsilon)])]);
    return op("Mul", [op("Div", [x, root]), ops.vector(vector(name, hidden))]);
  };
  const linear = (x: Value, name: string, rows: number, cols: number, hasBias: boolean): Value =>
    ops.linear(
      name,
      x,
      tensors.matrix("text", `${name}.weight`, rows, cols),
      hasBias ? vector(`${name}.bias`, rows) : undefined,
    );
  const inHeads = (x: Value, of: number): Value =>
    op("Transpose", [op("Reshape", [x, ints([0, 0, of, headSize])])], { perm: { ints: [0, 2, 1, 3] } });
  const rotate = (x: Value): Value => {
    const part = (from: number, to: number): Value => op("Slice", [x, ints([from]), ints([to]), ints([3])]);
    const [left, right] = [part(0, headSize / 2), part(headSize / 2, headSize)];
    const turned = [
      op("Sub", [op("Mul", [left, cos]), op("Mul", [right, sin])]),
      op("Add", [op("Mul", [right, cos]), op("Mul", [left, sin])]),
    ];
    return op("Concat", turned, { axis: { int: 3 } });
  };

  let x = embeds;
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const normed = norm(x, `${at}.input_layernorm.weight`);
    const project = (name: string, of: number): Value =>
      inHeads(linear(normed, `${at}.self_attn.${name}_proj`, of * headSize, hidden, config.qkvBias), of);
    const joined = [rotate(project("k", kvHeads)), project("v", kvHeads)].map((added, k) => {
      const name = `present.${i}.${k === 0 ? "key" : "value"}`;
      graph.nodeTo([name], `join${i}.${k}`, "Concat", [past[i]?.[k] ?? "", added], { axis: { int: 2 } });
      return name;
    });
    const [keys = "", values = ""] = joined;
    const scores = op("MatMul", [
      rotate(project("q", heads)),
      op("Transpose", [keys], { perm: { ints: [0, 1, 3, 2] } }),
    ]);
    const scaled = op("Add", [op("Mul", [scores, float(1 / Math.sqrt(headSize))]), bias]);
    const mixed = op("MatMul", [op("Softmax", [scaled], { axis: { int: -1 } }), values]);
    const flat = op("Reshape", [
      op("Transpose", [mixed], { perm: { ints: [0, 2, 1, 3] } }),
      ints([0, 0, heads * headSize]),
    ]);
    x = op("Add", [x, linear(flat, `${at}.self_attn.o_proj`, hidden, heads * headSize, config.outBias)]);
    const inner = norm(x, `${at}.post_attention_layernorm.weight`);
    const gate = linear(inner, `${at}.mlp.gate_proj`, ffn, hidden, false);
    const wide = op("Mul", [
      op("Mul", [gate, op("Sigmoid", [gate])]),
      linear(inner, `${at}.mlp.up_proj`, ffn, hidden, false),
    ]);
    x = op("Add", [x, linear(wide, `${at}.mlp.down_proj`, hidden, ffn, false)]);
  }
  const head = tensors.matrix("text", "embed_tokens.weight", config.vocab, hidden);
  ops.linear("head", norm(x, "norm.weight"), head, undefined, "logits");
  graph.output("logits", "float32", ["batch_size", "sequence_length", config.vocab]);
  for (let i = 0; i < layers; i++) {
    for (const kind of ["key", "value"]) {
      graph.output(`present.${i}.${kind}`, "float32", ["batch_size", kvHeads, "total_sequence_length", headSize]);
    }
  }
  return graph;
}
