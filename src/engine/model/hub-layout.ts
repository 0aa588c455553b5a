// A LLaVA package as model hubs have it: config files and onnx/<part><dtype>.onnx, exported by others, without a manifest of ours.
// Describes such a package as the engine needs it. Knows file names; opens no graph.
import * as v from "valibot";
import { readJson } from "./config.ts";
import { EngineError } from "#engine/errors.ts";
import type { GraphFiles, PackageInfo } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";

/** Suffixes of graph names, in order of preference; q4f16, with keys and values in 16 bits, is not supported. */
const dtypes = [
  { suffix: "_q4", bits: 4 },
  { suffix: "_quantized", bits: 8 },
  { suffix: "", bits: 32 },
  { suffix: "_fp16", bits: 16 },
] as const;

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24, "no model is that large"));
const Config = v.object({
  model_type: v.string(),
  image_aspect_ratio: v.optional(v.string()),
  vision_feature_select_strategy: v.optional(v.string()),
  text_config: v.object({
    model_type: v.optional(v.string(), "llama"),
    max_position_embeddings: v.optional(size),
  }),
  vision_config: v.object({
    model_type: v.optional(v.string(), "clip_vision_model"),
    image_size: v.optional(size),
    patch_size: v.optional(size, 14),
  }),
});
const Preprocessor = v.object({
  image_aspect_ratio: v.optional(v.string()),
  do_center_crop: v.nullish(v.boolean()),
  do_pad: v.nullish(v.boolean()),
});
const TokenizerConfig = v.object({ chat_template: v.optional(v.unknown()) });

/** Describes the package; throws EngineError("bad-package") naming what is missing. */
export async function describeHubLayout(files: PackageFiles, name: string): Promise<PackageInfo> {
  const config = v.safeParse(Config, await readJson(files, "config.json"));
  if (!config.success) {
    const issue = config.issues[0];
    throw bad(`config.json: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const { model_type: type, vision_config: vision, text_config: text } = config.output;
  if (type !== "llava" && type !== "llava_onevision") {
    throw bad(`${name} is of the type "${type}"; of packages without a manifest, llava and llava_onevision can be run`);
  }
  const siglip = vision.model_type.startsWith("siglip");
  const side = Math.floor((vision.image_size ?? (siglip ? 384 : 336)) / vision.patch_size);
  const keepsClass = !siglip && config.output.vision_feature_select_strategy === "full";
  return {
    model: {
      id: name,
      name,
      template: (await hasChatTemplate(files)) ? "chat_template" : "vicuna_v1",
      imageAspect: await aspectOf(files, config.output.image_aspect_ratio),
      imageTokens: side * side + (keepsClass ? 1 : 0),
      contextLength: text.max_position_embeddings ?? (text.model_type === "qwen2" ? 32768 : 2048),
    },
    graphs: {
      vision: await findGraph(files, "vision_encoder"),
      embed: await findGraph(files, "embed_tokens"),
      decoder: await findGraph(files, "decoder_model_merged"),
    },
  };
}

async function findGraph(files: PackageFiles, part: string): Promise<GraphFiles> {
  for (const { suffix, bits } of dtypes) {
    const path = `onnx/${part}${suffix}.onnx`;
    if (!(await exists(files, path))) continue;
    const data: string[] = [];
    for (let i = 0; ; i++) {
      const file = `${path}_data${i === 0 ? "" : `_${i}`}`;
      if (!(await exists(files, file))) return { path, data, bits };
      data.push(file);
    }
  }
  const names = dtypes.map(({ suffix }) => `${part}${suffix}.onnx`).join(", ");
  throw bad(`none of ${names} is in the folder onnx`);
}

/** How pictures become square: as the config states, else by the processor. LLaVA pads where Hugging Face crops; SigLIP's processor stretches. */
async function aspectOf(files: PackageFiles, stated: string | undefined): Promise<"pad" | "crop" | "resize"> {
  const parsed = v.safeParse(Preprocessor, await readJson(files, "preprocessor_config.json"));
  if (!parsed.success) throw bad("preprocessor_config.json has settings of another kind");
  const { image_aspect_ratio: own, do_center_crop: crops, do_pad: pads } = parsed.output;
  for (const aspect of [stated, own]) {
    if (aspect === "pad" || aspect === "crop" || aspect === "resize") return aspect;
  }
  return crops === true || pads === true ? "pad" : "resize";
}

async function hasChatTemplate(files: PackageFiles): Promise<boolean> {
  const config = v.safeParse(TokenizerConfig, await readJson(files, "tokenizer_config.json"));
  if (config.success && config.output.chat_template !== undefined) return true;
  return (await exists(files, "chat_template.jinja")) || exists(files, "chat_template.json");
}

async function exists(files: PackageFiles, path: string): Promise<boolean> {
  try {
    await files.blob(path);
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-package") return false;
    throw error;
  }
}

function bad(message: string): EngineError {
  return new EngineError("bad-package", message);
}
