// Attention of a decoder's layer: from normalized rows to what its output matrix is given. The kinds are those of TextConfig: packed or split
// queries, keys and values, norms per head, windows, capped scores.
import { joinVectors, stackMatrices } from "#convert/checkpoint/llava-tensors.ts";
import { cappedAttention, type HeadRows } from "./capped-attention.ts";
import { linear, matrix, normWeight, type Block } from "./decoder-products.ts";
import type { Value } from "./graph.ts";

/** x f32 [b, s, hidden] → f32 [b, s, heads · headSize], present.{layer}.{key,value}. */
export function attention(block: Block, x: Value): Value {
  const { graph, config, shared, layer } = block;
  const packed = packedRows(block, x);
  if (shared.capped) {
    const { cos, sin, capped } = shared;
    return cappedAttention(graph, config, layer, { ...capped, cos, sin }, splitRows(block, packed));
  }
  return groupQueryAttention(block, config.qkNorm ? splitRows(block, packed) : packed);
}

/** x · [queries, keys, values]ᵀ */
function packedRows(block: Block, x: Value): Value {
  const { config, tensors, layer } = block;
  const { hidden, heads, kvHeads, headSize } = config;
  const at = `layers.${layer}`;
  const parts = [
    { name: "self_attn.q_proj", rows: heads * headSize },
    { name: "self_attn.k_proj", rows: kvHeads * headSize },
    { name: "self_attn.v_proj", rows: kvHeads * headSize },
  ] as const;
  return linear(
    block,
    "qkv",
    `${at}/attention/qkv`,
    x,
    stackMatrices(`text.${at}.self_attn.qkv.weight`, [
      matrix(block, parts[0].name, parts[0].rows, hidden),
      matrix(block, parts[1].name, parts[1].rows, hidden),
      matrix(block, parts[2].name, parts[2].rows, hidden),
    ]),
    config.qkvBias
      ? joinVectors(
          `text.${at}.self_attn.qkv.bias`,
          parts.map(({ name, rows }) => tensors.vector("text", `${at}.${name}.bias`, [rows])),
        )
      : undefined,
  );
}

/**
 * packed ─ Split ─┬─ queries ─ RMSNorm per head (Qwen3) ─
 *                 ├─ keys ──── RMSNorm per head (Qwen3) ─
 *                 └─ values ─
 */
function splitRows(block: Block, packed: Value): HeadRows {
  const { graph, config, layer } = block;
  const { heads, kvHeads, headSize } = config;
  const at = `layers.${layer}/attention`;
  const [queries, keys, values] = [`${at}/q`, `${at}/k`, `${at}/v`];
  const sizes = graph.int64("qkv_sizes", [heads * headSize, kvHeads * headSize, kvHeads * headSize]);
  graph.nodeTo([queries, keys, values], `${at}/split`, "Split", [packed, sizes], { axis: { int: 2 } });
  if (!config.qkNorm) return { queries, keys, values };

  const normed = (path: string, x: Value, count: number, source: string): Value => {
    const apart = graph.node(`${path}/heads`, "Reshape", [x, graph.int64(`heads.${count}`, [0, 0, count, headSize])]);
    const weight = normWeight(block, `layers.${layer}.self_attn.${source}.weight`, headSize);
    const norm = graph.node(path, "SimplifiedLayerNormalization", [apart, weight], {
      axis: { int: -1 },
      stash_type: { int: 1 },
      epsilon: { float: config.epsilon },
    });
    return graph.node(`${path}/joined`, "Reshape", [norm, graph.int64(`joined.${count}`, [0, 0, count * headSize])]);
  };
  return {
    queries: normed(`${at}/q_norm`, queries, heads, "q_norm"),
    keys: normed(`${at}/k_norm`, keys, kvHeads, "k_norm"),
    values,
  };
}

/** rows ─ GroupQueryAttention(past → present, rotary, window); packed rows are its first input alone. */
function groupQueryAttention({ graph, config, shared, layer }: Block, rows: Value | HeadRows): Value {
  const { heads, kvHeads, attentionScale, windows } = config;
  const at = `layers.${layer}/attention`;
  const mixed = `${at}/mixed`;
  const window = windows[layer];
  graph.nodeTo(
    [mixed, `present.${layer}.key`, `present.${layer}.value`],
    at,
    "GroupQueryAttention",
    [
      ...(typeof rows === "string" ? [rows, "", ""] : [rows.queries, rows.keys, rows.values]),
      `past_key_values.${layer}.key`,
      `past_key_values.${layer}.value`,
      shared.seqlens,
      shared.totalLength,
      shared.cos,
      shared.sin,
    ],
    {
      num_heads: { int: heads },
      kv_num_heads: { int: kvHeads },
      scale: { float: attentionScale },
      do_rotary: { int: 1 },
      rotary_interleaved: { int: 0 },
      ...(window === undefined ? {} : { local_window_size: { int: window } }),
    },
  );
  return mixed;
}
