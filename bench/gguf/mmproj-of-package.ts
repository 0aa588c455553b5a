// The vision tower and projector of a package as the GGUF file that llama.cpp calls mmproj, with the same weights. CLIP (or SigLIP) and a projector of
// two matrices, one square per picture: LLaVA-1.5's kind.
import { readModelConfig } from "#engine/model/config.ts";
import type { PackageFiles } from "#engine/types.ts";
import { planVision, type PlannedNorm, type VisionPlan } from "#engine/kernel/vision-plan.ts";
import type { Manifest } from "#weights/manifest.ts";
import { encodeGguf, type GgufValue } from "./gguf.ts";
import { GraphWeights } from "./gguf-weights.ts";

/** Undefined where the package's vision graph is of another kind, such as a mixture of towers. */
export async function mmprojOf({
  files,
  info,
}: {
  readonly files: PackageFiles;
  readonly info: Manifest;
}): Promise<Blob | undefined> {
  const weights = await GraphWeights.open(files, info.graphs.vision.path);
  const plan = planVision(weights.graph);
  const known =
    plan && !plan.classifier && (plan.classRow ? 1 : 0) === plan.dropped && plan.activation !== "gelu" && !plan.newline;
  const [first, second] = plan?.projector ?? [];
  if (!known || !first || !second) return undefined;
  const norm = async (name: string, { weight, bias }: PlannedNorm): Promise<void> => {
    await weights.floats(`${name}.weight`, weight);
    await weights.floats(`${name}.bias`, bias);
  };

  await weights.floats("v.patch_embd.weight", plan.kernel);
  if (plan.kernelBias) await weights.floats("v.patch_embd.bias", plan.kernelBias);
  if (plan.classRow) await weights.floats("v.class_embd", plan.classRow);
  await weights.floats("v.position_embd.weight", plan.positions);
  if (plan.preNorm) await norm("v.pre_ln", plan.preNorm);
  for (const [i, block] of plan.blocks.entries()) {
    const at = `v.blk.${i}`;
    await norm(`${at}.ln1`, block.attentionNorm);
    await weights.matrix(
      block.qkv,
      ["attn_q", "attn_k", "attn_v"].map((name, j) => ({
        name: `${at}.${name}`,
        from: j * plan.hidden,
        rows: plan.hidden,
      })),
    );
    await weights.matrix(block.out, [{ name: `${at}.attn_out`, from: 0, rows: plan.hidden }]);
    await norm(`${at}.ln2`, block.mlpNorm);
    await weights.matrix(block.wide, [{ name: `${at}.ffn_up`, from: 0, rows: plan.ffn }]);
    await weights.matrix(block.narrow, [{ name: `${at}.ffn_down`, from: 0, rows: plan.hidden }]);
  }
  await weights.matrix(first, [{ name: "mm.0", from: 0, rows: first.rows }]);
  await weights.matrix(second, [{ name: "mm.2", from: 0, rows: second.rows }]);
  const { preprocess } = await readModelConfig(files);
  const u32 = (value: number): GgufValue => ({ type: "u32", value });
  const pairs = new Map<string, GgufValue>([
    ["general.architecture", { type: "string", value: "clip" }],
    ["general.name", { type: "string", value: info.model.name }],
    ["clip.has_vision_encoder", { type: "bool", value: true }],
    ["clip.has_llava_projector", { type: "bool", value: true }],
    ["clip.projector_type", { type: "string", value: "mlp" }],
    // Neither this nor SiLU is QuickGELU; llama.cpp's "gelu" is the one with tanh, also in the projector.
    ["clip.use_gelu", { type: "bool", value: plan.activation === "gelu_tanh" }],
    ["clip.vision.image_size", u32(sideOf(plan))],
    ["clip.vision.patch_size", u32(plan.patch)],
    ["clip.vision.embedding_length", u32(plan.hidden)],
    ["clip.vision.feed_forward_length", u32(plan.ffn)],
    ["clip.vision.projection_dim", u32(second.rows)],
    ["clip.vision.block_count", u32(plan.blocks.length)],
    // Without it llama.cpp leaves out the last block, which a package does not hold in the first place.
    ["clip.vision.feature_layer", { type: "i32s", value: [plan.blocks.length] }],
    ["clip.vision.attention.head_count", u32(plan.heads)],
    ["clip.vision.attention.layer_norm_epsilon", { type: "f32", value: plan.epsilon }],
    ["clip.vision.mm_patch_merge_type", { type: "string", value: "flat" }],
    ["clip.vision.image_mean", { type: "f32s", value: preprocess.mean }],
    ["clip.vision.image_std", { type: "f32s", value: preprocess.std }],
  ]);
  return encodeGguf(pairs, weights.tensors);
}

/** Of the square picture, in pixels. */
function sideOf({ positions, dropped, patch }: VisionPlan): number {
  return Math.sqrt((positions.dims[0] ?? 0) - dropped) * patch;
}
