// Tensors of random numbers, for packages of real shapes. Knows no model.
import type { Tensor } from "#convert/checkpoint/checkpoint.ts";

export type NamedTensor = readonly [string, Tensor];

/** Every call the same numbers; around 1 where a layer scales by them. */
export function random(name: string, ...shape: number[]): NamedTensor {
  const centre = /norm.*weight$/.test(name) ? 1 : 0;
  let seed = Array.from(name).reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0, 7) | 1;
  const noise = Float32Array.from({ length: 65_537 }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    return centre + 0.04 * (seed / 2 ** 31);
  });
  const read = (start: number, count: number): Promise<Float32Array<ArrayBuffer>> =>
    Promise.resolve(Float32Array.from({ length: count }, (_, i) => noise[(start + i) % noise.length] ?? 0));
  return [name, { name, dtype: "F16", shape, origin: "random numbers", read }];
}

/** Weights and biases. */
export const pair = (name: string, rows: number, ...cols: number[]): NamedTensor[] => [
  random(`${name}.weight`, rows, ...cols),
  random(`${name}.bias`, rows),
];

/** The tensors of `count` layers. */
const each = (count: number, tensors: (i: number) => NamedTensor[]): NamedTensor[] =>
  Array.from({ length: count }, (_, i) => tensors(i)).flat();

export interface TowerShape {
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly image: number;
  readonly patch: number;
}

/** SigLIP's blocks and embeddings under a prefix. */
export const siglipTensors = (at: string, { hidden, ffn, layers, image, patch }: TowerShape): NamedTensor[] => [
  ...pair(`${at}.embeddings.patch_embedding`, hidden, 3, patch, patch),
  random(`${at}.embeddings.position_embedding.weight`, Math.floor(image / patch) ** 2, hidden),
  ...each(layers, (i) => {
    const layer = `${at}.encoder.layers.${i}`;
    return [
      ...["q", "k", "v", "out"].flatMap((name) => pair(`${layer}.self_attn.${name}_proj`, hidden, hidden)),
      ...["layer_norm1", "layer_norm2"].flatMap((name) => pair(`${layer}.${name}`, hidden)),
      ...pair(`${layer}.mlp.fc1`, ffn, hidden),
      ...pair(`${layer}.mlp.fc2`, hidden, ffn),
    ];
  }),
];

export interface DecoderShape {
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocab: number;
}

/** A decoder of Llama's kind under a prefix, with biases of queries, keys and values as Qwen2 has them. */
export function decoderTensors(at: string, shape: DecoderShape, qkvBias: boolean): NamedTensor[] {
  const { hidden, ffn, layers, heads, kvHeads, vocab } = shape;
  const kv = (hidden / heads) * kvHeads;
  const project = (name: string, rows: number): NamedTensor[] =>
    qkvBias ? pair(name, rows, hidden) : [random(`${name}.weight`, rows, hidden)];
  return [
    random(`${at}.embed_tokens.weight`, vocab, hidden),
    ...each(layers, (i) => {
      const layer = `${at}.layers.${i}`;
      return [
        ...project(`${layer}.self_attn.q_proj`, hidden),
        ...["k", "v"].flatMap((name) => project(`${layer}.self_attn.${name}_proj`, kv)),
        random(`${layer}.self_attn.o_proj.weight`, hidden, hidden),
        ...["gate", "up"].map((name) => random(`${layer}.mlp.${name}_proj.weight`, ffn, hidden)),
        random(`${layer}.mlp.down_proj.weight`, hidden, ffn),
        random(`${layer}.input_layernorm.weight`, hidden),
        random(`${layer}.post_attention_layernorm.weight`, hidden),
      ];
    }),
    random(`${at}.norm.weight`, hidden),
  ];
}
