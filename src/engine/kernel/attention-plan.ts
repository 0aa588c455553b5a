// Recognises attention in a decoder's graph, in either form that the converter writes: GroupQueryAttention, over packed rows or over normalized ones,
// and plain operators with capped scores.
import { expect, floatOf, type GraphWalk } from "./graph-walk.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor } from "#formats/onnx-reader.ts";

export interface PlannedAttention {
  readonly heads: number;
  readonly kvHeads: number;
  readonly scale: number;
  readonly cap: number | undefined;
  readonly window: number | undefined;
  readonly queryNorm: OnnxTensor | undefined;
  readonly keyNorm: OnnxTensor | undefined;
}

const numbersKnown = new Set([
  ...["num_heads", "kv_num_heads", "scale", "do_rotary", "rotary_interleaved", "local_window_size"],
]);

export class AttentionReader {
  readonly #walk: GraphWalk;
  readonly #headSize: number;
  readonly #tensors: OnnxGraph["tensors"];
  readonly #makers: ReadonlyMap<string, OnnxNode>;

  constructor({ nodes, tensors }: OnnxGraph, walk: GraphWalk, headSize: number) {
    this.#walk = walk;
    this.#headSize = headSize;
    this.#tensors = tensors;
    this.#makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  }

  /** Takes the nodes between a layer's packed rows and its output matrix. `normOf` checks a norm and returns its weights. */
  next(normOf: (node: OnnxNode) => OnnxTensor): PlannedAttention {
    const walk = this.#walk;
    if (walk.peek()?.op !== "Split") return { ...this.#groupQuery(true), queryNorm: undefined, keyNorm: undefined };
    const split = walk.next("Split");
    expect(split.numbers.get("axis") === 2);
    const [queries = 0, keys = 0, values = 0] = integersOf(walk.tensor(split.inputs[1]));
    expect(keys === values && queries % this.#headSize === 0 && keys % this.#headSize === 0);
    const normed = walk.peek()?.op === "SimplifiedLayerNormalization";
    const [queryNorm, keyNorm] = normed ? [normOf(walk.next()), normOf(walk.next("SimplifiedLayerNormalization"))] : [];
    for (const norm of [queryNorm, keyNorm]) expect(norm === undefined || norm.dims[0] === this.#headSize);
    const sizes = { heads: queries / this.#headSize, kvHeads: keys / this.#headSize };
    const found = walk.peek()?.op === "GroupQueryAttention" ? this.#groupQuery(false) : { ...sizes, ...this.#capped() };
    expect(found.heads === sizes.heads && found.kvHeads === sizes.kvHeads);
    return { ...found, queryNorm, keyNorm };
  }

  /** Attention must be rotary and causal, without a cap. */
  #groupQuery(packed: boolean) {
    const { inputs, numbers } = this.#walk.next("GroupQueryAttention");
    expect((inputs[1] === "") === packed && (inputs[2] === "") === packed);
    expect([...numbers.keys()].every((name) => numbersKnown.has(name)));
    expect(numbers.get("do_rotary") === 1 && (numbers.get("rotary_interleaved") ?? 0) === 0);
    return {
      heads: expect(numbers.get("num_heads")),
      kvHeads: expect(numbers.get("kv_num_heads")),
      scale: expect(numbers.get("scale")),
      cap: undefined,
      window: numbers.get("local_window_size"),
    };
  }

  /** The operators of capped-attention.ts, in their order. */
  #capped() {
    const walk = this.#walk;
    for (const op of ["RotaryEmbedding", "RotaryEmbedding", "Concat", "Concat", "MatMul"]) walk.next(op);
    const scaled = floatOf(walk.tensor(walk.next("Mul").inputs[1]));
    walk.next("Tanh");
    const cap = floatOf(walk.tensor(walk.next("Mul").inputs[1]));
    const window = this.#windowOf(walk.next("Add").inputs[1]);
    walk.next("Softmax");
    walk.next("MatMul");
    return { scale: scaled * cap, cap, window };
  }

  /** Where(GreaterOrEqual) sees all rows before; Where(And(…, Less(Sub(position, window), …))) the last of them. */
  #windowOf(mask: string | undefined): number | undefined {
    const maker = (value: string | undefined, op: string): OnnxNode => {
      const node = expect(this.#makers.get(value ?? ""));
      expect(node.op === op);
      return node;
    };
    const seen = maker(mask, "Where").inputs[0];
    if (this.#makers.get(seen ?? "")?.op === "GreaterOrEqual") return undefined;
    const first = maker(maker(seen, "And").inputs[1], "Less").inputs[0];
    return expect(integersOf(expect(this.#tensors.get(maker(first, "Sub").inputs[1] ?? "")))[0]);
  }
}

/** A small int64 constant's values. */
function integersOf({ data }: OnnxTensor): number[] {
  const inline = expect(data instanceof Uint8Array && data);
  const view = new DataView(inline.buffer, inline.byteOffset, inline.byteLength);
  return Array.from({ length: inline.byteLength / 8 }, (_, i) => Number(view.getBigInt64(i * 8, true)));
}
