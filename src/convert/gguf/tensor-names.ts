// Hugging Face's names for the tensors of GGUF files, old and new. Tensors are passed on, with rows in Hugging Face's order.
import { computedTensor, elementsOf, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import type { DecoderShape } from "./decoder-config.ts";
import type { Gguf } from "./open-gguf.ts";
import type { GgufTower } from "./tower-config.ts";
import { inHalves } from "./gguf-tensor.ts";

const whole: Readonly<Record<string, string>> = {
  token_embd: "language_model.model.embed_tokens",
  output_norm: "language_model.model.norm",
  output: "language_model.lm_head",
};

const inLayer: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_qkv: "self_attn.qkv_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};
/** Where an architecture's names differ. */
const inLayerOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  phi3: { ffn_up: "mlp.gate_up_proj" },
  gemma2: {
    post_attention_norm: "post_attention_layernorm",
    ffn_norm: "pre_feedforward_layernorm",
    post_ffw_norm: "post_feedforward_layernorm",
  },
};

/** What the decoder does not read as a tensor: numbers that go into its config. */
const inConfig = /^(rope_freqs|rope_factors_(long|short))\.weight$/;

/** The decoder's tensors. Names that are not known keep theirs. */
export function decoderTensors({ tensors }: Gguf, shape: DecoderShape): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  const names = { ...inLayer, ...inLayerOf[shape.architecture] };
  for (const [given, tensor] of tensors) {
    if (inConfig.test(given)) continue;
    const [, layer, module = "", kind = ""] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(given) ?? [];
    const name = layer === undefined ? whole[module] : names[module];
    const place = layer === undefined ? name : `language_model.model.layers.${layer}.${name ?? module}`;
    out.set(
      place === undefined ? `language_model.model.${given}` : `${place}.${kind}`,
      asTrained(tensor, module, shape),
    );
  }
  return out;
}

/** The tensor as it was before llama.cpp's converter changed it. */
function asTrained(tensor: Tensor, module: string, { architecture, headSize }: DecoderShape): Tensor {
  if (architecture === "llama" && (module === "attn_q" || module === "attn_k")) return inHalves(tensor, headSize);
  // Gemma multiplies by 1 + weight, and the file has the sum.
  if (architecture.startsWith("gemma") && module.endsWith("norm")) return lessOne(tensor);
  return tensor;
}

function lessOne(tensor: Tensor): Tensor {
  return computedTensor(tensor, {
    read: async (start, count) => (await tensor.read(start, count)).map((value) => value - 1),
    spans: tensor.spans,
  });
}

const inTower: Readonly<Record<string, string>> = {
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_out: "self_attn.out_proj",
  ln1: "layer_norm1",
  ln2: "layer_norm2",
  ffn_up: "mlp.fc1",
  ffn_down: "mlp.fc2",
};
const beforeTower: Readonly<Record<string, string>> = {
  "v.class_embd": "embeddings.class_embedding",
  "v.patch_embd.weight": "embeddings.patch_embedding.weight",
  "v.patch_embd.bias": "embeddings.patch_embedding.bias",
  "v.position_embd.weight": "embeddings.position_embedding.weight",
  "v.pre_ln.weight": "pre_layrnorm.weight",
  "v.pre_ln.bias": "pre_layrnorm.bias",
  "v.post_ln.weight": "post_layernorm.weight",
  "v.post_ln.bias": "post_layernorm.bias",
};
/** LLaVA's two layers, and Idefics3's one. */
const projector: Readonly<Record<string, string>> = {
  "mm.0": "linear_1",
  "mm.2": "linear_2",
  "mm.model.fc": "linear_1",
};

/** The tensors of tower and projector, and the newline of pictures in tiles. */
export function towerTensors(gguf: Gguf, tower: GgufTower): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  const swapped = namesAreSwapped(gguf, tower);
  for (const [given, tensor] of gguf.tensors) {
    const before = beforeTower[given];
    const [, layer, module = "", kind = ""] = /^v\.blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(given) ?? [];
    const [, linear, end] = /^(mm\.(?:\d+|model\.fc))\.(weight|bias)$/.exec(given) ?? [];
    if (before !== undefined) out.set(`vision_tower.vision_model.${before}`, tensor);
    else if (layer !== undefined) {
      const name = inTower[swapped && module.startsWith("ffn_") ? otherOf(module) : module] ?? module;
      out.set(`vision_tower.vision_model.encoder.layers.${layer}.${name}.${kind}`, tensor);
    } else if (/^(v|model)\.image_newline$/.test(given)) out.set("image_newline", flat(tensor));
    else if (linear !== undefined) out.set(`multi_modal_projector.${projector[linear] ?? linear}.${end ?? ""}`, tensor);
    // Anything else of the projector would be left out silently.
    else out.set(given.startsWith("mm.") ? `multi_modal_projector.${given}` : given, tensor);
  }
  return out;
}

/** Older converters called a block's first matrix "down" and its second "up". */
function namesAreSwapped({ tensors }: Gguf, { hidden, visionConfig }: GgufTower): boolean {
  const [rows, cols] = tensors.get("v.blk.0.ffn_down.weight")?.shape ?? [];
  return rows === visionConfig["intermediate_size"] && cols === hidden && rows !== cols;
}

function otherOf(module: string): string {
  return module === "ffn_up" ? "ffn_down" : "ffn_up";
}

function flat(tensor: Tensor): Tensor {
  return { ...tensor, shape: [elementsOf(tensor.shape)] };
}
