// LLaVA-OneVision-0.5B's shapes (SigLIP-so400m/384, Qwen2-0.5B) with random weights and Pocket LLaVA's tokens. One square per picture (729
// tokens), because not every system that is measured cuts pictures into tiles.
import { readFile } from "node:fs/promises";
import type { ShapedCheckpoint } from "./shapes.ts";
import { decoderTensors, pair, siglipTensors } from "./random-tensors.ts";

const vision = { hidden: 1152, ffn: 4304, layers: 26, heads: 16, image: 384, patch: 14 };
const text = { hidden: 896, ffn: 4864, layers: 24, heads: 14, kvHeads: 2, vocab: 152_000 };
const places = Math.floor(vision.image / vision.patch) ** 2;
const pocket = new URL("../../public/models/pocket-llava/", import.meta.url);

export async function oneVision(): Promise<ShapedCheckpoint> {
  const preprocessor = JSON.parse(await readFile(new URL("preprocessor_config.json", pocket), "utf8")) as object;
  const half = [0.5, 0.5, 0.5];
  const tokens = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"].map(
    async (name) => [name, await readFile(new URL(name, pocket), "utf8")] as const,
  );
  return {
    tensors: [
      ...siglipTensors("vision_tower.vision_model", vision),
      ...pair("multi_modal_projector.linear_1", text.hidden, vision.hidden),
      ...pair("multi_modal_projector.linear_2", text.hidden, text.hidden),
      ...decoderTensors("language_model.model", text, true),
    ],
    files: new Map([
      ...(await Promise.all(tokens)),
      ["config.json", JSON.stringify(config)],
      [
        "preprocessor_config.json",
        JSON.stringify({
          ...preprocessor,
          image_processor_type: "SiglipImageProcessor",
          size: { height: vision.image, width: vision.image },
          crop_size: { height: vision.image, width: vision.image },
          image_mean: half,
          image_std: half,
        }),
      ],
      [
        "processor_config.json",
        JSON.stringify({
          processor_class: "LlavaProcessor",
          image_token: "<image>",
          vision_feature_select_strategy: "full",
          num_additional_image_tokens: 0,
          patch_size: vision.patch,
        }),
      ],
    ]),
  };
}

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
