// A layer of the decoder: norms, attention, gated MLP. The residual stream is two terms that are not added yet, since
// SkipSimplifiedLayerNormalization adds and normalizes at once.
import { attention } from "./decoder-attention.ts";
import { bias, linear, matrix, normWeight, type Block } from "./decoder-products.ts";
import type { Value } from "./graph.ts";

export interface Stream {
  readonly residual: Value;
  readonly update: Value | undefined;
}

/**
 * stream ─ add & RMSNorm ─ attention ─ (RMSNorm) ─┐
 *    └────────────────────── add & RMSNorm ───────┴─ MLP ─ (RMSNorm) ─ stream
 */
export function decoderLayer(block: Block, stream: Stream): Stream {
  const { config, shared, layer } = block;
  const at = `layers.${layer}`;
  const before = addAndNorm(block, `${at}/attention_norm`, stream, `${at}.input_layernorm.weight`);
  const mixed = attention(block, before.normed);
  // The last layer drops the positions whose logits are not requested, before its output matrix.
  const isLast = layer === config.layers - 1;
  const rows = isLast ? shared.keep(`${at}/attention/keep`, mixed) : mixed;
  const residual = isLast ? shared.keep(`${at}/residual/keep`, before.sum) : before.sum;
  const out = matrix(block, "self_attn.o_proj", config.hidden, config.heads * config.headSize);
  const outBias = bias(block, config.outBias, "self_attn.o_proj", config.hidden);
  const attended = linear(block, "out", `${at}/attention/out`, rows, out, outBias);
  if (!config.postNorms) {
    const after = addAndNorm(
      block,
      `${at}/mlp_norm`,
      { residual, update: attended },
      `${at}.post_attention_layernorm.weight`,
    );
    return { residual: after.sum, update: mlp(block, after.normed) };
  }
  const update = norm(block, `${at}/attention_post_norm`, attended, `${at}.post_attention_layernorm.weight`);
  const after = addAndNorm(block, `${at}/mlp_norm`, { residual, update }, `${at}.pre_feedforward_layernorm.weight`);
  const widened = mlp(block, after.normed);
  return {
    residual: after.sum,
    update: norm(block, `${at}/mlp_post_norm`, widened, `${at}.post_feedforward_layernorm.weight`),
  };
}

/**
 * x ─┬─ gate ─ activation ─┐
 *    └─ up ─────────────── Mul ─ down
 */
function mlp(block: Block, x: Value): Value {
  const { graph, config, layer } = block;
  const { hidden, ffn } = config;
  const at = `layers.${layer}/mlp`;
  const project = (name: "gate" | "up" | "down", input: Value, rows: number, cols: number): Value => {
    const module = `mlp.${name}_proj`;
    const weight = matrix(block, module, rows, cols);
    return linear(block, name, `${at}/${name}`, input, weight, bias(block, config.mlpBias, module, rows));
  };
  const gate = activate(block, `${at}/${config.activation}`, project("gate", x, ffn, hidden));
  const gated = graph.node(`${at}/gated`, "Mul", [gate, project("up", x, ffn, hidden)]);
  return project("down", gated, hidden, ffn);
}

function activate({ graph, config }: Block, path: string, x: Value): Value {
  switch (config.activation) {
    case "silu":
      return graph.node(path, "Mul", [x, graph.node(path, "Sigmoid", [x])]);
    case "gelu_tanh":
      return graph.node(path, "FastGelu", [x]);
    case "gelu":
      return graph.node(path, "Gelu", [x]);
  }
}

type NormParts = Pick<Block, "graph" | "ops" | "config" | "tensors">;

/** The RMS norm of x, with the weights of this name. */
function norm(parts: NormParts, path: string, x: Value, source: string): Value {
  const { graph, config } = parts;
  return graph.node(path, "SimplifiedLayerNormalization", [x, normWeight(parts, source, config.hidden)], {
    axis: { int: -1 },
    stash_type: { int: 1 },
    epsilon: { float: config.epsilon },
  });
}

/** Adds the update to the residual and normalizes the sum; the first layer has no update yet. */
export function addAndNorm(
  parts: NormParts,
  path: string,
  { residual, update }: Stream,
  source: string,
): { readonly normed: Value; readonly sum: Value } {
  if (update === undefined) return { normed: norm(parts, path, residual, source), sum: residual };
  const { graph, config } = parts;
  const op = "SkipSimplifiedLayerNormalization";
  const [normed, sum] = [`${path}/${op}:0`, `${path}/sum`];
  graph.nodeTo([normed, "", "", sum], path, op, [residual, update, normWeight(parts, source, config.hidden)], {
    epsilon: { float: config.epsilon },
  });
  return { normed, sum };
}
