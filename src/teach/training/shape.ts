// A decoder as training sees it: its sizes, its weights in f32, and where each LoRA matrix lies among the trained numbers.

export interface DecoderShape {
  readonly layers: number;
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
  readonly epsilon: number;
  /** [headSize / 2], in radians per position. */
  readonly frequencies: Float32Array;
  readonly attentionScale: number;
}

/** Matrices are [outputs, inputs]; queries, keys and values are one. */
export interface BlockWeights {
  readonly attentionNorm: Float32Array;
  readonly qkv: Float32Array;
  readonly qkvBias: Float32Array | undefined;
  readonly out: Float32Array;
  readonly mlpNorm: Float32Array;
  readonly gate: Float32Array;
  readonly up: Float32Array;
  readonly down: Float32Array;
}

/** The last blocks, from the first trained one on, and what follows them. */
export interface TrainedWeights {
  readonly blocks: readonly BlockWeights[];
  readonly finalNorm: Float32Array;
  readonly head: Float32Array; // [vocab, hidden]
}

/** What is trained: LoRA of this rank and scale (alpha / rank) on every matrix of the blocks from `firstBlock` on. */
export interface LoraSpec {
  readonly firstBlock: number;
  readonly rank: number;
  readonly scale: number;
}

export type SiteName = "qkv" | "out" | "gate" | "up" | "down";

/** One product x · weightᵀ with its LoRA. Offsets are in floats among a block's trained numbers. */
export interface Site {
  readonly name: SiteName;
  readonly inputs: number;
  readonly outputs: number;
  /** The parts' `down` matrices one after another, [parts · rank, inputs]. */
  readonly down: number;
  readonly parts: readonly SitePart[];
}

interface SitePart {
  /** Within a layer of Hugging Face's Llama, as "self_attn.q_proj". */
  readonly of: string;
  /** Its first output in the site, and how many it has. */
  readonly first: number;
  readonly outputs: number;
  readonly up: number; // [outputs, rank]
}

export interface BlockSites {
  readonly sites: Readonly<Record<SiteName, Site>>;
  /** Trained numbers of a block. */
  readonly length: number;
}

/** Where a block's LoRA matrices lie; all blocks are alike. */
export function sitesOf(shape: DecoderShape, rank: number): BlockSites {
  const { hidden, ffn, heads, kvHeads, headSize } = shape;
  let at = 0;
  const site = (name: SiteName, inputs: number, parts: readonly (readonly [string, number])[]): Site => {
    const down = at;
    at += parts.length * rank * inputs;
    let first = 0;
    const placed = parts.map(([of, outputs]): SitePart => {
      const part = { of, first, outputs, up: at };
      at += outputs * rank;
      first += outputs;
      return part;
    });
    return { name, inputs, outputs: first, down, parts: placed };
  };
  const attended = heads * headSize;
  const sites = {
    qkv: site("qkv", hidden, [
      ["self_attn.q_proj", attended],
      ["self_attn.k_proj", kvHeads * headSize],
      ["self_attn.v_proj", kvHeads * headSize],
    ]),
    out: site("out", attended, [["self_attn.o_proj", hidden]]),
    gate: site("gate", hidden, [["mlp.gate_proj", ffn]]),
    up: site("up", hidden, [["mlp.up_proj", ffn]]),
    down: site("down", ffn, [["mlp.down_proj", hidden]]),
  };
  return { sites, length: at };
}

/** Rows to train on, laid out: several continuations of one beginning, each of which sees only that beginning and itself. */
export interface PackedRow {
  /** What goes into the first trained block, [rows, hidden]. */
  readonly input: Float32Array<ArrayBuffer>;
  /** [rows] */
  readonly positions: Int32Array<ArrayBuffer>;
  /** Row i sees the rows below shared[i], and those from first[i] to itself. */
  readonly shared: Int32Array<ArrayBuffer>;
  readonly first: Int32Array<ArrayBuffer>;
  /** The rows whose next token is learned, that token, and how much it counts. */
  readonly predicting: Int32Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
}
