// A package with the shapes of LLaVA-OneVision-0.5B (SigLIP-so400m/384, Qwen2-0.5B) and random weights, for the other benches to measure work of real size:
//   npm run bench -- shapes <folder>; then npm run bench -- node --model <folder>/package, and the like.
// One square per picture (729 tokens), because not every system that is measured cuts pictures into tiles; Pocket LLaVA's tokens. Needs 3 GB of disk.
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Checkpoint, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { quantizerThreads } from "#convert/quantize/quantizer.node.ts";
import { writeCheckpoint } from "#convert/checkpoint/write-checkpoint.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [to] = positionals;
if (to === undefined) throw new Error("Say where to: npm run bench -- shapes <folder>");

const vision = { hidden: 1152, ffn: 4304, layers: 26, heads: 16, image: 384, patch: 14 };
const text = { hidden: 896, ffn: 4864, layers: 24, heads: 14, kvHeads: 2, vocab: 152_000 };
const places = Math.floor(vision.image / vision.patch) ** 2;

/** Every call the same numbers; around 1 where a layer scales by them. */
function random(name: string, ...shape: number[]): [string, Tensor] {
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
const pair = (name: string, rows: number, ...cols: number[]): [string, Tensor][] => [
  random(`${name}.weight`, rows, ...cols),
  random(`${name}.bias`, rows),
];
const each = (count: number, tensors: (i: number) => [string, Tensor][]): [string, Tensor][] =>
  Array.from({ length: count }, (_, i) => tensors(i)).flat();

const tower = "vision_tower.vision_model";
const decoder = "language_model.model";
const kv = (text.hidden / text.heads) * text.kvHeads;
const tensors = new Map<string, Tensor>([
  ...pair(`${tower}.embeddings.patch_embedding`, vision.hidden, 3, vision.patch, vision.patch),
  random(`${tower}.embeddings.position_embedding.weight`, places, vision.hidden),
  ...each(vision.layers, (i) => {
    const at = `${tower}.encoder.layers.${i}`;
    return [
      ...["q", "k", "v", "out"].flatMap((name) => pair(`${at}.self_attn.${name}_proj`, vision.hidden, vision.hidden)),
      ...["layer_norm1", "layer_norm2"].flatMap((name) => pair(`${at}.${name}`, vision.hidden)),
      ...pair(`${at}.mlp.fc1`, vision.ffn, vision.hidden),
      ...pair(`${at}.mlp.fc2`, vision.hidden, vision.ffn),
    ];
  }),
  ...pair("multi_modal_projector.linear_1", text.hidden, vision.hidden),
  ...pair("multi_modal_projector.linear_2", text.hidden, text.hidden),
  random(`${decoder}.embed_tokens.weight`, text.vocab, text.hidden),
  ...each(text.layers, (i) => {
    const at = `${decoder}.layers.${i}`;
    return [
      ...pair(`${at}.self_attn.q_proj`, text.hidden, text.hidden),
      ...["k", "v"].flatMap((name) => pair(`${at}.self_attn.${name}_proj`, kv, text.hidden)),
      random(`${at}.self_attn.o_proj.weight`, text.hidden, text.hidden),
      ...["gate", "up"].map((name) => random(`${at}.mlp.${name}_proj.weight`, text.ffn, text.hidden)),
      random(`${at}.mlp.down_proj.weight`, text.hidden, text.ffn),
      random(`${at}.input_layernorm.weight`, text.hidden),
      random(`${at}.post_attention_layernorm.weight`, text.hidden),
    ];
  }),
  random(`${decoder}.norm.weight`, text.hidden),
]);
const config = {
  architectures: ["LlavaForConditionalGeneration"],
  model_type: "llava",
  image_token_index: 4,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  image_seq_length: places,
  projector_hidden_act: "gelu",
  vision_feature_select_strategy: "full",
  vision_feature_layer: -1,
  tie_word_embeddings: true,
  vision_config: {
    model_type: "siglip_vision_model",
    hidden_size: vision.hidden,
    intermediate_size: vision.ffn,
    num_hidden_layers: vision.layers,
    num_attention_heads: vision.heads,
    image_size: vision.image,
    patch_size: vision.patch,
    hidden_act: "gelu_pytorch_tanh",
    layer_norm_eps: 1e-6,
  },
  text_config: {
    model_type: "qwen2",
    hidden_size: text.hidden,
    intermediate_size: text.ffn,
    num_hidden_layers: text.layers,
    num_attention_heads: text.heads,
    num_key_value_heads: text.kvHeads,
    vocab_size: text.vocab,
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    rope_theta: 1_000_000,
    tie_word_embeddings: true,
    hidden_act: "silu",
  },
};
const pocket = new URL("../../public/models/pocket-llava/", import.meta.url);
const preprocessor: object = JSON.parse(await readFile(new URL("preprocessor_config.json", pocket), "utf8")) as object;
const half = [0.5, 0.5, 0.5];
const json: Readonly<Record<string, object>> = {
  "config.json": config,
  "preprocessor_config.json": {
    ...preprocessor,
    image_processor_type: "SiglipImageProcessor",
    size: { height: vision.image, width: vision.image },
    crop_size: { height: vision.image, width: vision.image },
    image_mean: half,
    image_std: half,
  },
  "processor_config.json": {
    processor_class: "LlavaProcessor",
    image_token: "<image>",
    vision_feature_select_strategy: "full",
    num_additional_image_tokens: 0,
    patch_size: vision.patch,
  },
};
const small = new Map(
  Object.entries(json).map(([name, value]) => [name, new TextEncoder().encode(JSON.stringify(value))]),
);
const checkpoint = join(to, "checkpoint");
await mkdir(to, { recursive: true });
await writeCheckpoint(new Checkpoint(tensors), small, await packageFolder(checkpoint, { force: true }));
for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"])
  await copyFile(new URL(name, pocket), join(checkpoint, name));
const quantizer = quantizerThreads();
await convert(checkpointFolder(checkpoint), await packageFolder(join(to, "package"), { force: true }), {
  quantizer,
  bits: { vision: 8, embed: 8, decoder: 4 },
}).finally(() => quantizer.end());
await rm(checkpoint, { recursive: true });
console.log(`The package is in ${join(to, "package")}`);
