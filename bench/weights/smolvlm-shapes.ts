// SmolVLM-256M's shapes (SigLIP-base/512, SmolLM2-135M with a head of its own) with random weights. The tokens and the conversation are those
// of the tiny checkpoint in training/fixtures, and so many more that the vocabulary has SmolVLM's size.
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { ShapedCheckpoint } from "./shapes.ts";
import { decoderTensors, pair, random, siglipTensors } from "./random-tensors.ts";

const vision = { hidden: 768, ffn: 3072, layers: 12, heads: 12, image: 512, patch: 16 };
const text = { hidden: 576, ffn: 1536, layers: 30, heads: 9, kvHeads: 3, vocab: 49_280 };
const shuffle = 4;
const tiny = new URL("../../training/fixtures/families/smolvlm/", import.meta.url);

const Tokenizer = v.looseObject({
  added_tokens: v.array(v.looseObject({ id: v.number(), content: v.string() })),
  model: v.looseObject({ vocab: v.record(v.string(), v.number()) }),
});

export async function smolVlm(): Promise<ShapedCheckpoint> {
  const read = (name: string): Promise<string> => readFile(new URL(name, tiny), "utf8");
  const tokenizer = v.parse(Tokenizer, JSON.parse(await read("tokenizer.json")));
  const { vocab } = tokenizer.model;
  // Words that no text makes, since no merge leads to them, but that an answer may hold.
  for (let id = Object.keys(vocab).length; id < text.vocab; id++) vocab[`Ġword${id}`] = id;
  const idOf = (token: string): number => vocab[token] ?? NaN;
  const at = "model.vision_model";
  return {
    tensors: [
      ...siglipTensors(at, vision),
      ...pair(`${at}.post_layernorm`, vision.hidden),
      random("model.connector.modality_projection.proj.weight", text.hidden, vision.hidden * shuffle ** 2),
      ...decoderTensors("model.text_model", text, false),
      random("lm_head.weight", text.vocab, text.hidden),
    ],
    files: new Map([
      ["config.json", JSON.stringify(configOf(idOf))],
      ["tokenizer.json", JSON.stringify(tokenizer)],
      ["tokenizer_config.json", await read("tokenizer_config.json")],
      ["chat_template.jinja", await read("chat_template.jinja")],
    ]),
  };
}

function configOf(idOf: (token: string) => number): object {
  return {
    architectures: ["Idefics3ForConditionalGeneration"],
    model_type: "idefics3",
    image_token_id: idOf("<image>"),
    scale_factor: shuffle,
    tie_word_embeddings: false,
    vision_config: {
      model_type: "idefics3",
      hidden_size: vision.hidden,
      image_size: vision.image,
      num_attention_heads: vision.heads,
      patch_size: vision.patch,
    },
    text_config: {
      model_type: "llama",
      hidden_size: text.hidden,
      intermediate_size: text.ffn,
      num_hidden_layers: text.layers,
      num_attention_heads: text.heads,
      num_key_value_heads: text.kvHeads,
      vocab_size: text.vocab,
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-5,
      rope_theta: 100_000,
      tie_word_embeddings: false,
      bos_token_id: idOf("<|im_start|>"),
      eos_token_id: idOf("<end_of_utterance>"),
      pad_token_id: idOf("<|im_end|>"),
    },
  };
}
