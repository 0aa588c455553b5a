// Attention whose scores are bent by cap · tanh(score / cap), as Gemma 2 has it. ONNX Runtime's GroupQueryAttention has that on CPUs and ignores it
// on WebGPU, so this writes it in plain operators, and the cache grows by concatenation. Knows nothing of the other parts of a layer.
import type { TextConfig } from "#convert/config/text-config.ts";
import type { GraphBuilder, Value } from "./graph.ts";

/** What the layers share; masks by window, 0 standing for none. */
export interface CappedShared {
  readonly positions: Value;
  /** int64 [4]: batch, heads, new rows, all rows. */
  readonly scoreShape: Value;
  /** int64 [4]: batch, key heads, rows of a key head's queries, all rows. */
  readonly groupShape: Value;
  /** Each f32 [batch, 1, new rows, all rows]: 0 where a row is seen, else the lowest float. */
  readonly masks: ReadonlyMap<number, Value>;
  readonly scale: Value;
  readonly cap: Value;
}

/**
 * position_ids int64 [b, s] ─ Unsqueeze ─┬─ GreaterOrEqual(rows 0 … total − 1) ─────┬─ And ─ Where(0, lowest) → mask
 *                                        └─ Sub(window) ─ Less(rows 0 … total − 1) ─┘
 */
export function cappedInputs(graph: GraphBuilder, config: TextConfig, cap: number): CappedShared {
  const { heads, kvHeads, attentionScale, windows } = config;
  const positions = "position_ids";
  const batch = graph.node("batch", "Shape", [positions], { start: { int: 0 }, end: { int: 1 } });
  const added = graph.node("added", "Shape", [positions], { start: { int: 1 }, end: { int: 2 } });
  const total = graph.node("all", "Shape", ["attention_mask"], { start: { int: 1 }, end: { int: 2 } });
  const shape = (path: string, ...parts: Value[]): Value =>
    graph.node(path, "Concat", [batch, ...parts, total], { axis: { int: 0 } });

  const rows = graph.node("rows", "Range", [
    graph.int64("rows.start", [0], []),
    graph.node("rows", "Squeeze", [total, graph.int64("axis0", [0])]),
    graph.int64("rows.step", [1], []),
  ]);
  const own = graph.node("mask", "Unsqueeze", [positions, graph.int64("mask.axes", [1, 3])]); // [b, 1, s, 1]
  const before = graph.node("mask", "GreaterOrEqual", [own, rows]);
  const values = [
    graph.float32("mask.seen", Float32Array.of(0), []),
    graph.float32("mask.unseen", Float32Array.of(-3.4028234663852886e38), []),
  ];
  const masks = new Map<number, Value>();
  for (const window of new Set(windows.map((length) => length ?? 0))) {
    const path = `mask/${window}`;
    const seen =
      window === 0
        ? before
        : graph.node(path, "And", [
            before,
            graph.node(path, "Less", [
              graph.node(path, "Sub", [own, graph.int64(`mask.window.${window}`, [window], [])]),
              rows,
            ]),
          ]);
    masks.set(window, graph.node(path, "Where", [seen, ...values]));
  }
  return {
    positions,
    scoreShape: shape("scores", graph.int64("heads", [heads]), added),
    groupShape: shape("groups", graph.int64("groups.rows", [kvHeads, -1])),
    masks,
    scale: graph.float32("scores.scale", Float32Array.of(attentionScale / cap), []),
    cap: graph.float32("scores.cap", Float32Array.of(cap), []),
  };
}

/** A layer's queries, keys and values, each f32 [b, s, its heads · headSize]. */
export interface HeadRows {
  readonly queries: Value;
  readonly keys: Value;
  readonly values: Value;
}

/**
 * queries ─ heads ─ RotaryEmbedding ─ Reshape(by key head) ─┐
 * keys ─ heads ─ RotaryEmbedding ─ Concat(past) ─ Transpose ─ MatMul ─ · scale / cap ─ Tanh ─ · cap ─ Add(mask) ─ Softmax ─┐
 * values ─ heads ─ Concat(past) ─────────────────────────────────────────────────────────────────────────────────────── MatMul ─ rows
 * → f32 [b, s, heads · headSize]
 */
export function cappedAttention(
  graph: GraphBuilder,
  { heads, kvHeads, headSize, windows }: TextConfig,
  layer: number,
  shared: CappedShared & { readonly cos: Value; readonly sin: Value },
  { queries, keys, values }: HeadRows,
): Value {
  const at = `layers.${layer}/attention`;
  const swap = { perm: { ints: [0, 2, 1, 3] } };
  const byHead = (path: string, x: Value, count: number): Value => {
    const rows = graph.node(path, "Reshape", [x, graph.int64(`heads.${count}`, [0, 0, count, headSize])]);
    return graph.node(path, "Transpose", [rows], swap); // [b, count, s, headSize]
  };
  const rotated = (path: string, x: Value): Value =>
    graph.node(path, "RotaryEmbedding", [x, shared.positions, shared.cos, shared.sin], { interleaved: { int: 0 } });
  const present = (kind: "key" | "value", x: Value): Value => {
    const name = `present.${layer}.${kind}`;
    const past = `past_key_values.${layer}.${kind}`;
    graph.nodeTo([name], `${at}/${kind}`, "Concat", [past, x], { axis: { int: 2 } });
    return name;
  };

  const asked = rotated(`${at}/queries`, byHead(`${at}/queries`, queries, heads));
  const allKeys = present("key", rotated(`${at}/keys`, byHead(`${at}/keys`, keys, kvHeads)));
  const allValues = present("value", byHead(`${at}/values`, values, kvHeads));

  const groupRows = graph.int64("group_rows", [0, kvHeads, -1, headSize]);
  const grouped = graph.node(`${at}/grouped`, "Reshape", [asked, groupRows]); // [b, kvHeads, group · s, headSize]
  const turned = graph.node(`${at}/turned`, "Transpose", [allKeys], { perm: { ints: [0, 1, 3, 2] } });
  const products = graph.node(`${at}/scores`, "MatMul", [grouped, turned]);
  const scores = graph.node(`${at}/scores`, "Reshape", [products, shared.scoreShape]);
  const bent = graph.node(`${at}/bent`, "Tanh", [graph.node(`${at}/scaled`, "Mul", [scores, shared.scale])]);
  const capped = graph.node(`${at}/capped`, "Mul", [bent, shared.cap]);
  const masked = graph.node(`${at}/masked`, "Add", [capped, shared.masks.get(windows[layer] ?? 0) ?? ""]);
  const shares = graph.node(`${at}/shares`, "Softmax", [masked], { axis: { int: -1 } });
  const groupShares = graph.node(`${at}/shares`, "Reshape", [shares, shared.groupShape]);
  const mixed = graph.node(`${at}/mixed`, "MatMul", [groupShares, allValues]);
  const apart = graph.node(`${at}/mixed`, "Reshape", [mixed, graph.int64("apart", [0, heads, -1, headSize])]);
  const rows = graph.node(`${at}/mixed`, "Transpose", [apart], swap);
  return graph.node(`${at}/rows`, "Reshape", [rows, graph.int64("joined", [0, 0, heads * headSize])]);
}
