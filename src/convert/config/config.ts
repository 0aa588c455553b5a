// Parses a LLaVA checkpoint's config.json: what the graphs need of it, with Hugging Face's defaults for what it leaves out.
// The parts of the model each have a file: vision-config.ts, text-config.ts, tiles-config.ts, mixture-config.ts.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { layerIndex, only, positive, tokenId, whole } from "./config-fields.ts";
import { Idefics3, idefics3Config, isIdefics3 } from "./idefics3-config.ts";
import { Mixture, mixtureOf, type MixtureConfig } from "./mixture-config.ts";
import { knownDecoders, Text, textConfig, type TextConfig } from "./text-config.ts";
import { grids, tilesConfig, type Tiles, type TilesConfig } from "./tiles-config.ts";
import {
  projectorActivation,
  Vision,
  visionConfig,
  type ProjectorActivation,
  type VisionConfig,
} from "./vision-config.ts";

export interface LlavaConfig {
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  readonly projector: "linear" | "mlp2x_gelu";
  readonly projectorBias: boolean;
  readonly projectorActivation: ProjectorActivation;
  /** The epsilon of a norm before the projector; undefined where there is none. */
  readonly projectorNorm?: number | undefined;
  readonly imageTokenId: number;
  /** Rows of features per picture, or per tile of one. */
  readonly imageTokens: number;
  /** Side of the square of patches whose rows become one row before the projector (Idefics3's pixel shuffle); 1 where each stays its own. */
  readonly shuffle: number;
  readonly imageAspect: "pad" | "crop" | "resize" | undefined;
  readonly tiles: TilesConfig | undefined;
  /** Whether pictures are cut into squares as Idefics3's processor does; its preprocessor_config.json has the sizes. */
  readonly squares?: boolean | undefined;
  /** Whether a picture's slot stands between the tokens <im_start> and <im_end>. */
  readonly imageMarks: boolean;
  /** The second tower of a mixture. */
  readonly mixture?: MixtureConfig | undefined;
}

interface Kind {
  /** vision_feature_layer where it is left out. */
  readonly layer: number | readonly number[];
  readonly strategy: string;
  readonly tiles?: Tiles;
}

/** Hugging Face's classes of LLaVA and the mixture of towers, with the defaults of each. */
const kinds: Readonly<Record<string, Kind>> = {
  llava: { layer: -2, strategy: "default" },
  llava_mixture: { layer: -2, strategy: "default" },
  llava_next: { layer: -2, strategy: "default", tiles: { side: 336, grid: grids.lines(3, 2), most: undefined } },
  vipllava: { layer: [-2, -5, -8, -11, 6], strategy: "default" },
  llava_onevision: { layer: -1, strategy: "full", tiles: { side: 384, grid: grids.upTo(6), most: "anyres_max_9" } },
};

const layers = v.union([layerIndex, v.pipe(v.array(layerIndex), v.maxLength(1024))]);

const Config = v.looseObject({
  model_type: v.string(),
  transformers_version: v.nullish(v.string()),
  text_config: v.optional(Text, {}),
  vision_config: v.optional(Vision, {}),
  projector_hidden_act: v.optional(v.string(), "gelu"),
  multimodal_projector_bias: v.optional(v.boolean(), true),
  projector_layernorm_eps: v.nullish(positive),
  vision_feature_layer: v.nullish(layers),
  vision_feature_layers: v.nullish(layers),
  vision_feature_select_strategy: v.optional(v.string()),
  image_grid_pinpoints: v.nullish(v.union([v.string(), v.pipe(v.array(v.tuple([whole, whole])), v.maxLength(1000))])),
  vision_aspect_ratio: v.optional(v.string()),
  mm_projector_type: v.optional(v.string()),
  mm_patch_merge_type: v.optional(v.string()),
  mm_use_im_start_end: v.optional(v.boolean(), false),
  image_token_index: v.optional(tokenId),
  image_token_id: v.optional(tokenId),
  image_aspect_ratio: v.optional(v.string()),
  tie_word_embeddings: v.nullish(v.boolean()),
});

/** The parsed config; throws EngineError("bad-checkpoint") that names the field which is missing, wrong or not supported. */
export function parseConfig(json: unknown): LlavaConfig {
  const raw = checked(Config, json);
  if (isIdefics3(raw.model_type)) return idefics3Config(checked(Idefics3, json));
  const kind = kinds[raw.model_type];
  if (!kind) throw badCheckpoint(unsupported(raw.model_type));
  const projector = raw.mm_projector_type ?? "mlp2x_gelu";
  if (projector !== "linear" && projector !== "mlp2x_gelu") {
    throw badCheckpoint(`mm_projector_type is "${projector}"; known are linear, mlp2x_gelu`);
  }
  const strategy = raw.vision_feature_select_strategy ?? kind.strategy;
  only("vision_feature_select_strategy", strategy, ["default", "full"]);
  const vision = visionConfig(raw.vision_config, strategy === "full", featureLayersOf(raw) ?? kind.layer);
  const imageTokenId = raw.image_token_index ?? raw.image_token_id;
  if (imageTokenId === undefined) throw badCheckpoint("config.json has no image_token_index");
  const side = Math.floor(vision.imageSize / vision.patchSize);
  const mixture = raw.model_type === "llava_mixture" ? mixtureOf(checked(Mixture, json)) : undefined;
  const projectorNorm = raw.projector_layernorm_eps ?? (raw.model_type === "vipllava" ? 1e-5 : undefined);
  if (mixture && vision.featureLayers.length > 1)
    throw badCheckpoint("vision_feature_layer lists several layers, and a mixture of towers takes one");
  const aspect = raw.image_aspect_ratio;
  return {
    vision,
    text: textConfig(raw.text_config, {
      tiedHead: raw.tie_word_embeddings ?? false,
      scalesPictures: scalesPictures(raw.transformers_version ?? ""),
    }),
    projector,
    projectorBias: raw.multimodal_projector_bias,
    projectorActivation: projectorActivation(raw.projector_hidden_act),
    ...(projectorNorm === undefined ? {} : { projectorNorm }),
    imageTokenId,
    imageTokens: side * side + (vision.keepClass ? 1 : 0) + (mixture?.classTokens ?? 0),
    shuffle: 1,
    imageAspect: aspect === "pad" || aspect === "crop" || aspect === "resize" ? aspect : undefined,
    tiles: kind.tiles && tilesConfig(raw, kind.tiles, vision),
    imageMarks: raw.mm_use_im_start_end,
    ...(mixture ? { mixture } : {}),
  };
}

/** ViP-LLaVA's first files have another layer in the field that is now the list's, and mean its class's list. */
function featureLayersOf(raw: v.InferOutput<typeof Config>): number | readonly number[] | undefined {
  const stated = raw.vision_feature_layers ?? raw.vision_feature_layer ?? undefined;
  return raw.model_type === "vipllava" && typeof stated === "number" ? undefined : stated;
}

/** Gemma's classes multiplied all embeddings with √hidden, also those of pictures, up to transformers 5.3; since then words' only. */
function scalesPictures(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return !(major > 5 || (major === 5 && minor >= 4));
}

function checked<T extends v.GenericSchema>(schema: T, json: unknown): v.InferOutput<T> {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw badCheckpoint(`config.json: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
}

function unsupported(type: string): string {
  const what = /mpt/i.test(type) ? "LLaVA on MPT" : `model_type is "${type}", which`;
  return (
    `${what} is not supported; LLaVA 1.0 to 1.6, ViP-LLaVA, LLaVA-Interleave and LLaVA-OneVision are, on ${knownDecoders}, ` +
    "and Idefics3 and SmolVLM"
  );
}
