// config.json of Idefics3 and SmolVLM: a SigLIP tower with its last norm, whose rows are shuffled into wider ones before a linear projector.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { positive, tokenId, upTo, whole } from "./config-fields.ts";
import type { LlavaConfig } from "./config.ts";
import { Text, textConfig } from "./text-config.ts";
import { Vision, visionConfig } from "./vision-config.ts";

/** Whether a model_type is Idefics3's class, or that of SmolVLM2, which computes the same. */
export function isIdefics3(modelType: string): boolean {
  return modelType === "idefics3" || modelType === "smolvlm";
}

/** Its towers call themselves "idefics3", "idefics3_vision", "smolvlm_vision" or SigLIP. */
const towerTypes = /^(idefics3|smolvlm|siglip)(_vision|_vision_model)?$/;

/** The fields, with the defaults of Hugging Face's class where they differ from those of LLaVA's. */
export const Idefics3 = v.looseObject({
  model_type: v.string(),
  text_config: v.optional(v.looseObject({ ...Text.entries, rms_norm_eps: v.optional(positive, 1e-5) }), {}),
  vision_config: v.optional(
    v.looseObject({
      ...Vision.entries,
      model_type: v.optional(v.string(), "idefics3_vision"),
      hidden_size: v.optional(whole, 1152),
      num_attention_heads: v.optional(upTo(1024), 16),
      image_size: v.optional(upTo(4096), 224),
      patch_size: v.optional(upTo(4096), 32),
    }),
    {},
  ),
  scale_factor: v.optional(upTo(64), 2),
  image_token_id: v.optional(tokenId, 128_257),
  tie_word_embeddings: v.optional(v.boolean(), false),
});

/** The parsed config; throws EngineError("bad-checkpoint") for towers whose patches the shuffle does not divide. */
export function idefics3Config(raw: v.InferOutput<typeof Idefics3>): LlavaConfig {
  const { vision_config: tower, scale_factor: shuffle } = raw;
  if (!towerTypes.test(tower.model_type)) {
    throw badCheckpoint(
      `vision_config.model_type is "${tower.model_type}"; known for ${raw.model_type} are idefics3_vision, smolvlm_vision`,
    );
  }
  const vision = { ...visionConfig({ ...tower, model_type: "siglip_vision_model" }, true, -1), postNorm: true };
  const side = Math.floor(vision.imageSize / vision.patchSize);
  if (side % shuffle !== 0) {
    throw badCheckpoint(`scale_factor is ${shuffle}, which does not divide the tower's ${side} × ${side} patches`);
  }
  return {
    vision,
    text: textConfig(raw.text_config, { tiedHead: raw.tie_word_embeddings, scalesPictures: false }),
    projector: "linear",
    projectorBias: false,
    projectorActivation: "gelu",
    imageTokenId: raw.image_token_id,
    imageTokens: (side / shuffle) ** 2,
    shuffle,
    imageAspect: "resize",
    tiles: undefined,
    squares: true,
    imageMarks: false,
  };
}
