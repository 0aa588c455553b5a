// A projector file for a language model that has none: a tower of one small block with random weights. What comes of it answers, and sees
// nothing, which is enough for comparing decoders.
import { createRandom } from "#engine/text/sampler.ts";
import { encodeGguf, type GgufTensor, type GgufValue } from "./gguf.ts";

const [width, inner, side, patch] = [16, 32, 16, 8];

/** An mmproj file whose rows are `outputs` numbers wide. */
export function blindTower(outputs: number): Blob {
  const random = createRandom(1);
  const tensor = (name: string, dims: readonly number[]): GgufTensor => {
    const count = dims.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, () => (random() - 0.5) / Math.sqrt(width));
    return { name, type: "f32", dims, data: new Uint8Array(values.buffer) };
  };
  const linear = (name: string, rows: number, cols: number): GgufTensor[] => [
    tensor(`${name}.weight`, [rows, cols]),
    tensor(`${name}.bias`, [rows]),
  ];
  const norm = (name: string): GgufTensor[] => [tensor(`${name}.weight`, [width]), tensor(`${name}.bias`, [width])];
  const u32 = (value: number): GgufValue => ({ type: "u32", value });
  const half: GgufValue = { type: "f32s", value: [0.5, 0.5, 0.5] };
  const pairs = new Map<string, GgufValue>([
    ["general.architecture", { type: "string", value: "clip" }],
    ["clip.projector_type", { type: "string", value: "mlp" }],
    ["clip.vision.image_size", u32(side)],
    ["clip.vision.patch_size", u32(patch)],
    ["clip.vision.embedding_length", u32(width)],
    ["clip.vision.feed_forward_length", u32(inner)],
    ["clip.vision.block_count", u32(1)],
    ["clip.vision.attention.head_count", u32(2)],
    ["clip.vision.attention.layer_norm_epsilon", { type: "f32", value: 1e-6 }],
    ["clip.vision.image_mean", half],
    ["clip.vision.image_std", half],
  ]);
  return encodeGguf(pairs, [
    tensor("v.patch_embd.weight", [width, 3, patch, patch]),
    tensor("v.patch_embd.bias", [width]),
    tensor("v.position_embd.weight", [(side / patch) ** 2, width]),
    ...norm("v.blk.0.ln1"),
    ...["attn_q", "attn_k", "attn_v", "attn_out"].flatMap((name) => linear(`v.blk.0.${name}`, width, width)),
    ...norm("v.blk.0.ln2"),
    ...linear("v.blk.0.ffn_up", inner, width),
    ...linear("v.blk.0.ffn_down", width, inner),
    ...linear("mm.0", outputs, width),
  ]);
}
