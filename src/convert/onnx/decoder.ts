// The decoder graph: embeddings and KV cache → logits and longer KV cache, for decoders of Llama's kind. decoder-layer.ts writes the layers.
// One graph serves prefill, chunked prefill and decoding, with a growing cache or, unless scores of attention are capped, with one buffer for
// past and present.
import type { TextConfig } from "#convert/config/text-config.ts";
import type { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import type { AdapterSite } from "#engine/package.ts";
import { cappedInputs, type CappedShared } from "./capped-attention.ts";
import { addAndNorm, decoderLayer } from "./decoder-layer.ts";
import { GraphBuilder, type Value } from "./graph.ts";
import { WeightOps, type GraphOptions } from "./weight-ops.ts";

const int64Max = 2 ** 53; // Slice clamps its end

/** How long the prompt is, and which of its positions get logits. */
interface Lengths {
  readonly seqlens: Value;
  readonly totalLength: Value;
  /** Drops the positions of x [b, s, n] whose logits are not requested. */
  readonly keep: (path: string, x: Value) => Value;
}

/**
 * Whether the graph wants a cache that grows. ONNX Runtime's attention on WebGPU computes wrong numbers where a window meets one buffer for past and
 * present (1.30). Such graphs take `position_ids`, by which engines tell them.
 */
export function growsCache({ attentionCap, windows }: TextConfig): boolean {
  return attentionCap !== undefined || windows.some((window) => window !== undefined);
}

/** What every layer needs beside its weights. */
export interface Shared extends Lengths {
  readonly cos: Value;
  readonly sin: Value;
  /** Whether every product has an adapter's beside it. */
  readonly adaptable: boolean;
  /** What attention with capped scores needs beside these. */
  readonly capped: CappedShared | undefined;
}

/** The products that a LoRA adapter may change, in every layer; see buildDecoder. */
export function decoderSites({ hidden, ffn, heads, kvHeads, headSize }: TextConfig): readonly AdapterSite[] {
  const site = (name: string, inputs: number, ...parts: readonly [string, number][]): AdapterSite => ({
    name,
    inputs,
    parts: parts.map(([of, outputs]) => ({ of, outputs })),
  });
  const [all, some] = [heads * headSize, kvHeads * headSize];
  return [
    site("qkv", hidden, ["self_attn.q_proj", all], ["self_attn.k_proj", some], ["self_attn.v_proj", some]),
    site("out", all, ["self_attn.o_proj", hidden]),
    site("gate", hidden, ["mlp.gate_proj", ffn]),
    site("up", hidden, ["mlp.up_proj", ffn]),
    site("down", ffn, ["mlp.down_proj", hidden]),
  ];
}

/**
 * inputs_embeds f32 [b, s, hidden], attention_mask int64 [b, total], past_key_values.{i}.{key,value} f32 [b, kv, past, headSize],
 * num_logits_to_keep int64 scalar (0 = all) → logits f32 [b, kept, vocab], present.{i}.{key,value}.
 * Adaptable graphs have the same weights and two more inputs per site and layer, lora.{i}.{site}.down f32 [inputs, rank] and
 * .up f32 [rank, outputs] of any rank: x · W becomes x · W + (x · down) · up.
 * Replayable graphs take seqlens_k int32 [b] (total − 1), total_sequence_length int32 scalar and kept_positions int32 [kept] in the place of
 * the mask and the number of logits, so that a GPU can do a step again without anyone looking at shapes.
 */
export function buildDecoder(config: TextConfig, tensors: LlavaTensors, options: GraphOptions): GraphBuilder {
  const graph = new GraphBuilder("decoder_model_merged");
  const ops = new WeightOps(graph, options);
  const embeds = graph.input("inputs_embeds", "float32", ["batch_size", "sequence_length", config.hidden]);
  const shared = sharedInputs(graph, config, options);

  // The residual stream is two terms that are not added yet: SkipSimplifiedLayerNormalization adds and normalizes at once.
  let residual = embeds;
  let update: Value | undefined;
  const parts = { graph, ops, config, tensors, shared };
  for (let layer = 0; layer < config.layers; layer++) {
    ({ residual, update } = decoderLayer({ ...parts, layer }, { residual, update }));
  }
  const { normed } = addAndNorm(parts, "final_norm", { residual, update }, "norm.weight");
  const head =
    config.tiedHead && !tensors.hasHead
      ? tensors.matrix("text", "embed_tokens.weight", config.vocab, config.hidden)
      : tensors.matrix("head", "weight", config.vocab, config.hidden);
  if (config.logitCap === undefined) ops.linear("head", normed, head, undefined, "logits");
  else capLogits(graph, ops.linear("head", normed, head), config.logitCap);
  graph.output("logits", "float32", ["batch_size", "kept_length", config.vocab]);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const kind of ["key", "value"]) {
      graph.output(`present.${layer}.${kind}`, "float32", [
        "batch_size",
        config.kvHeads,
        "present_sequence_length",
        config.headSize,
      ]);
    }
  }
  return graph;
}

/** logits = cap · tanh(x / cap) */
function capLogits(graph: GraphBuilder, x: Value, cap: number): void {
  const bent = graph.node("logits", "Tanh", [graph.node("logits", "Div", [x, scalar(graph, "logits.cap", cap)])]);
  graph.nodeTo(["logits"], "logits", "Mul", [bent, "logits.cap"]);
}

function scalar(graph: GraphBuilder, name: string, value: number): Value {
  return graph.float32(name, Float32Array.of(value), []);
}

/**
 * positions 0 … context−1 × inverse frequencies ─┬─ Cos     (folded into constants when the graph is loaded: saves
 *                                                └─ Sin      2 · context · headSize/2 floats in the package)
 */
function sharedInputs(graph: GraphBuilder, config: TextConfig, options: GraphOptions): Shared {
  const adaptable = options.adaptable === true;
  const lengths = options.replayable === true ? givenLengths(graph) : maskLengths(graph);
  // From these names of free dimensions transformers.js makes the first, empty cache: others than batch_size count 0.
  for (let layer = 0; layer < config.layers; layer++) {
    for (const kind of ["key", "value"]) {
      graph.input(`past_key_values.${layer}.${kind}`, "float32", [
        "batch_size",
        config.kvHeads,
        "past_sequence_length",
        config.headSize,
      ]);
    }
  }
  if (adaptable) {
    for (let layer = 0; layer < config.layers; layer++) {
      for (const { name, inputs, parts } of decoderSites(config)) {
        const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
        graph.input(`lora.${layer}.${name}.down`, "float32", [inputs, `rank_${layer}_${name}`]);
        graph.input(`lora.${layer}.${name}.up`, "float32", [`rank_${layer}_${name}`, outputs]);
      }
    }
  }
  const positions = graph.node("rotary", "Range", [
    graph.int64("rotary.start", [0], []),
    graph.int64("rotary.end", [config.context], []),
    graph.int64("rotary.step", [1], []),
  ]);
  const column = graph.node("rotary", "Unsqueeze", [
    graph.node("rotary", "Cast", [positions], { to: { int: 1 } }),
    graph.int64("axis1", [1]),
  ]);
  const frequencies = graph.float32("rotary.frequencies", config.inverseFrequencies, [1, config.headSize / 2]);
  const angles = graph.node("rotary", "Mul", [column, frequencies]); // [context, headSize / 2]
  if (growsCache(config)) graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
  return {
    ...lengths,
    cos: graph.node("rotary", "Cos", [angles]),
    sin: graph.node("rotary", "Sin", [angles]),
    adaptable,
    capped: config.attentionCap === undefined ? undefined : cappedInputs(graph, config, config.attentionCap),
  };
}

/**
 * attention_mask ─┬─ ReduceSum(axis 1) ─ Sub(1) ─ Cast(int32) → seqlens [b]
 *                 └─ Shape[1] ─ Squeeze ─ Cast(int32) → totalLength, scalar
 * num_logits_to_keep ─ Neg ─ Reshape [1] → start of the kept positions, counted from the end; 0 keeps all
 */
function maskLengths(graph: GraphBuilder): Lengths {
  const mask = graph.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
  const keep = graph.input("num_logits_to_keep", "int64", []);
  const one = graph.int64("axis1", [1]);
  const lengths = graph.node("lengths", "ReduceSum", [mask, one], { keepdims: { int: 0 } });
  const last = graph.node("lengths", "Sub", [lengths, one]);
  const total = graph.node("total", "Shape", [mask], { start: { int: 1 }, end: { int: 2 } });
  const totalScalar = graph.node("total", "Squeeze", [total, graph.int64("axis0", [0])]);
  const start = graph.node("keep", "Reshape", [graph.node("keep", "Neg", [keep]), one]);
  return {
    seqlens: graph.node("lengths", "Cast", [last], { to: { int: 6 } }),
    totalLength: graph.node("total", "Cast", [totalScalar], { to: { int: 6 } }),
    keep: (path, x) => graph.node(path, "Slice", [x, start, graph.int64("end", [int64Max]), one]),
  };
}

/** Computes nothing from shapes: all that changes between steps are the values of three inputs, which may be on a GPU. */
function givenLengths(graph: GraphBuilder): Lengths {
  const rows = graph.input("kept_positions", "int32", ["kept_length"]);
  return {
    seqlens: graph.input("seqlens_k", "int32", ["batch_size"]),
    totalLength: graph.input("total_sequence_length", "int32", []),
    keep: (path, x) => graph.node(path, "Gather", [x, rows], { axis: { int: 1 } }),
  };
}
