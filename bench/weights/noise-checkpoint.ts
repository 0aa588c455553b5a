// A checkpoint of LLaVA-1.5-7B's shapes: noise in fp16 in three files, the same in every run and made as it is read, so that no disk has to hold it.
import { encodeHeader } from "#convert/checkpoint/safetensors.ts";

const [hidden, ffn, vocab, tower] = [4096, 11008, 32000, 1024];

type Shape = readonly [name: string, ...shape: number[]];
const pair = (name: string, rows: number, ...cols: number[]): Shape[] => [
  [`${name}.weight`, rows, ...cols],
  [`${name}.bias`, rows],
];
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const decoder = (layers: number): Shape[] =>
  range(layers).flatMap((i): Shape[] => {
    const at = `language_model.model.layers.${i}`;
    return [
      [`${at}.input_layernorm.weight`, hidden],
      [`${at}.mlp.down_proj.weight`, hidden, ffn],
      [`${at}.mlp.gate_proj.weight`, ffn, hidden],
      [`${at}.mlp.up_proj.weight`, ffn, hidden],
      [`${at}.post_attention_layernorm.weight`, hidden],
      ...["k", "o", "q", "v"].map((name): Shape => [`${at}.self_attn.${name}_proj.weight`, hidden, hidden]),
    ];
  });
const vision: Shape[] = [
  ["vision_tower.vision_model.embeddings.class_embedding", tower],
  ["vision_tower.vision_model.embeddings.patch_embedding.weight", tower, 3, 14, 14],
  ["vision_tower.vision_model.embeddings.position_embedding.weight", 577, tower],
  ...pair("vision_tower.vision_model.pre_layrnorm", tower),
  ...range(24).flatMap((i): Shape[] => {
    const at = `vision_tower.vision_model.encoder.layers.${i}`;
    return [
      ...["layer_norm1", "layer_norm2"].flatMap((name) => pair(`${at}.${name}`, tower)),
      ...pair(`${at}.mlp.fc1`, 4 * tower, tower),
      ...pair(`${at}.mlp.fc2`, tower, 4 * tower),
      ...["k", "out", "q", "v"].flatMap((name) => pair(`${at}.self_attn.${name}_proj`, tower, tower)),
    ];
  }),
];

/** fp16 numbers of about ±0.05; an odd length, so that rows differ. */
const noise = new Uint8Array(Uint16Array.from({ length: 2 ** 21 + 7 }, (_, i) => (Math.imul(i, 40503) & 0x83ff) | 0x2800).buffer); // prettier-ignore

export interface NoiseFile {
  readonly name: string;
  readonly header: Uint8Array;
  readonly bytes: number;
}

export interface NoiseCheckpoint {
  readonly weights: readonly NoiseFile[];
  /** All other files by name. */
  readonly small: ReadonlyMap<string, Buffer>;
  readonly weightBytes: number;
}

export function noiseCheckpoint(layers: number): NoiseCheckpoint {
  const shapes = decoder(layers);
  const middle = Math.ceil(shapes.length / 2) + 2; // within a layer, as the hub's files are cut
  const groups: Shape[][] = [
    [["language_model.model.embed_tokens.weight", vocab, hidden], ...shapes.slice(0, middle)],
    [...shapes.slice(middle), ["language_model.model.norm.weight", hidden]],
    [
      ["language_model.lm_head.weight", vocab, hidden],
      ...pair("multi_modal_projector.linear_1", hidden, tower),
      ...pair("multi_modal_projector.linear_2", hidden, hidden),
      ...vision,
    ],
  ];
  const weights = groups.map((group, i): NoiseFile => {
    const header = encodeHeader(group.map(([name, ...shape]) => ({ name, dtype: "F16", shape })));
    const data = group.reduce((sum, [, ...shape]) => sum + 2 * shape.reduce((product, n) => product * n, 1), 0);
    return { name: `model-0000${i + 1}-of-00003.safetensors`, header, bytes: header.length + data };
  });
  const tokens = { version: "1.0", added_tokens: [], model: { type: "BPE", vocab: {}, merges: [] } };
  const small = {
    "config.json": {
      model_type: "llava",
      image_token_index: 31999,
      text_config: { model_type: "llama", hidden_size: hidden, intermediate_size: ffn, num_hidden_layers: layers, num_attention_heads: 32, vocab_size: vocab, max_position_embeddings: 4096 }, // prettier-ignore
      vision_config: { model_type: "clip_vision_model", hidden_size: tower, intermediate_size: 4 * tower, num_hidden_layers: 24, num_attention_heads: 16, image_size: 336, patch_size: 14 }, // prettier-ignore
    },
    "tokenizer.json": tokens,
    "tokenizer_config.json": { bos_token: "<s>", eos_token: "</s>" },
    "model.safetensors.index.json": {
      weight_map: Object.fromEntries(groups.flatMap((group, i) => group.map(([name]) => [name, weights[i]?.name]))),
    },
  };
  return {
    weights,
    small: new Map(Object.entries(small).map(([name, json]) => [name, Buffer.from(JSON.stringify(json))])),
    weightBytes: weights.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** The bytes of a file from one position to another, in runs. */
export function* noiseContent({ header, bytes }: NoiseFile, from: number, to: number): Generator<Uint8Array> {
  for (let at = from; at < Math.min(to, bytes);) {
    const place = at < header.length ? at : (at - header.length) % noise.length;
    const run = (at < header.length ? header : noise).subarray(place, place + Math.min(2 ** 20, to - at));
    yield run;
    at += run.length;
  }
}
